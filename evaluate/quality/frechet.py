"""The Frechet distance of FID (Heusel et al. 2017), where there are pictures enough to define it."""

import numpy as np

from evaluate.quality.seen import SeenOf
from evaluate.statistics import Array


def too_few(samples: int, features: int) -> str:
    """Why there is no FID of so many samples; "" where there is one."""
    if samples > features:
        return ""
    return (
        f"the covariance of {features:,} features has full rank with more than {features:,} samples, and here are "
        f"{samples:,}: FID would measure their number more than the pictures. KID and CMMD have no such bias"
    )


def frechet(one: Array, other: Array) -> float:
    """|μ₁ - μ₂|² + tr(Σ₁ + Σ₂ - 2 (Σ₁ Σ₂)^½).

    The last trace is that of (Σ₁^½ Σ₂ Σ₁^½)^½, which has the same eigenvalues and is symmetric: no imaginary parts to
    be dropped, and no small number to be added to the diagonal.

    Args:
        one: [P, F] float64, P > F.
        other: [Q, F] float64, Q > F.
    """
    spread, beside = (np.cov(each, rowvar=False) for each in (one, other))
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    shared = np.sqrt(np.linalg.eigvalsh(root @ beside @ root).clip(0)).sum()
    apart = one.mean(0) - other.mean(0)
    return float(apart @ apart + np.trace(spread) + np.trace(beside) - 2 * shared)


def fid(drawn: SeenOf, real: SeenOf) -> float:
    """FID of each draw of all samples against the real pictures, averaged: all draws at once would be more pictures.

    Args:
        drawn: N samples.
        real: the same, once each.
    """
    draws = np.unique(drawn.draws)
    return float(np.mean([frechet(drawn.features[drawn.draws == draw], real.features) for draw in draws]))
