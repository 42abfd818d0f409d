"""The resizing that OpenPose's ports do with OpenCV, and the same for maps as matrices: exact, and cheap to compose."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Size = tuple[int, int]  # height, width
STRIDE = 8  # pixels of a network's input to a cell of its maps
PADDING = 128  # of 255: what is beyond the picture


def way_to(old: tuple[float, float], new: tuple[float, float]) -> int:
    """OpenCV's interpolation from one size to another: area average down, Lanczos up."""
    return cv2.INTER_AREA if sum(new) / sum(old) < 1 else cv2.INTER_LANCZOS4


def resized(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """[h, w, 3] uint8 to [H, W, 3] uint8."""
    way = way_to(image.shape[:2], size)
    return np.asarray(cv2.resize(image, size[::-1], interpolation=way), np.uint8)


def network_input(images: Sequence[NDArray[np.uint8]], device: torch.device) -> Tensor:
    """Pictures of one size as a network of OpenPose reads them.

    Args:
        images: B of [H, W, 3] uint8, BGR.

    Returns:
        [B, 3, h, w] float32 in [-0.5, 0.5), padded below and to the right to multiples of 8.
    """
    height, width = images[0].shape[:2]
    padded = np.full((len(images), -(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE, 3), PADDING, np.uint8)
    padded[:, :height, :width] = images
    return torch.from_numpy(padded).to(device).permute(0, 3, 1, 2).float() / 256 - 0.5


def enlargement(cells: int, seen: int, pixels: int, way: int) -> NDArray[np.float64]:
    """The matrix [pixels, cells] that makes pixels of a row of cells, with OpenCV's own taps.

    Args:
        cells: of the network's map along one axis; each becomes 8 pixels of the network's input, by Lanczos.
        seen: how many of those are no padding.
        pixels: of the picture.
        way: OpenCV's interpolation from `seen` to `pixels`.
    """
    fine = cv2.resize(np.eye(cells), (cells, STRIDE * cells), interpolation=cv2.INTER_LANCZOS4)[:seen]
    whole = cv2.resize(np.ascontiguousarray(fine), (cells, pixels), interpolation=way)
    return np.asarray(whole, np.float64).reshape(pixels, cells)


@dataclass(frozen=True)
class Band:
    """A matrix [pixels, cells] by the few cells that each pixel is made of.

    Attributes:
        first: [pixels] int64: the first cell.
        taps: [pixels, K] float64: the weights of K cells from there.
    """

    first: Tensor
    taps: Tensor


def band(matrix: NDArray[np.float64], device: torch.device) -> Band:
    """Leave out the zeros at both sides of each row."""
    used = np.abs(matrix) > 1e-12
    first, last = used.argmax(1), matrix.shape[1] - used[:, ::-1].argmax(1)
    reach = int((last - first).max())
    first = np.minimum(first, matrix.shape[1] - reach)
    taps = np.take_along_axis(matrix, first[:, None] + np.arange(reach), axis=1)
    return Band(torch.from_numpy(first).to(device), torch.from_numpy(taps).to(device))


def sample(rows: Tensor, across: Band, place: Sequence[Tensor]) -> Tensor:
    """Values of maps at single pixels, without making the maps.

    Args:
        rows: [B, C, H, w] float64: maps enlarged downwards only.
        across: how to enlarge them across, to W pixels.
        place: picture, channel, row and column, each of one shape [...] int64.

    Returns:
        [...] float64.
    """
    picture, channel, y, x = place
    columns = across.first[x][..., None] + torch.arange(across.taps.shape[1], device=x.device)
    return (rows[picture[..., None], channel[..., None], y[..., None], columns] * across.taps[x]).sum(-1)
