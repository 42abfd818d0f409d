"""The shards of an export: a row becomes a picture, a caption and a hint, of one size, as training would have them.

The picture is brought to its condition's size, and a pair smaller than the manifest's `resolution` is enlarged to it,
by the very function that training uses; but nothing is cropped. diffusers' script then resizes either column by itself,
bilinearly, to short side --resolution, and cuts the centre square out of both: the two stay aligned, for their size is
one. What Pairmill's own training does otherwise: it cuts at random places without shrinking first, draws the hint of
the very square (depth from its nearest point to its farthest) and takes each of several captions in its turn.
"""

import io
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image
from upath import UPath

from manifests.condition import Kind, decode
from manifests.footer import FOOTER
from manifests.layout import ROW_GROUP, SOURCE
from manifests.parallel import ahead
from manifests.room import check_room, free_bytes
from manifests.row_groups import read_rows
from manifests.storage import PARTIAL, publish
from manifests.training_set.gather import Forecast, forecast_reading, gather_shard, rows_by_shard
from manifests.training_set.spool import in_chunks
from train.batches import decode_image, fit_pair
from train.export.export import DATA, Export, missing_shards
from train.hints import as_picture, hint

WAVE = 64  # shards that are spooled at a time at least: what of the dataset lies on disk twice
LARGEST_WAVE = 512  # a file is open for each
READ_AHEAD = 4  # shards of the dataset
SAMPLED = 32  # rows that are drawn to see how large they are
GREY = ("binary", "soft", "depth", "lines")  # kinds whose hints have three equal channels: PNG of one
PNG = b"\x89PNG"
JPEG_QUALITY = 95

Row = dict[str, Any]


def make_shards(export: Export, out: UPath, done: Callable[[int], object], *, wave: int = WAVE) -> None:
    """Make every shard that is missing, a wave at a time, reading each row of the dataset once.

    Args:
        done: told how many rows have been written since it was last told.
        wave: shards of one, as `wave_of` gives it.

    Raises:
        ValueError: families of the dataset are not of the same rows.
    """
    missing = missing_shards(export, out)
    scratch = _scratch(out)
    scratch.mkdir(parents=True, exist_ok=True)
    for split, numbers in missing.items():
        for some in _waves(numbers, wave):
            with tempfile.TemporaryDirectory(dir=scratch, prefix="spool-") as folder:
                _make_wave(export, out, split, list(some), Path(folder), done)


def draw_row(record: Row, kind: Kind, resolution: int) -> Row:
    """One row of an export.

    Args:
        record: as `gather_shard` gives it, with columns of source/.

    Returns:
        image: the bytes that are stored, if they have the condition's size; else PNG of PNG and JPEG of all else.
        conditioning_image: its hint as PNG, 8 bits, grey or RGB by kind.
        text: the first caption, "" where there is none.
    """
    data = record["image"]["bytes"]
    image = decode_image(data)
    fitted, condition = fit_pair(image, decode(kind, record["condition"]), kind, resolution=resolution)
    if fitted.shape != image.shape:
        data = _encode(fitted, "PNG" if data.startswith(PNG) else "JPEG")
    drawn = as_picture(hint(kind, condition))
    drawn = np.ascontiguousarray(drawn[..., 0]) if kind in GREY else drawn
    text = record["captions"][0] if record["captions"] else ""
    columns = {"image": {"bytes": data, "path": None}, "text": text}
    return {**record, **columns, "conditioning_image": {"bytes": _encode(drawn, "PNG"), "path": None}}


def _make_wave(
    export: Export, out: UPath, split: str, numbers: list[int], folder: Path, done: Callable[[int], object]
) -> None:
    """Make some shards of one split."""
    rows = rows_of(export, {split: numbers})
    for place, table in in_chunks(_gather(export, rows), folder, export.record.shard_rows):
        publish(partial(_write, export, table, done), export.path(out, split, numbers[place]))


def _gather(export: Export, rows: pa.Table) -> Iterator[pa.Table]:
    """These rows from the shards that hold them, each with its `position` among them, and what source/ says of them."""
    dataset, columns = export.dataset, [*dict.fromkeys([*export.record.source, "optout"])]

    def read(shard: tuple[str, pa.Table]) -> pa.Table:
        name, wanted = shard
        table = gather_shard(dataset, export.families, name, wanted)
        said = read_rows(dataset.path(SOURCE, name), columns, wanted["row"].to_numpy())
        if not said["key"].equals(table["key"]):
            raise ValueError(
                f"{dataset.path(SOURCE, name)}: its keys are not those of images/. Ingest the corpus again"
            )
        for column in columns[1:]:
            table = table.append_column(column, said[column])
        return table

    with ThreadPoolExecutor(READ_AHEAD) as pool:
        yield from ahead(pool, read, rows_by_shard(rows).items(), READ_AHEAD)


def _write(export: Export, table: pa.Table, done: Callable[[int], object], path: Path) -> None:
    """Write one shard, drawing a row group at a time. Its footer counts licences and opt-outs, for the card."""
    order = np.argsort(table["position"].to_numpy())
    records = (table.slice(place, 1).to_pylist()[0] for place in order.tolist())
    draw = partial(draw_row, kind=export.card.kind, resolution=export.record.resolution)
    licences, size = Counter(str(name or "") for name in table["licence"].to_pylist()), 0
    options = {"compression": "zstd", "use_dictionary": ["licence"], "write_page_index": True}
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        pq.ParquetWriter(path, export.schema, **options) as writer,
    ):
        drawn = ahead(pool, draw, records, ROW_GROUP)
        while rows := list(islice(drawn, ROW_GROUP)):
            group = pa.Table.from_pylist(rows, export.schema)
            writer.write_table(group)
            size += group.nbytes
            done(len(rows))
        optout = sum(said is True for said in table["optout"].to_pylist())
        said = {"export": export.record.digest, "bytes": size, "licences": licences, "optout": optout}
        writer.add_key_value_metadata({FOOTER: json.dumps(said, sort_keys=True).encode()})


def _encode(picture: NDArray[np.uint8], form: str) -> bytes:
    """[H, W] or [H, W, 3] uint8 as PNG, or as JPEG as ingest makes it."""
    if form == "PNG":
        done, encoded = cv2.imencode(".png", picture if picture.ndim == 2 else picture[..., ::-1])
        assert done, "OpenCV writes every uint8 picture as PNG"
        return bytes(encoded.tobytes())
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def wave_of(export: Export, out: UPath, missing: Mapping[str, Sequence[int]]) -> int:
    """How many shards to spool at a time: what half of the free disk holds, for each wave reads the row groups anew."""
    shards = sum(map(len, missing.values()))
    spooled = forecast_reading(export.dataset, export.families, rows_by_shard(rows_of(export, missing))).writes
    fit = free_bytes(_scratch(out)) // 2 * shards // max(spooled, 1)
    return max(WAVE, min(LARGEST_WAVE, fit))


def forecast(export: Export, missing: Mapping[str, Sequence[int]], *, wave: int = WAVE) -> Forecast:
    """What making these shards will read and write: it asks footers, and draws some rows to see how large they are.

    Args:
        wave: shards of a wave. Row groups that hold rows of several waves are read by each.
    """
    wanted = rows_of(export, missing)
    waves = [{split: some} for split, numbers in missing.items() for some in _waves(numbers, wave)]
    each = [forecast_reading(export.dataset, export.families, rows_by_shard(rows_of(export, some))) for some in waves]
    reading = replace(each[0], reads=sum(one.reads for one in each), shards=max(one.shards for one in each))
    some = wanted.filter(pc.equal(wanted["shard"], wanted["shard"][0])).slice(0, SAMPLED)
    sizes = []
    for table in _gather(export, some):
        for record in table.to_pylist():
            row = draw_row(record, export.card.kind, export.record.resolution)
            sizes.append(sum(len(row[column]["bytes"]) for column in ("image", "conditioning_image")))
    return replace(reading, writes=round(len(wanted) * sum(sizes) / len(sizes)))


def _waves(numbers: Sequence[int], wave: int) -> list[Sequence[int]]:
    """Numbers of shards, as many at a time as a wave has."""
    return [numbers[start : start + wave] for start in range(0, len(numbers), wave)]


def rows_of(export: Export, numbers: Mapping[str, Sequence[int]]) -> pa.Table:
    """Rows of some shards of each split, in order."""
    size = export.record.shard_rows
    return pa.concat_tables(
        export.splits[split].slice(number * size, size) for split, of in numbers.items() for number in of
    )


def check_export_room(out: UPath, expected: Forecast, shards: int, *, wave: int = WAVE) -> None:
    """Make sure there is room for so many shards, and for the rows of a wave between reading and drawing.

    Raises:
        ValueError: there is none.
    """
    spooled = min(expected.reads, expected.writes) * min(shards, wave) // shards
    written = expected.writes if isinstance(out, Path) else 0
    check_room(_scratch(out), spooled + written, "Lower rows or --held-out, or make room")


def _scratch(out: UPath) -> Path:
    """Where rows are spooled: beside the shards, or here if those are on another machine."""
    return out / PARTIAL if isinstance(out, Path) else Path(tempfile.gettempdir())


def clear(out: UPath) -> None:
    """Take away what exports that were killed have left in the folder."""
    if isinstance(out, Path):
        for folder in (out / PARTIAL, out / DATA / PARTIAL):
            shutil.rmtree(folder, ignore_errors=True)
