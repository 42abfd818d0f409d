"""Runs side by side: what each measure says of each run, and whether they differ by more than chance would have it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, FLOOR, SPAN
from evaluate.comparison.alike import one_protocol, same_samples
from evaluate.measured import Measured, measure_all, statistic_of
from evaluate.measures.measure import Measure
from evaluate.report.summary import share, shares
from evaluate.scores import of
from evaluate.spec import Protocol, Spec, read_spec
from evaluate.statistics import REPLICATES, Interval, detectable, holm, interval, randomised


@dataclass(frozen=True)
class Contrast:
    """A run against the first one, by one measure, paired by sample.

    Attributes:
        difference: the run less the first one, in the measure's own unit.
        further: the same of the way from floor to ceiling.
        p: of a difference as large in either direction, if it made no difference which run drew a sample.
        corrected: the same after Holm's correction over all contrasts of the comparison.
        detectable: the smallest true difference that so many samples find four times in five, after that correction.
    """

    difference: Interval
    further: Interval
    p: float
    corrected: float
    detectable: float

    @property
    def told(self) -> bool:
        """Whether chance is ruled out, at 5 % after correction."""
        return self.corrected <= 0.05


@dataclass(frozen=True)
class Entry:
    """One run by one measure; `contrast` is None in the first run."""

    score: Interval
    normalised: Interval
    contrast: Contrast | None


@dataclass(frozen=True)
class Row:
    """One measure.

    Attributes:
        seeds: by how much two evaluations of one run differ, 95 times in 100, for no other reason than that their
            pictures are drawn from other noise; None where each sample was drawn once, or the measure is no mean.
        entries: in the order of the runs.
    """

    measure: Measure
    floor: Interval
    ceiling: Interval
    seeds: float | None
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Comparison:
    """The numbers of runs that were evaluated alike; the first is the one that the others are held against."""

    protocol: Protocol
    specs: tuple[Spec, ...]
    folders: tuple[Path, ...]
    samples: int
    draws: int
    exchanges: int
    rows: tuple[Row, ...]

    @property
    def primary(self) -> Row:
        """Of the measure fixed beforehand."""
        return next(row for row in self.rows if row.measure.primary)

    @property
    def names(self) -> list[str]:
        """Of the runs; where two have one name, with the folders that tell them apart."""
        names = [spec.run for spec in self.specs]
        return [
            name if names.count(name) == 1 else str(folder) for name, folder in zip(names, self.folders, strict=True)
        ]


def compare_runs(folders: Sequence[Path]) -> Comparison:
    """Put finished evaluations side by side.

    Raises:
        ValueError: There are fewer than two, or they were not made alike; names the fields that differ. Or they scored
            one sample alone.
    """
    specs = [read_spec(folder) for folder in folders]
    protocol = one_protocol(list(zip(specs, folders, strict=True)))
    tables = same_samples(folders)
    if len(tables[0]["key"].unique()) == 1:
        raise ValueError(f"{folders[0]}: by its one sample no run can be told from another. Evaluate more of them")
    measures = ADHERENCE[protocol.annotator].measures
    tests = len(measures) * (len(folders) - 1)
    rows = [_row(measure, tables, tests) for measure in measures]
    return Comparison(
        protocol=protocol,
        specs=tuple(specs),
        folders=tuple(folders),
        samples=len(tables[0]["key"].unique()),
        draws=len(tables[0]["draw"].unique()),
        exchanges=exchanges(tests),
        rows=tuple(_corrected(rows)),
    )


def _row(measure: Measure, tables: Sequence[pa.Table], tests: int) -> Row:
    measured = [measure_all(table, measure, SPAN) for table in tables]
    first = measured[0]
    entries = [
        Entry(
            found.interval(CONTROLLED),
            share(found, measure),
            _contrast(measure, (tables[0], table), (first, found), tests) if place else None,
        )
        for place, (table, found) in enumerate(zip(tables, measured, strict=True))
    ]
    return Row(measure, first.interval(FLOOR), first.interval(CEILING), seed_noise(tables[0], measure), tuple(entries))


def _contrast(
    measure: Measure, tables: tuple[pa.Table, pa.Table], found: tuple[Measured, Measured], tests: int
) -> Contrast:
    first, other = found
    column = SPAN.index(CONTROLLED)
    difference = other.replicates[:, column] - first.replicates[:, column]
    (before, before_all), (after, after_all) = (shares(each, measure) for each in found)
    return Contrast(
        difference=interval(float(other.value[column] - first.value[column]), difference),
        further=interval(float(after - before), after_all - before_all),
        p=_exchanged(measure, tables, first.samples, replicates=exchanges(tests)),
        corrected=float("nan"),
        detectable=detectable(difference, tests=tests),
    )


def exchanges(tests: int) -> int:
    """How often runs are exchanged, so that the least p that can come out is 0.01 after correction for all tests."""
    return max(REPLICATES, 100 * tests)


def _exchanged(measure: Measure, tables: tuple[pa.Table, pa.Table], samples: int, *, replicates: int) -> float:
    """p of the difference of two runs, by exchanging them within samples."""
    both = [of(table, measure=measure.name, arm=CONTROLLED) for table in tables]
    named = [  # keys that sort the one run's samples before the other's
        table.set_column(0, "key", pa.array([f"{place} {key}" for key in table["key"].to_pylist()]))
        for place, table in enumerate(both)
    ]
    _, statistic = statistic_of(pa.concat_tables(named), measure, [CONTROLLED])
    return randomised(lambda weights: statistic(weights)[:, 0], samples, replicates=replicates)[1]


def _corrected(rows: Sequence[Row]) -> list[Row]:
    """The same with Holm's correction over all contrasts."""
    tests = [entry.contrast.p for row in rows for entry in row.entries if entry.contrast]
    corrected = iter(holm(np.array(tests)).tolist())
    return [
        replace(
            row,
            entries=tuple(
                replace(entry, contrast=entry.contrast and replace(entry.contrast, corrected=next(corrected)))
                for entry in row.entries
            ),
        )
        for row in rows
    ]


def seed_noise(scores: pa.Table, measure: Measure) -> float | None:
    """By how much the seeds alone move the mean of one run, 95 times in 100 (see `Row.seeds`).

    Args:
        scores: rows of scores.parquet, N samples of D draws.
    """
    controlled = of(scores, measure=measure.name, arm=CONTROLLED)
    draws = len(controlled["draw"].unique())
    if draws < 2 or measure.pool is not None:
        return None
    values = controlled["value"].to_numpy().reshape(-1, draws)
    within = float(values.var(axis=1, ddof=1).mean())
    return 1.959964 * float(np.sqrt(2 * within / values.size))
