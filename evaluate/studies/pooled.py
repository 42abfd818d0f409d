"""Shares of the way pooled over trainings, and compared: what other trainings would change is in every resample."""

from collections.abc import Sequence

import numpy as np

from evaluate.statistics import Array, Interval, holm, interval, two_sided
from evaluate.studies.spread import Spread, spread_of

Reached = tuple[Array, Array]  # a share of all samples [], and of each resample [R]


def less(one: Reached, other: Reached) -> Reached:
    """How much further the one way goes."""
    return one[0] - other[0], one[1] - other[1]


def corrected(differences: Sequence[Reached]) -> list[tuple[Interval, float]]:
    """Each difference with its interval and its p, corrected for as many as there are; 1 where it is undefined."""
    found = [interval(float(value), again) for value, again in differences]
    tests = [
        two_sided(again) if np.isfinite(told.value) else 1.0
        for told, (_, again) in zip(found, differences, strict=True)
    ]
    return list(zip(found, holm(np.array(tests)).tolist(), strict=True))


def spread_between(
    trainings: Sequence[tuple[str, ...]], groups: Sequence[Sequence[int]], reached: Sequence[Reached]
) -> Spread | None:
    """How much trainings of one way differ, of all ways in which a training takes part."""
    tables: dict[tuple[str, ...], list[list[float]]] = {}
    for names, places in zip(trainings, groups, strict=True):
        if len(names) == len(places):
            tables.setdefault(names, []).append([float(reached[at][0]) for at in places])
    return spread_of(np.array(table) for table in tables.values())


def pooled_shares(
    trainings: Sequence[tuple[str, ...]],
    groups: Sequence[Sequence[int]],
    reached: Sequence[Reached],
    spread: Spread | None,
    seed: int,
) -> list[Reached]:
    """The mean share of each way, of all samples and of each resample, the latter with what other trainings change.

    Ways of the same trainings, judged otherwise, get the same change: it is none between them. Those in which no
    training takes part get none.

    Args:
        trainings: names of those that take part in each way.
    """
    generator, changes, found = np.random.default_rng(seed), dict[tuple[str, ...], Array](), []
    for names, places in zip(trainings, groups, strict=True):
        value = np.mean([reached[at][0] for at in places], axis=0)
        again = np.mean([reached[at][1] for at in places], axis=0)
        if spread and names:
            if names not in changes:
                changes[names] = spread.changes(np.array(len(names)), again.shape, generator)
            again = again + changes[names]
        found.append((value, again))
    return found
