"""Hands: OpenPose's network over squares around them, at four sizes, for all hands of a batch together."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn

from annotate.borrowed import borrow
from annotate.openpose.body import renamed
from annotate.openpose.people import FAINTEST
from annotate.openpose.resizing import STRIDE, enlargement, network_input, resized
from annotate.weights import fill, load_weights
from manifests.figures import HAND

WEIGHTS = "hand_pose_model.pth"
SIDES = (184, 368, 552, 736)  # pixels: of the network's input
MAP = 128  # pixels: of the maps whose mean over the four sizes is read
BLUR, SIGMA = 0.8, 3  # pixels: of the square before anything, and of the map
THRESHOLD = 0.05
TOGETHER = 16  # squares in one forward: some gigabytes on the largest side


def load_hand(device: torch.device) -> nn.Module:
    """OpenPose's hand network with its published weights."""
    network: nn.Module = borrow("open_pose.model").handpose_model()
    return (
        fill(network, renamed(network, load_weights(WEIGHTS)), WEIGHTS).to(device).to(memory_format=torch.channels_last)
    )


@torch.inference_mode()
def find_hands(squares: Sequence[NDArray[np.uint8]], network: nn.Module, device: torch.device) -> NDArray[np.float32]:
    """Find the points of hands.

    Args:
        squares: N of [side, side, 3] uint8, BGR; sides may differ.
        network: of [B, 3, side, side] float32 to heat maps [B, 22, side / 8, side / 8] float32.

    Returns:
        [N, 21, 3] float32: x, y in pixels of the square, score; zeros where there is no point.
    """
    hands = [np.zeros((0, HAND, 3), np.float32)]
    for start in range(0, len(squares), TOGETHER):
        some = squares[start : start + TOGETHER]
        heat = _heat([np.asarray(cv2.GaussianBlur(square, (0, 0), BLUR), np.uint8) for square in some], network, device)
        smooth = torch.from_numpy(_smoothing()).to(device)
        binary = (smooth @ heat @ smooth.T > THRESHOLD).cpu().numpy()
        pairs = zip(heat.cpu().numpy(), binary, strict=True)
        sizes = [square.shape[:2] for square in some]
        points = [_points(maps, over, size) for (maps, over), size in zip(pairs, sizes, strict=True)]
        hands.append(np.stack(points))
    return np.concatenate(hands)


def _heat(squares: Sequence[NDArray[np.uint8]], network: nn.Module, device: torch.device) -> Tensor:
    """Mean heat maps [N, 21, 128, 128] float64 of squares, over the four sizes."""
    total = torch.zeros((len(squares), HAND, MAP, MAP), dtype=torch.float64, device=device)
    for side in SIDES:
        heat = network(network_input([resized(square, (side, side)) for square in squares], device))
        enlarge = torch.from_numpy(enlargement(side // STRIDE, side, MAP, cv2.INTER_AREA)).to(device)
        total += enlarge @ heat[:, :HAND].double() @ enlarge.T / len(SIDES)
    return total


@lru_cache(maxsize=1)
def _smoothing() -> NDArray[np.float64]:
    return np.asarray(gaussian_filter1d(np.eye(MAP), SIGMA, axis=0))


def _points(heat: NDArray[np.float64], binary: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.float32]:
    """Of each map [21, 128, 128] the peak of the connected region that holds most: [21, 3] x, y, score."""
    points = np.zeros((HAND, 3), np.float32)
    for part, (values, over) in enumerate(zip(heat, binary, strict=True)):
        regions, labels = cv2.connectedComponents(over.astype(np.uint8), connectivity=8)
        if regions == 1:
            continue
        mass = np.bincount(labels.ravel(), weights=values.ravel(), minlength=regions)
        region = 1 + int(mass[1:].argmax())
        y, x = np.unravel_index(np.where(labels == region, values, 0).argmax(), values.shape)
        place = int(x * size[1] / MAP), int(y * size[0] / MAP)
        if all(place):  # the first row and column of a square mean to controlnet_aux that there is no point
            points[part] = *place, min(max(float(values[y, x]), FAINTEST), 1)
    return points
