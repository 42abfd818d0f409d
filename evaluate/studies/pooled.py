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
    ranges = np.ptp(again - values[:, None], axis=0)
    leads = values.max() - values
    return [(1 + int(np.count_nonzero(~(ranges < lead)))) / (1 + len(ranges)) for lead in leads]  # NaN: as far as any


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
    means = [
        (np.mean([reached[at][0] for at in places], axis=0), np.mean([reached[at][1] for at in places], axis=0))
        for places in groups
    ]
    spreads = _spreads(trainings, groups, reached)
    if spreads is None:
        return means, None
    changes = _changes(trainings, spreads, len(means[0][1]))
    pooled = [(value, again + change) for (value, again), change in zip(means, changes, strict=True)]
    return pooled, spreads.whole.deviation


def _changes(trainings: Sequence[tuple[str, ...]], spreads: Spreads, resamples: int) -> list[Array]:
    """What other trainings change in each way: [R] float64 each."""
    generator = np.random.default_rng(SEED)
    unsure = spreads.whole.unsure(resamples, generator)
    apart_unsure = spreads.apart.unsure(resamples, generator) if spreads.apart else None
    shared, found = dict[tuple[str, ...], Array](), []
    for names in trainings:
        number, several = np.array(len(names)), trainings.count(names) > 1
        if names and names not in shared:
            shared[names] = (spreads.shared if several else spreads.whole).changes(number, unsure, generator)
        change = shared[names] if names else np.zeros(resamples)
        if names and several and spreads.apart and apart_unsure is not None:
            change = change + spreads.apart.changes(number, apart_unsure, generator)
        found.append(change)
    return found


def _spreads(
    trainings: Sequence[tuple[str, ...]], groups: Sequence[Sequence[int]], reached: Sequence[Reached]
) -> Spreads | None:
    """How much trainings of one way differ, of all ways in which a training takes part."""
    tables: dict[tuple[str, ...], list[list[float]]] = {}
    for names, places in zip(trainings, groups, strict=True):
        if len(names) == len(places):
            tables.setdefault(names, []).append([float(reached[at][0]) for at in places])
    return spreads_of(np.array(table) for table in tables.values())
