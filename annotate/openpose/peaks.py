"""Joints of a whole batch: the peaks of its heat maps, found without making the maps."""

from dataclasses import dataclass

import torch
from torch import Tensor

THRESHOLD = 0.1  # of the smoothed map: body.py's thre1
MOST = 1_024  # peaks of one part in one picture; a map with more is no heat map, and its pairs would never end
LARGEST = 2**26  # pixels of maps that are looked at together: half a gigabyte


@dataclass(frozen=True)
class Peaks:
    """Peaks of a batch, by picture, part, row and column in this order.

    Attributes:
        picture, part, y, x: [N] int64.
        score: [N] float64: the map, not smoothed, at the peak.
        counts: [B, 18] int64: how many of each.
    """

    picture: Tensor
    part: Tensor
    y: Tensor
    x: Tensor
    score: Tensor
    counts: Tensor


def find_peaks(heat: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Find the pixels above the threshold that none of their four neighbours exceeds.

    Args:
        heat: [B, P, h, w] float64: the network's maps.
        down: [H, h] float64: enlarges them to H pixels and smooths them.
        across: [W, w] float64: the same across.

    Returns:
        [N, 4] int64: picture, part, row, column, sorted.

    Raises:
        ValueError: more peaks than people could have.
    """
    at_once = max(1, LARGEST // (heat.shape[1] * len(down) * len(across)))
    found = []
    for start in range(0, len(heat), at_once):
        peaks = _find(heat[start : start + at_once], down, across)
        peaks[:, 0] += start
        found.append(peaks)
    peaks = torch.cat(found)
    if (crowd := int(count(peaks, len(heat), heat.shape[1]).max())) > MOST:
        raise ValueError(f"{crowd} peaks of one part in one picture; {MOST} are the most that are looked at")
    return peaks


def count(peaks: Tensor, pictures: int, parts: int) -> Tensor:
    """Peaks [N, 4] of each part of each picture: [B, P] int64."""
    return torch.bincount(peaks[:, 0] * parts + peaks[:, 1], minlength=pictures * parts).view(pictures, parts)


def _find(heat: Tensor, down: Tensor, across: Tensor) -> Tensor:
    rows = down @ heat
    # Most rows can't reach the threshold whatever the weights: they are never made.
    high = rows.abs().amax(-1) * across.abs().sum(1).max() > THRESHOLD
    place = high.nonzero()
    smooth = rows[high] @ across.T
    follows = torch.zeros(len(place) + 1, dtype=torch.bool, device=heat.device)  # whether a row is below the one before
    if len(place) > 1:
        follows[1:-1] = ((place[1:] - place[:-1]) == place.new_tensor([0, 0, 1])).all(1)
    row, x = (smooth > THRESHOLD).nonzero(as_tuple=True)
    value = smooth[row, x]
    last = smooth.shape[1] - 1
    peak = (value >= smooth[row, (x - 1).clamp(min=0)]) & (value >= smooth[row, (x + 1).clamp(max=last)])
    peak &= ~follows[row] | (value >= smooth[(row - 1).clamp(min=0), x])
    peak &= ~follows[row + 1] | (value >= smooth[(row + 1).clamp(max=len(place) - 1), x])
    return torch.cat([place[row], x[:, None]], dim=1)[peak]
