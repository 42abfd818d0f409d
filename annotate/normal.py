"""Normals of depth by its slopes, as controlnet_aux makes them of MiDaS, for a batch at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from annotate.annotator import Annotate, Annotator, Parameters
from manifests.condition import Kind

FACING = 127  # of 255: what less than a 255th of a slope is stored as


@dataclass(frozen=True)
class Normal(Annotator):
    """How steep a slope looks, and what is background.

    The defaults are controlnet_aux's for MiDaS, whose depth runs to tens; ControlNet 1.0's own page used 6.2 and 0.4.
    Depth in 1/m, as tiny/depth gives it, is nearly flat to them: it wants an `a` of about 0.05.
    """

    name: ClassVar[str] = "normal"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "normal"
    stats: ClassVar[dict[str, pa.DataType]] = {"flat_share": pa.float32()}

    a: float = 2 * math.pi  # z before normalisation: the slope, in depth per pixel times 8, that looks like 45 degrees
    background: float = 0.1  # share of the depth range, from its far end, that faces the viewer whatever its slope

    def __post_init__(self) -> None:
        if not (self.a > 0 and 0 <= self.background <= 1):
            raise ValueError(
                f"normal: a {self.a} and background {self.background} make no normals. Keep a above 0, and background "
                "from 0 to 1"
            )

    @property
    def reads(self) -> str:
        """Inverse depth."""
        return "depth"

    def load(self, device: torch.device) -> Annotate:
        """Slopes are found on `device`."""
        return partial(find_normals, a=self.a, background=self.background, device=device)

    def measure(self, condition: NDArray[np.uint8]) -> dict[str, float]:
        """`flat_share`: of the pixels, those that face the viewer, being background or level; 1 is a flat picture."""
        return {"flat_share": float(_facing(condition).mean())}

    def empty(self, condition: NDArray[np.uint8]) -> bool:
        """Every pixel faces the viewer."""
        return bool(_facing(condition).all())


@torch.inference_mode()
def find_normals(
    depth: NDArray[np.float32],
    parameters: Sequence[Parameters],
    *,
    a: float,
    background: float,
    device: torch.device,
) -> list[NDArray[np.uint8]]:
    """Normals of inverse depth [B, H, W] float32: B maps [H, W, 3] uint8 in the axes of `manifests.condition.encode`.

    (n + 1) * 127.5 is cut, not rounded, as controlnet_aux does.
    """
    inverse = torch.from_numpy(depth).to(device)
    near = _stretched(inverse) >= background
    x, y = (slope.where(near, 0) for slope in slopes(inverse))
    normal = torch.stack([x, y, torch.full_like(x, a)], dim=3)
    normal = normal / normal.square().sum(dim=3, keepdim=True).sqrt()
    return list((normal * 127.5 + 127.5).clamp(0, 255).to(torch.uint8).cpu().numpy())


def slopes(maps: Tensor) -> tuple[Tensor, Tensor]:
    """3x3 Sobel derivatives to the right and below of maps [B, H, W] float32, mirrored at the borders as in OpenCV."""
    wide = functional.pad(maps[:, None], (1, 1, 1, 1), mode="reflect")[:, 0]
    right, below = wide[:, :, 2:] - wide[:, :, :-2], wide[:, :, :-2] + wide[:, :, 2:] + wide[:, :, 1:-1] * 2
    return right[:, :-2] + right[:, 1:-1] * 2 + right[:, 2:], below[:, 2:] - below[:, :-2]


def _stretched(maps: Tensor) -> Tensor:
    """Maps [B, H, W] from 0 to 1, each by its own range; all 0 where it has none."""
    raised = maps - maps.amin(dim=(1, 2), keepdim=True)
    return raised / raised.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)


def _facing(condition: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((condition[..., :2] == FACING).all(axis=2))
