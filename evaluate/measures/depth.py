"""Depth: how far apart two maps of inverse depth are, once the scale and shift that neither knows are taken out."""

from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from evaluate.measures.measure import SHARE, Adherence, Measure, Score

Array = NDArray[np.float64]

FAR = 0.1  # of the range asked for: ratios of what is farther say more about the horizon than about the picture
CLOSE = 1.25  # the ratio of delta 1 (Eigen et al. 2014)
RANGE = "share of the range asked for, 0 is perfect"
RATIO = "share of the inverse depth asked for, 0 is perfect"
RANK = "rank correlation, -1 to 1"


def score_depth(asked: NDArray[np.float32], drawn: NDArray[np.float32]) -> dict[str, Score]:
    """Score depth.

    What was asked for is stretched to 0..1 as its hint is; what was drawn is fitted to that (see `aligned`). All stays
    in inverse depth: depth itself is not defined where the shift is unknown.

    Args:
        asked: [H, W] float32 inverse depth, larger is nearer, of any scale and shift.
        drawn: [H, W] float32, of any other scale and shift.

    Returns:
        `rmse` and `abs_rel`, from 0; `delta1` in [0, 1], `spearman` in [-1, 1]. `abs_rel` and `delta1` leave out the
        farthest tenth of the range asked for.
    """
    wanted = stretched(asked)
    found = aligned(drawn, wanted)
    near = wanted >= FAR
    if not near.any():  # nothing is asked for; evaluations leave such rows out
        return {"rmse": Score(0.0), "abs_rel": Score(0.0), "delta1": Score(1.0), "spearman": Score(0.0)}
    far_off = np.abs(found - wanted)[near] / wanted[near]
    close = (found < CLOSE * wanted) & (wanted < CLOSE * found)
    return {
        "rmse": Score(float(np.sqrt(np.square(found - wanted).mean()))),
        "abs_rel": Score(float(far_off.mean())),
        "delta1": Score(float(close[near].mean())),
        "spearman": Score(rank_correlation(asked, drawn)),
    }


def stretched(depth: NDArray[np.float32]) -> Array:
    """A map from 0, its farthest point, to 1, its nearest; all 0 where it is flat: [H, W] float64."""
    raised = depth.astype(np.float64) - float(depth.min())
    return np.asarray(raised / max(float(raised.max()), 1e-12))


def aligned(drawn: NDArray[np.float32], wanted: Array) -> Array:
    """The map `scale * drawn + shift`, scale at least 0, nearest to `wanted` in the mean of squares: [H, W] float64.

    Least squares as in MiDaS (Ranftl et al. 2020, section 5), but near never turns into far: where the best scale is
    negative, or nothing is drawn, the map is level.
    """
    level = drawn.astype(np.float64) - float(drawn.mean(dtype=np.float64))
    power = float(np.square(level).sum())
    scale = max(0.0, float((level * wanted).sum()) / power) if power else 0.0
    return np.asarray(scale * level + wanted.mean())


def rank_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Spearman's correlation of two maps [H, W], in [-1, 1]; 0 where one is flat."""
    ranks = [rankdata(values, axis=None) for values in (one, other)]
    centred = [rank - rank.mean() for rank in ranks]
    size = float(np.sqrt(np.square(centred[0]).sum() * np.square(centred[1]).sum()))
    return float((centred[0] * centred[1]).sum()) / size if size else 0.0


def depth_likeness(asked: NDArray[np.float32], drawn: NDArray[np.float32]) -> float:
    """Correlation of two maps [H, W], in [-1, 1]; 0 where one is flat.

    The error of what was fitted would not do: it is least to the map that varies least.
    """
    one, other = (values.astype(np.float64) - values.mean(dtype=np.float64) for values in (asked, drawn))
    size = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / size if size else 0.0


DEPTH = Adherence(
    version=2,
    score=score_depth,
    likeness=depth_likeness,
    measures=(
        Measure("rmse", "RMSE of aligned inverse depth", RANGE, False, True, "Its error once scale and shift fit."),
        Measure(
            "abs_rel", "relative error of inverse depth", RATIO, False, False, "But for the farthest tenth.", (0.0, inf)
        ),
        Measure("delta1", "inverse depth within 1.25 times", SHARE, True, False, "Of all but the farthest tenth."),
        Measure(
            "spearman", "rank correlation of depth", RANK, True, False, "Near and far in the same order.", (-1.0, 1.0)
        ),
    ),
)
