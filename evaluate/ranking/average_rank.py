"""The average user ranking of the ControlNet paper: of K results the best is given K points and the worst one."""

from evaluate.statistics import Array


def average_user_ranking(ranks: Array, weights: Array) -> Array:
    """The mean of points over answers; higher is better.

    Args:
        ranks: [V, K] float64 in [1, K], 1 the best.
        weights: [R, V] float64, how often each answer counts.

    Returns:
        [R, K] float64 in [1, K]; with five runs 1..5, as in Table 1 of Zhang et al. 2023.
    """
    points = ranks.shape[1] + 1 - ranks
    return weights @ points / weights.sum(axis=1, keepdims=True)
