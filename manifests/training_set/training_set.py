"""A training set: a subset as a memory-mapped Arrow set in draw order, so that a smaller subset is its prefix."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa

from manifests import keys
from manifests.alone import alone_beside
from manifests.condition import CELLS, IMAGE
from manifests.families import Cards
from manifests.manifest import Manifest
from manifests.room import check_room, is_on_nfs
from manifests.storage import replace_text
from manifests.subset import Subset
from manifests.training_set.drawn import record_draw, recorded_draw
from manifests.training_set.folder import LAYOUT, MARKER, is_complete, training_set_path
from manifests.training_set.gather import Families, Gather, column_of, forecast_reading, gather_in_turn, rows_by_shard
from manifests.training_set.gathered import is_of, marks_of, write_marks
from manifests.training_set.prepared import Prepared
from manifests.training_set.rows import BATCH_ROWS, Rows, write_rows
from manifests.training_set.spool import in_chunks

CHUNK = 4_096  # rows that have to fit into memory
READ = 30 * 24 * 3_600  # seconds that a training on another machine may still read a set after another replaced it
RETIRED = ".retired"  # of the name of a set that another one replaces


def _quiet(line: str) -> None:
    """Say nothing."""


def ensure_training_set(
    subset: Subset | Prepared, manifest: Manifest, gather: Gather | None = None, say: Callable[[str], None] = _quiet
) -> Path:
    """A training set that begins with the subset's rows: the one that is there, else a new one.

    Args:
        gather: reads the wanted rows of many shards, in any order; by default one shard after the other.
        say: told what a new one will read and write, before it does.

    Raises:
        ValueError: There is no room for it.
    """
    if isinstance(subset, Prepared):
        return subset.path
    path = training_set_path(manifest, subset.cards)
    families = Families.of(manifest)
    if not serves(path, subset, families):
        with alone_beside(path) as aside:
            if not serves(path, subset, families):  # nobody else has made it meanwhile
                forecast = forecast_reading(subset.dataset, families, rows_by_shard(subset.rows))
                say(str(forecast))
                check_room(path.parent, forecast.writes, "Lower rows, or make room")
                build_training_set(subset, aside, families, gather or gather_in_turn)
                _put(aside, path)
    drawn = recorded_draw(path)
    if drawn.state != subset.state or drawn.rows < len(subset.rows):
        record_draw(path, subset)
    return path


def _put(aside: Path, path: Path) -> None:
    """Put a new set in the place of another, which is moved away before it goes: who reads it goes on doing so.

    Over NFS that holds of readers on this machine alone (their files stay under another name, and the folder with
    them). So there it goes when another set is put here, weeks later.
    """
    stays = READ if is_on_nfs(path.parent) else 0
    for left in path.parent.glob(f".{path.name}.*{RETIRED}"):
        if time.time() - left.stat().st_mtime >= stays:
            shutil.rmtree(left, ignore_errors=True)
    retired = path.with_name(f".{path.name}.{uuid4().hex}{RETIRED}")
    if path.exists():
        path.rename(retired)
        os.utime(retired)
    aside.rename(path)
    if not stays:
        shutil.rmtree(retired, ignore_errors=True)


def serves(path: Path, subset: Subset, families: Families) -> bool:
    """Whether a complete training set lies at `path` whose first rows are the subset's, out of the shards there are."""
    if not (is_complete(path) and keys.begins_with(path, subset.rows["key"])):
        return False
    return is_of(path, marks_of(subset.dataset, families, rows_by_shard(subset.rows)))


def build_training_set(subset: Subset, folder: Path, families: Families, gather: Gather) -> None:
    """Gather the subset's rows, put them into draw order, and write them; the marker last."""
    by_shard = rows_by_shard(subset.rows)
    write_marks(folder, marks_of(subset.dataset, families, by_shard))  # before they are read
    schema = schema_of(subset.cards, families)
    chunks = in_chunks(gather(subset.dataset, families, by_shard), folder, CHUNK)
    ordered = (part for _, table in chunks for part in _ordered(table, schema))
    with pa.ipc.new_stream(str(folder / keys.FILE), keys.SCHEMA) as stream:
        files = write_rows(folder, _noting_keys(ordered, stream))
    record_draw(folder, subset)
    made = {"layout": LAYOUT, "rows": len(subset.rows), "files": files, "fingerprint": subset.fingerprint}
    replace_text(json.dumps(made) + "\n", folder / MARKER)


def open_training_set(path: Path, rows: int) -> Rows:
    """The first `rows` rows, memory-mapped; of a set with latents for training there is no `image`.

    Columns: key, captions, image {bytes, path}, condition (as stored), width, height, `condition:FAMILY` of each
    further condition (as stored; null where a row has none), latents (as stored). `width` and `height` are the
    condition's, in pixels.
    """
    return Rows(path, rows)


def schema_of(cards: Cards, families: Families) -> pa.Schema:
    """Columns of a training set."""
    pictures = [("image", IMAGE)] if families.pictures else []
    condition = [("condition", CELLS[cards.condition.kind]), ("width", pa.int32()), ("height", pa.int32())]
    further = [(column_of(card.family), CELLS[card.kind]) for card in cards.further]
    latents = [("latents", CELLS[cards.latents.kind])] if cards.latents else []
    captions = [("key", pa.string()), ("captions", pa.list_(pa.string()))]
    return pa.schema([*captions, *pictures, *condition, *further, *latents])


def _ordered(table: pa.Table, schema: pa.Schema) -> Iterator[pa.Table]:
    """A chunk in the order of its positions, a record batch at a time.

    Row by row: arrow would first join a column's pieces, and they may hold more than the 2 GiB that it joins.
    """
    places = np.argsort(table["position"].to_numpy()).tolist()
    table = table.select(schema.names)
    for start in range(0, len(places), BATCH_ROWS):
        yield pa.concat_tables([table.slice(place, 1) for place in places[start : start + BATCH_ROWS]]).cast(schema)


def _noting_keys(tables: Iterator[pa.Table], stream: pa.RecordBatchStreamWriter) -> Iterator[pa.Table]:
    for table in tables:
        stream.write_table(keys.described(table).combine_chunks())
        yield table
