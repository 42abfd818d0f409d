"""What a dry run predicts of each family and of the whole job, from what its processes brought back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from annotate.dry_run.clock import Said
from annotate.dry_run.forecast import Range, Sampled
from annotate.dry_run.outcome import Share
from annotate.task import Task
from manifests.dataset import Dataset
from manifests.footer import write_shard
from manifests.splits.hashes import is_hash

EXAMPLES = 3  # rows shown for each way of failing


@dataclass(frozen=True)
class Faults:
    """Rows of the sample that failed in one way, with examples."""

    code: str
    error: str
    rows: int
    examples: tuple[Said, ...]


@dataclass(frozen=True)
class FamilyPrediction:
    """What is to be expected of one family.

    Attributes:
        rows: that it lacks.
        bytes_per_row: on disk, its shard's footer spread over its rows.
        bytes: of those rows.
        sampled: rows of the sample by status.
        failed, empty: shares of its rows.
        faults: the commonest first.
        stats: lowest, median and highest of the sample; of those that are numbers.
    """

    family: str
    rows: int
    bytes_per_row: Range
    bytes: Range
    sampled: dict[str, int]
    failed: Range
    empty: Range
    faults: tuple[Faults, ...]
    stats: dict[str, tuple[float, float, float]]


def predict_family(
    excerpt: Dataset,
    shares: Sequence[Share],
    task: Task,
    *,
    rows: Mapping[str, int],
    population: int,
    said: Sequence[Said],
) -> FamilyPrediction:
    """What the tables that were made of the sample say of a family.

    Args:
        rows: of each shard that it lacks.
        population: rows that the sample was drawn from: those that some family lacks.
    """
    tables = [excerpt.read(task.family, share.name) for share in shares]
    runs = [part for table, share in zip(tables, shares, strict=True) for part in _runs(table, share)]
    sizes = [len(run) for run in runs]
    whole = pa.concat_tables(tables)
    alone = whole.filter(pa.array(list(_first(whole))))
    footer, size = (_size(table, task, excerpt) for table in (whole.slice(0, 0), alone))
    each = Sampled([run.nbytes for run in runs], sizes, population).per_row().times((size - footer) / alone.nbytes)
    total = each.times(sum(rows.values())).plus(footer * len(rows))
    statuses = [Counter(run["status"].to_pylist()) for run in runs]
    share = {
        status: Sampled([one[status] for one in statuses], sizes, population).share() for status in ("failed", "empty")
    }
    return FamilyPrediction(
        family=task.family,
        rows=sum(rows.values()),
        bytes_per_row=total.times(1 / sum(rows.values())),
        bytes=total,
        sampled=dict(sum(statuses, Counter())),
        failed=share["failed"],
        empty=share["empty"],
        faults=tuple(_faults([one for one in said if one.family == task.family])),
        stats=dict(_stats(whole)),
    )


def _runs(table: pa.Table, share: Share) -> Iterator[pa.Table]:
    start = 0
    for rows in share.runs:
        yield table.slice(start, rows)
        start += rows


def _first(table: pa.Table) -> Iterator[bool]:
    """Whether a row's condition is the first of its kind.

    Copies of a picture that lie far apart in a dataset come together in a sample, where Parquet would pack them as one.
    """
    seen: set[str] = set()
    for row in table.select([name for name in ("status", "condition") if name in table.column_names]).to_pylist():
        cell = repr(row["condition"]) if row["status"] == "ok" and "condition" in row else ""
        yield not cell or cell not in seen
        seen.add(cell)


def _size(table: pa.Table, task: Task, excerpt: Dataset) -> int:
    """Bytes of a shard that holds these rows."""
    path = Path(str(excerpt.root)) / "one.shard"
    write_shard(table, path, card=task.card)
    return path.stat().st_size


def _faults(said: Sequence[Said]) -> Iterator[Faults]:
    ways = Counter((one.code, one.error) for one in said)
    for (code, error), rows in ways.most_common():
        examples = [one for one in said if (one.code, one.error) == (code, error)]
        yield Faults(code, error, rows, tuple(examples[:EXAMPLES]))


def _stats(table: pa.Table) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Of each stat that is a number; rows that have none, as failed ones, apart."""
    if "stats" not in table.column_names:
        return
    stats = table["stats"]
    for place, field in enumerate(stats.type):
        if not is_hash(field.name) and (kinds.is_integer(field.type) or kinds.is_floating(field.type)):
            column = pc.struct_field(stats, place).drop_null().to_numpy()
            if len(column):
                yield field.name, (float(column.min()), float(np.median(column)), float(column.max()))
