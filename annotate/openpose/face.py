"""Faces: OpenPose's network over squares around them, all faces of a batch together.

controlnet_aux leaves out a point that is not found, so that all after it move up by one, and counts the background as a
71st point. Here every point keeps its place, with score 0 where it is not found, and there are 70.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from annotate.borrowed import borrow
from annotate.openpose.people import FAINTEST
from annotate.openpose.resizing import network_input, resized
from annotate.weights import fill, load_weights
from manifests.figures import FACE

WEIGHTS = "facenet.pth"
SIDE = 384  # pixels: of the network's input
THRESHOLD = 0.05
TOGETHER = 32  # squares in one forward


def load_face(device: torch.device) -> nn.Module:
    """OpenPose's face network with its published weights."""
    network: nn.Module = borrow("open_pose.face").FaceNet()
    return fill(network, load_weights(WEIGHTS), WEIGHTS).to(device).to(memory_format=torch.channels_last)


@torch.inference_mode()
def find_faces(squares: Sequence[NDArray[np.uint8]], network: nn.Module, device: torch.device) -> NDArray[np.float32]:
    """Find the points of faces.

    Args:
        squares: N of [side, side, 3] uint8, BGR; sides may differ.
        network: of [B, 3, 384, 384] float32 to heat maps of its stages, the last of them [B, 71, 48, 48] float32.

    Returns:
        [N, 70, 3] float32: x, y in pixels of the square, score; zeros where there is no point.
    """
    faces = [torch.zeros((0, FACE, 3), device=device)]
    for start in range(0, len(squares), TOGETHER):
        some = squares[start : start + TOGETHER]
        heat = network(network_input([resized(square, (SIDE, SIDE)) for square in some], device))[-1][:, :FACE]
        faces += [_points(maps, square.shape[:2])[None] for maps, square in zip(heat, some, strict=True)]
    return torch.cat(faces).cpu().numpy()


def _points(heat: Tensor, size: tuple[int, int]) -> Tensor:
    """The greatest value of each map [70, 48, 48], enlarged to the square: [70, 3] float32 x, y, score."""
    maps = functional.interpolate(heat[None], size, mode="bilinear", align_corners=True)[0]
    score, place = maps.flatten(1).max(dim=1)
    x, y = place % size[1], place // size[1]
    # The first row and column of a square mean to controlnet_aux that there is no point.
    found = (score > THRESHOLD) & (x > 0) & (y > 0)
    return torch.stack([x, y, score.clamp(FAINTEST, 1)], dim=1) * found[:, None]
