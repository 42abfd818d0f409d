"""A strip of a few pictures with their hints beside them, for a card: what is in here, at one glance."""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from upath import UPath

from evaluate.page.panel import drawn
from evaluate.report.gallery import random_keys
from manifests.card import EXAMPLES
from manifests.condition import Cell, Kind, decode
from manifests.dataset import Dataset
from manifests.layout import IMAGES
from manifests.removed import removed_pictures
from manifests.row_groups import read_rows
from manifests.splits.clusters import CLUSTER_DIGITS
from manifests.storage import open_table, read_columns, replace
from train.batches import decode_image
from train.hints import HINTS

Picture = NDArray[np.uint8]  # [H, W, 3], RGB
SIDE, GAP, ROWS = 192, 6, 4  # pixels, pixels, pictures shown
ACROSS = 6  # hints beside a picture, at most
HEAD, INK, LONGEST = 22, "#333333", 26  # pixels, colour and letters of the names above the columns
PAIR = ("image", "conditioning_image")


def show_examples(dataset: Dataset) -> None:
    """Draw `examples.webp` of a dataset: pictures of its first shard chosen by hash, with the conditions they have.

    A picture that was taken down is not among them. Where there is nothing to show the file goes.
    """
    names = dataset.shards(IMAGES)
    path = dataset.root / EXAMPLES
    families = [family for family in dataset.families() if dataset.card(family).kind in HINTS and names]
    families = [family for family in families if dataset.path(family, names[0]).exists()][:ACROSS]
    places = _choose(dataset, names[0]) if names else []
    if places and families:
        write_strip([_tiles(dataset, names[0], place, families) for place in places], ["image", *families], path)
    else:
        path.unlink(missing_ok=True)


def show_export(path: Path | UPath, out: Path | UPath) -> None:
    """Draw `examples.webp` of an export: the first rows of a shard, picture and hint, two of them side by side."""
    with open_table(path) as file:
        rows = file.read_row_group(0, list(PAIR)).slice(0, 2 * ROWS).to_pylist()
    tiles = [[_fitted(decode_image(row[name]["bytes"])) for name in PAIR] for row in rows]
    pairs = [[*one, *other] for one, other in zip(tiles[::2], tiles[1::2], strict=False)] or tiles
    write_strip(pairs, PAIR * (len(pairs[0]) // 2), out / EXAMPLES)


def write_strip(rows: Sequence[Sequence[Picture]], names: Sequence[str], path: Path | UPath) -> None:
    """Write tiles of `SIDE` pixels as WebP, row below row under the names of their columns, on white."""
    pitch = SIDE + GAP
    strip = Image.new("RGB", (len(names) * pitch - GAP, HEAD + len(rows) * pitch - GAP), "white")
    words, font = ImageDraw.Draw(strip), ImageFont.load_default(13)
    for across, name in enumerate(names):
        words.text((across * pitch, HEAD / 2), name[:LONGEST], INK, font, anchor="lm")
    for down, row in enumerate(rows):
        for across, tile in enumerate(row):
            strip.paste(Image.fromarray(tile), (across * pitch, HEAD + down * pitch))
    buffer = io.BytesIO()
    strip.save(buffer, "WEBP", quality=85, method=4)
    replace(partial(_put, data=buffer.getvalue()), path)


def _choose(dataset: Dataset, name: str) -> list[int]:
    """Places of the rows of a shard that are shown."""
    known = read_columns(dataset.path(IMAGES, name), ["key", "sha256"]).to_pylist()
    gone = removed_pictures(dataset)
    place_of = {row["key"]: at for at, row in enumerate(known) if row["sha256"][:CLUSTER_DIGITS] not in gone}
    return [place_of[key] for key in random_keys(list(place_of), ROWS)]


def _tiles(dataset: Dataset, name: str, place: int, families: Sequence[str]) -> list[Picture]:
    rows = np.array([place], np.int32)
    image = read_rows(dataset.path(IMAGES, name), ["image"], rows)["image"][0].as_py()
    tiles = [_fitted(decode_image(image["bytes"]))]
    for family in families:
        row = read_rows(dataset.path(family, name), ["status", "condition"], rows).to_pylist()[0]
        tiles.append(_hint(dataset.card(family).kind, row["status"], row["condition"]))
    return tiles


def _hint(kind: Kind, status: str, cell: Cell) -> Picture:
    """White where there is none: a row that failed."""
    if status == "failed" or cell is None:
        return np.full((SIDE, SIDE, 3), 255, np.uint8)
    return _fitted(drawn(kind, decode(kind, cell)))


def _fitted(picture: Picture) -> Picture:
    """The centre square, `SIDE` pixels."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return np.asarray(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
