"""What the tiny body network learns: heat maps and part affinity fields (Cao et al. 2017) of joints that are seen."""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from annotate.corpora.generated import SIDE
from annotate.tiny.data import Pictures
from annotate.tiny.pose_network import FOLDER, TinyPose
from manifests import body

HEIGHT, STRIDE = 184, 8  # pixels: half of OpenPose's box of 368, as controlnet_aux sets it
CELLS = HEIGHT // STRIDE
BLOB = 0.9  # standard deviation of a heat map's blob, in cells
LIMB = 1.0  # half the width of a limb's field, in cells
LIMBS, FIELDS = np.array(body.LIMBS), np.array(body.FIELDS)  # joints, and channels of x


def build() -> TinyPose:
    """An untrained network that starts from empty maps."""
    network = TinyPose()
    nn.init.normal_(network.heads.weight, std=0.01)
    nn.init.zeros_(network.heads.get_parameter("bias"))
    return network


def loss(network: nn.Module, pictures: Pictures) -> Tensor:
    """Squared errors of joints and of fields, where there is something weighted up: []."""
    heat, fields, present = targets(torch.from_numpy(pictures.people))
    with torch.autocast("cpu", torch.bfloat16):
        paf, found = network(enlarge(pictures.images))
    joints = ((found[:, :-1].float() - heat) ** 2 * (1 + 10 * heat)).mean()
    limbs = ((paf.float() - fields) ** 2 * (1 + 5 * present)).mean()
    return 20 * joints + 10 * limbs


def save(network: nn.Module, folder: Path = FOLDER) -> None:
    """Write the weights."""
    folder.mkdir(exist_ok=True)
    save_file(network.state_dict(), folder / "model.safetensors", {"format": "pt"})


def enlarge(images: NDArray[np.uint8]) -> Tensor:
    """Playroom pictures as controlnet_aux's `Body` gives them to its network: [B, 3, 184, 184] float32."""
    enlarged = [cv2.resize(image, (HEIGHT, HEIGHT), interpolation=cv2.INTER_LANCZOS4) for image in images]
    turned = np.stack(enlarged)[..., ::-1].transpose(0, 3, 1, 2)  # to OpenCV's order of channels
    return torch.from_numpy(np.ascontiguousarray(turned)).float() / 256 - 0.5


def targets(people: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the network should find.

    Args:
        people: [B, P, 18, 3] float32: x, y in pixels of the playroom, score; joints of score 0 are not there.

    Returns:
        heat: [B, 18, 23, 23] in [0, 1].
        fields: [B, 38, 23, 23] in [-1, 1]: the unit vector along a limb, 0 away from it.
        present: [B, 38, 23, 23] in {0, 1}: 1 where a limb is.
    """
    places = (people[..., :2] + 0.5) * (CELLS / SIDE) - 0.5  # in cells, whose centres are whole numbers
    seen = people[..., 2] > 0
    steps = torch.arange(CELLS, dtype=torch.float32)
    heat = _heat(places, seen, steps).amax(dim=1)
    unit, on_limb = _fields(places, seen, steps)
    count = on_limb.sum(dim=1).clamp(min=1)
    mean = (unit * on_limb[..., None, :, :]).sum(dim=1) / count[:, :, None]
    fields, present = torch.zeros(2, len(people), 2 * len(LIMBS), CELLS, CELLS)
    for axis in (0, 1):
        fields[:, FIELDS + axis] = mean[:, :, axis]
        present[:, FIELDS + axis] = on_limb.amax(dim=1).float()
    return heat, fields, present


def _heat(places: Tensor, seen: Tensor, steps: Tensor) -> Tensor:
    """[B, P, 18, 23, 23]: a blob for every joint that is seen."""
    columns, rows = (torch.exp(-((steps - places[..., [axis]]) ** 2) / (2 * BLOB**2)) for axis in (0, 1))
    return rows[..., :, None] * columns[..., None, :] * seen[..., None, None]


def _fields(places: Tensor, seen: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vector [B, P, 19, 2, 1, 1] of each limb, and the cells [B, P, 19, 23, 23] in {0, 1} that it covers."""
    start, end = places[:, :, LIMBS[:, 0]], places[:, :, LIMBS[:, 1]]
    length = (end - start).norm(dim=-1).clamp(min=1e-3)
    unit = (end - start) / length[..., None]
    across_x = steps[None, :] - start[..., 0, None, None]
    across_y = steps[:, None] - start[..., 1, None, None]
    x, y = unit[..., 0, None, None], unit[..., 1, None, None]
    along = across_x * x + across_y * y
    away = (across_x * y - across_y * x).abs()
    inside = (along > -0.5) & (along < length[..., None, None] + 0.5) & (away < LIMB)
    both = seen[:, :, LIMBS[:, 0]] & seen[:, :, LIMBS[:, 1]]
    return unit[..., None, None], (inside & both[..., None, None]).float()
