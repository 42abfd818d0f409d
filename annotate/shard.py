"""One shard of some families: decode ∥ batch ∥ model ∥ encode, then published whole."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from annotate.ahead import helpers
from annotate.annotated import annotated
from annotate.annotator import IMAGE, PICTURES, STORED, Annotate, Condition, Parameters
from annotate.batches import Inputs, bucketed
from annotate.care import CAREFREE, Care
from annotate.image import fit
from annotate.registry import check_weights
from annotate.rows import Fault, Row, finish
from annotate.stored import Stored
from annotate.task import Task
from manifests import condition
from manifests.dataset import Dataset
from manifests.footer import read_footer, write_shard
from manifests.layout import IMAGES
from manifests.parallel import ahead, in_parallel
from manifests.provenance import versions
from manifests.record import family_schema
from manifests.storage import publish, read_columns

AHEAD = 32  # rows decoded before the model asks for them
PENDING = 64  # conditions that wait to be encoded

Decoder = Callable[[Any], Any]  # of a stored picture or condition


@dataclass(frozen=True)
class Bound:
    """A task whose annotator is ready to run."""

    task: Task
    annotate: Annotate


def bind(tasks: Sequence[Task], device: torch.device) -> list[Bound]:
    """Load every annotator, once. The cards that they go by name the packages of this machine: so footers do.

    Raises:
        ValueError: weights are missing here, or are others than those that the family's card names.
    """
    for task in tasks:
        check_weights(task.card, task.annotator)
    here = {"packages": versions()}
    return [Bound(replace(task, card=task.card.model_copy(update=here)), task.annotator.load(device)) for task in tasks]


def annotate_shard(  # noqa: PLR0913  all of them keywords
    dataset: Dataset,
    name: str,
    bound: Sequence[Bound],
    *,
    batch_size: int,
    threads: int,
    done: Callable[[int], None],
    care: Care = CAREFREE,
) -> dict[str, Counter[str]]:
    """Make one shard of every family that lacks it.

    Args:
        batch_size: pictures in one forward pass.
        threads: that decode and encode beside the one that runs the models; 0: it does so itself.
        done: told how many more rows are through.
        care: for a shard that has killed its worker; needs 0 threads, so that what dies died over the row noted last.

    Returns:
        For each family made, its rows by status.
    """
    todo = [one for one in bound if not dataset.path(one.task.family, name).exists()]
    if not todo:
        return {}
    batched = partial(bucketed, size=batch_size)
    with helpers(threads) as pool:
        tables = make_tables(dataset, name, todo, batched=batched, pool=pool, done=done, care=care)
    for one in todo:
        family = one.task.family
        publish(partial(write_shard, tables[family], card=one.task.card), dataset.path(family, name))
    return {family: Counter(table["status"].to_pylist()) for family, table in tables.items()}


def _inputs(
    dataset: Dataset, name: str, tasks: Sequence[Task], pool: Executor, care: Care
) -> tuple[list[str], Iterator[Inputs]]:
    """Keys of the shard's rows, and what its annotators read: from disk whatever this job doesn't make."""
    made = {task.family for task in tasks}
    sources = {task.source for task in tasks} - made
    keys: list[str] = dataset.read(IMAGES, name, ["key"])["key"].to_pylist()
    cells: dict[str, Sequence[Any]] = {}
    if pictures := sources & {*PICTURES}:
        cells |= dict.fromkeys(pictures, dataset.read(IMAGES, name, ["image", "captions"]).to_struct_array())
    for source in sorted(sources - pictures):
        _check_source(dataset, name, source, tasks)
        table = dataset.read(source, name, ["key", "condition"])
        assert table["key"].to_pylist() == keys, f"{source}/{name} has other rows than images/"
        cells[source] = table["condition"]
    sizes = {(task.card.resolution, task.card.profile) for task in tasks if task.source == IMAGE}
    assert len(sizes) <= 1, "one decode serves all families of a job"
    resolution, profile = next(iter(sizes), (0, "exact"))
    decoders: dict[str, Decoder] = {
        source: partial(condition.decode, dataset.card(source).kind) for source in sources if source not in PICTURES
    }
    decoders[IMAGE] = lambda stored: fit(stored.image, resolution, profile)
    decoders[STORED] = lambda stored: stored
    read = partial(_read, cells=cells, decoders=decoders, care=care)
    return keys, ahead(pool, read, range(len(keys)), AHEAD)


def _check_source(dataset: Dataset, name: str, source: str, tasks: Sequence[Task]) -> None:
    """Refuse to read conditions other than those that the families' cards will say they were made from.

    Raises:
        ValueError: The source was made anew since the job began, or is being made anew.
    """
    found = read_footer(dataset.path(source, name))["fingerprint"]
    for task in tasks:
        wanted = task.card.made_from.get(source, found)
        if wanted != found:
            raise ValueError(
                f"{source}/{name} is of fingerprint {found}, and {task.family} is made from {wanted}. Wait until "
                f"{source} is whole, then start the job again"
            )


def _read(row: int, *, cells: Mapping[str, Any], decoders: Mapping[str, Decoder], care: Care) -> Inputs:
    """Decode what one row's annotators read."""
    inputs = Inputs(row)
    if row in care.crashed:
        return Inputs(row, faults=dict.fromkeys(cells, Fault("crashed", "")))
    care.note([row])
    stored: Stored | None = None  # one, so that its picture is decoded once
    for source, column in cells.items():
        if source in PICTURES:
            stored = cell = stored or Stored.of(column[row].as_py())
        else:
            cell = column[row].as_py()
        try:
            if cell is None:
                inputs.faults[source] = Fault("source", "")
            else:
                inputs.arrays[source] = decoders[source](cell)
        except ValueError as error:
            inputs.faults[source] = Fault("decode", type(error).__name__, str(error))
    return inputs


def make_tables(  # noqa: PLR0913  all of them keywords
    dataset: Dataset,
    name: str,
    bound: Sequence[Bound],
    *,
    batched: Callable[[Iterable[Inputs]], Iterable[list[Inputs]]],
    pool: Executor,
    done: Callable[[int], None],
    care: Care = CAREFREE,
) -> dict[str, pa.Table]:
    """A shard of each family, unwritten: every annotator over every batch, encoding behind its back."""
    keys, inputs = _inputs(dataset, name, [one.task for one in bound], pool, care)
    read = {one.task.source for one in bound}
    rows: dict[str, list[Future[Row] | Row | None]] = {one.task.family: [None] * len(keys) for one in bound}
    pending: list[Future[Row]] = []
    for batch in batched(inputs):
        made: dict[str, list[Condition | Fault]] = {}
        for one in bound:
            drawn = [one.task.annotator.draw(f"{keys[item.row]}:{one.task.family}") for item in batch]
            results = _run(one, batch, made, drawn, care)
            if one.task.family in read:  # the same as from disk, where depth is in steps
                made[one.task.family] = [_as_stored(one.task, result) for result in results]
            for item, result, parameters in zip(batch, results, drawn, strict=True):
                care.note([item.row])
                future = pool.submit(finish, one.task, keys[item.row], result, parameters)
                rows[one.task.family][item.row] = future
                pending.append(future)
        while len(pending) > PENDING:
            pending.pop(0).result()
        done(len(batch))
    care.note([])  # what dies from here on dies of no row
    return {one.task.family: _table(one.task, rows[one.task.family]) for one in bound}


def _as_stored(task: Task, result: Condition | Fault) -> Condition | Fault:
    if isinstance(result, Fault):
        return result
    try:
        return condition.as_stored(task.annotator.kind, result)
    except ValueError as error:
        return Fault("encode", type(error).__name__, str(error))


def _table(task: Task, rows: Sequence[Any]) -> pa.Table:
    annotator = task.annotator
    schema = family_schema(annotator.kind, annotator.parameters, annotator.stats)
    return pa.Table.from_pylist([row.result() for row in rows], schema=schema)


def _run(
    one: Bound,
    batch: Sequence[Inputs],
    made: Mapping[str, Sequence[Condition | Fault]],
    drawn: Sequence[Parameters],
    care: Care,
) -> list[Condition | Fault]:
    """Conditions of one batch; where the source has a fault, so has the row."""
    source = one.task.source
    given: list[Condition | Fault] = [
        made[source][place] if source in made else item.arrays.get(source, item.faults.get(source))
        for place, item in enumerate(batch)
    ]
    results = [Fault("source", item.error, item.said) if isinstance(item, Fault) else item for item in given]
    if source in PICTURES:
        results = given
    able = [place for place, item in enumerate(given) if not isinstance(item, Fault)]
    alone = any(batch[place].row in care.alone for place in able)
    for places in [[place] for place in able] if alone else [able] if able else []:
        care.note([batch[place].row for place in places])
        read = [given[place] for place in places]
        arrays = read if source == STORED else np.stack([np.asarray(one) for one in read])
        for place, result in zip(
            places, annotated(one.annotate, arrays, [drawn[place] for place in places]), strict=True
        ):
            results[place] = result
    return results


def missing(dataset: Dataset, tasks: Sequence[Task], names: Sequence[str] | None = None) -> list[str]:
    """Shards that some family of the job still lacks, of all or of these."""
    return sorted({name for task in tasks for name in dataset.missing(task.family, names)})


def count(dataset: Dataset, family: str, names: Sequence[str] | None = None) -> Counter[str]:
    """Rows of a family by status, of all shards or of these."""
    paths = [dataset.path(family, name) for name in (dataset.shards(family) if names is None else names)]
    total: Counter[str] = Counter()
    for statuses in in_parallel(lambda path: read_columns(path, ["status"])["status"], paths):
        total.update({found["values"]: found["counts"] for found in statuses.value_counts().to_pylist()})
    return total
