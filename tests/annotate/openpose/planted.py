"""Heat maps and part affinity fields of people whose places are known, and networks that return them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from annotate.openpose.limbs import LIMBS

Figure = NDArray[np.float64]  # [18, 2] x, y in cells of the network's maps; NaN where a joint is missing

# A standing person, a unit high: nose, neck, right arm, left arm, right leg, left leg, eyes, ears.
STANDING = np.array(
    [
        *[(0, 0.06), (0, 0.2), (-0.12, 0.2), (-0.17, 0.36), (-0.18, 0.5), (0.12, 0.2), (0.17, 0.36), (0.18, 0.5)],
        *[(-0.07, 0.52), (-0.08, 0.75), (-0.08, 0.98), (0.07, 0.52), (0.08, 0.75), (0.08, 0.98)],
        *[(-0.03, 0.03), (0.03, 0.03), (-0.07, 0.05), (0.07, 0.05)],
    ]
)


def people(rng: np.random.Generator, count: int, cells: tuple[int, int], *, height: float = 0.8) -> list[Figure]:
    """People of about `height` of a map, anywhere in it, none quite alike, some of their joints missing."""
    figures = []
    for _ in range(count):
        size = height * cells[0] * rng.uniform(0.8, 1.2)
        place = rng.uniform((0.1 * cells[1], -0.1 * cells[0]), (0.9 * cells[1], max(1, cells[0] - 0.8 * size)))
        figure = STANDING * size + place + rng.normal(0, 0.02 * size, (18, 2))
        figure[rng.random(18) < 0.08] = np.nan
        figures.append(figure)
    return figures


def plant(figures: list[Figure], cells: tuple[int, int], rng: np.random.Generator, *, sigma: float = 1.0) -> Tensor:
    """Maps [57, h, w] float32 as OpenPose's network would give them: 38 fields, 18 heat maps, background."""
    y, x = np.mgrid[: cells[0], : cells[1]].astype(np.float64)
    heat, fields = np.zeros((19, *cells)), np.zeros((38, *cells))
    for figure in figures:
        for part, (joint_x, joint_y) in enumerate(figure):
            if np.isfinite(joint_x):
                near = np.exp(-((x - joint_x) ** 2 + (y - joint_y) ** 2) / (2 * sigma**2))
                heat[part] = np.maximum(heat[part], near * rng.uniform(0.6, 0.95))
        for start, end, across, down in LIMBS:
            way = figure[end] - figure[start]
            length = np.hypot(*way)
            if np.isfinite(length) and length > 0:
                along = ((x - figure[start][0]) * way[0] + (y - figure[start][1]) * way[1]) / length
                aside = ((x - figure[start][0]) * way[1] - (y - figure[start][1]) * way[0]) / length
                inside = (along > -1) & (along < length + 1) & (np.abs(aside) < 1.2)
                fields[across][inside], fields[down][inside] = 0.9 * way / length
    heat[18] = 1 - heat[:18].max(0)
    noise = rng.normal(0, 0.01, (57, *cells))
    return torch.from_numpy(np.concatenate([fields, heat]) + noise).float()


def enlivened(network: nn.Module) -> nn.Module:
    """The same network with random weights whose answers neither vanish nor grow from layer to layer."""
    torch.manual_seed(0)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


class Planted(nn.Module):
    """A network that gives the maps it holds, [B, 57, h, w], whatever it is shown; in batches or one by one."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        self.maps = nn.Parameter(maps, requires_grad=False)
        self.next = 0

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.maps[self.next : self.next + len(images)]
        self.next += len(images)
        assert maps.shape[2:] == (images.shape[2] // 8, images.shape[3] // 8)
        return maps[:, :38], maps[:, 38:]
