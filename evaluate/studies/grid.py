"""A study's trainings put together: each way of training with its repeats, its score, its cost, and what beside it."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, FLOOR, SPAN
from evaluate.comparison.alike import may_score_others, one_protocol, same_samples
from evaluate.measured import Measured, measure_all
from evaluate.report.course import appeared_at, worst_look
from evaluate.report.summary import shares
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Spec, read_spec
from evaluate.statistics import LEVEL, interval
from evaluate.studies.cost import mean_cost
from evaluate.studies.pairs import pairs
from evaluate.studies.pooled import Reached, behind_the_furthest, corrected, less, pooled_shares
from evaluate.studies.scaling import Runs, Scaling, scaling_of
from evaluate.studies.ways import RESAMPLES, TOLD, Compared, Grid, Trained, Way, by_condition
from manifests.study import ROWS, Against


def read_grid(
    name: str,
    trained: Sequence[Trained],
    *,
    failed: Mapping[str, str],
    varied: Collection[str] = (),
    against: Sequence[Against] = (),
) -> Grid:
    """Put the finished trainings of a study together.

    Args:
        trained: in the order of its cells; two or more, evaluated alike.
        failed: name of a training → why it has no score.
        varied: fields of the manifest in which they differ.
        against: which ways are compared; none: each axis's others with its first.

    Raises:
        ValueError: They were not evaluated alike; names the fields.
    """
    specs = [read_spec(one.folder) for one in trained]
    protocol = one_protocol([*zip(specs, (one.folder for one in trained), strict=True)], varied=varied)
    measured, reached = _scored(trained, specs, others=may_score_others(varied))
    groups = _groups(trained)
    names = [_taking_part(places, trained, specs) for places in groups]
    pooled, between_runs = pooled_shares(names, groups, reached)
    ways = [
        _way([trained[at] for at in places], specs[places[0]], trainings, [measured[at] for at in places], own)
        for places, trainings, own in zip(groups, names, pooled, strict=True)
    ]
    return Grid(
        name=name,
        axes=tuple(trained[0].cell.labels),
        protocol=protocol,
        ways=tuple(ways),
        compared=_compared(ways, pooled, against),
        behind=tuple(way for places in by_condition(ways).values() for way in _behind(ways, pooled, places)),
        between_runs=between_runs,
        scaling=_scaling(trained, reached),
        failed=failed,
    )


def _scored(trained: Sequence[Trained], specs: Sequence[Spec], *, others: bool) -> tuple[list[Measured], list[Reached]]:
    """What the primary measure says of each training, and the share of the way that is; `others`: of other samples."""
    folders = [one.folder for one in trained]
    tables = [read_scores(folder / SCORES_FILE) for folder in folders] if others else same_samples(folders)
    measures = [ADHERENCE[spec.protocol.annotator].primary for spec in specs]
    measured = [
        measure_all(table, measure, SPAN, replicates=RESAMPLES) for table, measure in zip(tables, measures, strict=True)
    ]
    return measured, [shares(*pair) for pair in zip(measured, measures, strict=True)]


def _taking_part(places: Sequence[int], trained: Sequence[Trained], specs: Sequence[Spec]) -> tuple[str, ...]:
    """Names of the trainings whose control takes part in a way."""
    return tuple(sorted({trained[at].training for at in places if specs[at].protocol.method == "control"}))


def _compared(ways: Sequence[Way], pooled: Sequence[Reached], against: Sequence[Against]) -> tuple[Compared, ...]:
    """Ways that the study compares, as far as they were scored by the same condition."""
    asked = [
        (one, other)
        for one, other in pairs([way.labels for way in ways], against)
        if ways[one].condition == ways[other].condition
    ]
    told = corrected([less(pooled[one], pooled[other]) for one, other in asked])
    return tuple(Compared(ways[one], ways[other], *found) for (one, other), found in zip(asked, told, strict=True))


def _behind(ways: Sequence[Way], pooled: Sequence[Reached], places: Sequence[int]) -> list[Way]:
    """Of these ways those that are told from the one that goes furthest."""
    told = behind_the_furthest([pooled[place] for place in places])
    return [ways[place] for place, p in zip(places, told, strict=True) if p < TOLD]


def _way(
    runs: Sequence[Trained], spec: Spec, trainings: tuple[str, ...], measured: Sequence[Measured], own: Reached
) -> Way:
    """One way, of its trainings and what the measure says of each."""
    first, place = measured[0], SPAN.index(CONTROLLED)
    score = np.mean([each.value[place] for each in measured])
    again = np.mean([each.replicates[:, place] for each in measured], axis=0)
    low, high = (first.replicates[:, SPAN.index(arm)] for arm in (FLOOR, CEILING))
    moved = low + own[1] * (high - low)  # where there is a way to go, other trainings change the score with the share
    again = np.where(np.isfinite(moved), moved, again)
    return Way(
        labels=runs[0].cell.labels,
        condition=spec.protocol.condition,
        trainings=trainings,
        runs=len(runs),
        samples=first.samples,
        measure=ADHERENCE[spec.protocol.annotator].primary,
        floor=first.interval(FLOOR),
        ceiling=first.interval(CEILING),
        score=interval(float(score), again),
        share=interval(float(own[0]), own[1]),
        appeared=tuple(appeared_at(run.folder) for run in runs),
        worst=worst_look(run.folder for run in runs),
        cost=mean_cost([run.cost for run in runs]),
        folder=runs[0].folder,
        lineages=tuple(run.lineage for run in runs),
    )


def _groups(trained: Sequence[Trained]) -> list[list[int]]:
    """Places of the repeats of each way, in the order in which ways first come."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(trained):
        groups.setdefault(tuple(one.cell.labels.values()), []).append(place)
    return list(groups.values())


def _scaling(trained: Sequence[Trained], reached: Sequence[Reached]) -> dict[str, Scaling]:
    """Growth with the number of rows, apart for each combination of the other axes."""
    others: dict[str, list[int]] = {}
    for place, one in enumerate(trained):
        if ROWS not in one.cell.labels:
            continue
        words = ", ".join(label for axis, label in one.cell.labels.items() if axis != ROWS)
        others.setdefault(words, []).append(place)
    found = {}
    for words, places in others.items():
        rows = np.array([float(trained[at].cell.labels[ROWS]) for at in places])
        scores, again = np.array([reached[at][0] for at in places]), np.stack([reached[at][1] for at in places], axis=1)
        told = np.isfinite(again).all(axis=1)
        if len(np.unique(rows)) >= 3 and np.isfinite(scores).all() and told.mean() > LEVEL:
            found[words] = scaling_of(Runs(rows, scores, again[told]))
    return found
