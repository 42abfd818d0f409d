"""Shares of the way pooled over trainings, and compared: what other trainings would change is in every resample."""

from collections.abc import Sequence

import numpy as np

from evaluate.statistics import Array, Interval, holm, interval, two_sided
from evaluate.studies.spread import SEED, Spreads, spreads_of

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


def behind_the_furthest(ways: Sequence[Reached]) -> list[float]:
    """Of each way p that it goes as far as the furthest one, which was picked for going furthest.

    So a lead is held against the range of all ways, as Tukey's test does: how far apart the first and the last of as
    many equal ways come by chance, which resamples say.

    Args:
        ways: two or more, each of which has a share.

    Returns:
        At least 1 / (1 + R); 1 for the furthest.
    """
    values, again = np.array([value for value, _ in ways]), np.stack([resampled for _, resampled in ways])
    ranges = np.ptp(again - again.mean(axis=1, keepdims=True), axis=0)
    leads = values.max() - values
    return [(1 + int(np.count_nonzero(ranges >= lead))) / (1 + len(ranges)) for lead in leads]


def pooled_shares(
    trainings: Sequence[tuple[str, ...]],
    groups: Sequence[Sequence[int]],
    reached: Sequence[Reached],
) -> tuple[list[Reached], float | None]:
    """The mean share of each way, of all samples and of each resample, the latter with what other trainings change.

    Ways of the same trainings, judged otherwise, share a change, and have one each beside it. Those in which no
    training takes part have none.

    Args:
        trainings: names of those that take part in each way.
        groups: places of the repeats of each way.
        reached: the share of each repeat.

    Returns:
        The shares, and the standard deviation between trainings of one way; None where each was trained once.
    """
    spreads = _spreads(trainings, groups, reached)
    generator, shared, found = np.random.default_rng(SEED), dict[tuple[str, ...], Array](), []
    for names, places in zip(trainings, groups, strict=True):
        value = np.mean([reached[at][0] for at in places], axis=0)
        again = np.mean([reached[at][1] for at in places], axis=0)
        if spreads and names:
            number, several = np.array(len(names)), trainings.count(names) > 1
            if names not in shared:
                whole = spreads.shared if several else spreads.whole
                shared[names] = whole.changes(number, again.shape, generator)
            again = again + shared[names]
            if several and spreads.apart:
                again = again + spreads.apart.changes(number, again.shape, generator)
        found.append((value, again))
    return found, spreads.whole.deviation if spreads else None


def _spreads(
    trainings: Sequence[tuple[str, ...]], groups: Sequence[Sequence[int]], reached: Sequence[Reached]
) -> Spreads | None:
    """How much trainings of one way differ, of all ways in which a training takes part."""
    tables: dict[tuple[str, ...], list[list[float]]] = {}
    for names, places in zip(trainings, groups, strict=True):
        if len(names) == len(places):
            tables.setdefault(names, []).append([float(reached[at][0]) for at in places])
    return spreads_of(np.array(table) for table in tables.values())
