"""Bradley-Terry strengths: what explains who was ranked above whom.

Solved by the iteration of Newman (Journal of Machine Learning Research 24, 2023), which comes to the same as that of
Zermelo and Hunter's MM in far fewer steps.
"""

import numpy as np
from scipy.sparse.csgraph import connected_components

from evaluate.statistics import Array

GHOST = 1.0  # ties added to each pair of runs, so that a run which never lost has a strength at all
ENOUGH = 1e-8  # change of a log-strength in one step
MOST = 10_000  # steps


def preferences(ranks: Array) -> Array:
    """Who is above whom in each answer: [V, K, K] float64 in {0, 0.5, 1}, a tie half a win for both.

    Args:
        ranks: [V, K] float64, 1 the best.
    """
    own, other = ranks[:, :, None], ranks[:, None, :]
    above = (own < other) + 0.5 * (own == other)
    return np.asarray(above * (1 - np.eye(ranks.shape[1])))


def wins(ranks: Array, weights: Array) -> Array:
    """How often each run is above each other: [R, K, K] float64.

    Args:
        ranks: [V, K] float64, 1 the best.
        weights: [R, V] float64, how often each answer counts.
    """
    above = preferences(ranks)
    return (weights @ above.reshape(len(above), -1)).reshape(-1, *above.shape[1:])


def strengths(won: Array, *, ghost: float = GHOST) -> Array:
    """The strengths that make the wins likeliest: run i is above run j with the odds exp(strength i - strength j).

    Args:
        won: [R, K, K] float64, how often each run was above each other.
        ghost: ties to add to each pair.

    Returns:
        [R, K] float64, log-odds against the mean run: their sum is 0.

    Raises:
        ValueError: Without ghosts, the wins do not link every run to every other: some strength would be endless.
    """
    runs = won.shape[1]
    given = won + ghost / 2 * (1 - np.eye(runs))
    if not ghost and any(len(tiers(each)) > 1 for each in given):
        raise ValueError("bradley_terry: some runs were above others always. Add a ghost tie to each pair")
    worth = np.ones(given.shape[:2])
    for _ in range(MOST):
        before = np.log(worth)
        for run in range(runs):
            beside = worth[:, run, None] + worth
            better, worse = (given[:, run] * worth / beside).sum(axis=1), (given[:, :, run] / beside).sum(axis=1)
            worth[:, run] = better / worse
        worth /= np.exp(np.log(worth).mean(axis=1, keepdims=True))
        if np.abs(np.log(worth) - before).max() < ENOUGH:
            return np.asarray(np.log(worth))
    raise AssertionError(f"no strengths after {MOST} steps, which Newman proves to lead there")


def tiers(won: Array) -> list[list[int]]:
    """Groups of runs, the highest first, no run of which was ever above one of a group before it.

    Within a group wins lead from each run to each other, so that strengths are finite; one group is as it should be.

    Args:
        won: [K, K] float64, how often each run was above each other.
    """
    _, group = connected_components(won > 0, directed=True, connection="strong")
    members = [np.flatnonzero(group == number).tolist() for number in range(group.max() + 1)]
    return sorted(members, key=lambda runs: -int(_reached(won)[runs[0]].sum()))


def _reached(won: Array) -> Array:
    """Which runs each run leads to by wins, over any number of others: [K, K] float64 in {0, 1}."""
    reached = np.eye(len(won)) + (won > 0)
    for _ in range(len(won)):
        reached = np.minimum(reached @ reached, 1)
    return np.asarray(np.minimum(reached, 1))
