"""Which joints a limb may join: part affinities along all pairs of all pictures of a batch."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from annotate.openpose.peaks import Peaks
from annotate.openpose.resizing import Band, sample
from manifests import body

LIMBS = tuple((*ends, field, field + 1) for ends, field in zip(body.LIMBS, body.FIELDS, strict=True))
POINTS = 10  # where the field is read, evenly from joint to joint
ALONG = 0.05  # how much of the field must point along the limb; body.py's thre2
ENOUGH = 9  # points that must do so: more than 80 %
PAIRS = 2**15  # that are scored together: some 60 MB


@dataclass(frozen=True)
class Links:
    """Pairs of joints that a limb may join, by picture, limb and place.

    Attributes:
        picture, limb, one, other: [N] int64; the joints by their place among `Peaks`.
        score: [N] float64, positive.
    """

    picture: Tensor
    limb: Tensor
    one: Tensor
    other: Tensor
    score: Tensor


def score_limbs(peaks: Peaks, rows: Tensor, across: Band) -> Links:
    """Score every pair of joints by the field between them.

    Args:
        rows: [B, 38 or more, H, w] float64: the fields, enlarged downwards only.
        across: how to enlarge them across.
    """
    limbs = torch.tensor(LIMBS, device=rows.device)
    kept: list[list[Tensor]] = [[], [], [], [], []]
    for picture, limb, one, other in _pairs(peaks, limbs):
        score, good = _score(peaks, rows, across, (picture, limbs[limb], one, other))
        for column, values in zip(kept, (picture, limb, one, other, score), strict=True):
            column.append(values[good])
    return Links(*(torch.cat(column) for column in kept))


def _pairs(peaks: Peaks, limbs: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Picture, limb and the two joints of all pairs, some at a time; joints by their place in `peaks`."""
    counts = peaks.counts
    begin = (counts.flatten().cumsum(0) - counts.flatten()).view_as(counts)
    starts, ends = begin[:, limbs[:, 0]].flatten(), begin[:, limbs[:, 1]].flatten()
    others = counts[:, limbs[:, 1]].flatten()
    until = (counts[:, limbs[:, 0]].flatten() * others).cumsum(0)
    total = int(until[-1])
    for first in range(0, max(total, 1), PAIRS):
        pair = torch.arange(first, min(first + PAIRS, total), device=counts.device)
        group = torch.searchsorted(until, pair, right=True)
        within = pair - torch.where(group > 0, until[(group - 1).clamp(min=0)], 0)
        one, other = starts[group] + within // others[group], ends[group] + within % others[group]
        yield group // len(limbs), group % len(limbs), one, other


def _score(
    peaks: Peaks, rows: Tensor, across: Band, pairs: tuple[Tensor, Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Mean field along each pair less a penalty for length [N] float64, and whether it is a limb at all [N] bool."""
    picture, limb, one, other = pairs
    start = torch.stack([peaks.x[one], peaks.y[one]]).double()
    end = torch.stack([peaks.x[other], peaks.y[other]]).double()
    way = end - start
    length = (way[0] ** 2 + way[1] ** 2).sqrt().clamp(min=0.001)
    step = torch.arange(POINTS, device=way.device)
    points = start[..., None] + step * (way / (POINTS - 1))[..., None]  # [2, N, 10]
    points[..., -1] = end
    x, y = points.round().long()
    field = torch.stack(
        [
            sample(rows, across, (picture[:, None].expand_as(x), limb[:, axis, None].expand_as(x), y, x))
            for axis in (2, 3)
        ]
    )
    along = (field * (way / length)[..., None]).sum(0)
    height = rows.shape[2]
    score = along.sum(-1) / POINTS + (0.5 * height / length - 1).clamp(max=0)
    return score, ((along > ALONG).sum(-1) >= ENOUGH) & (score > 0)
