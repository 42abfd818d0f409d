"""What was drawn, beside what it was drawn from: one Parquet file per batch that `datasets` opens as pictures."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from manifests.condition import IMAGE

Picture = NDArray[np.uint8]  # [H, W, 3] RGB

PICTURES_FOLDER = "pictures"
PANELS = ("condition", "real", "drawn", "reannotated", "floor", "ceiling")
STRIP = ("condition", "drawn", "reannotated")  # panels side by side, small, for pages that show all samples
STRIP_SIDE = 96  # pixels, of each

SCHEMA = pa.schema(
    [("key", pa.string()), ("draw", pa.int32()), ("caption", pa.string())]
    + [(panel, IMAGE) for panel in PANELS]
    + [("strip", pa.binary())],
    metadata={
        "huggingface": json.dumps(
            {
                "info": {
                    "features": {
                        "key": {"dtype": "string", "_type": "Value"},
                        "draw": {"dtype": "int32", "_type": "Value"},
                        "caption": {"dtype": "string", "_type": "Value"},
                        **{panel: {"_type": "Image"} for panel in PANELS},
                        "strip": {"dtype": "binary", "_type": "Value"},
                    }
                }
            }
        )
    },
)


@dataclass(frozen=True)
class Panels:
    """The pictures of one sample and draw, each [H, W, 3] uint8 RGB, by panel name."""

    key: str
    draw: int
    caption: str
    pictures: dict[str, Picture]


@dataclass(frozen=True)
class Found:
    """The same, read back: panels still encoded."""

    caption: str
    panels: dict[str, bytes]


@dataclass(frozen=True)
class Strip:
    """The panels of `STRIP` as one small WebP."""

    caption: str
    picture: bytes


def to_table(samples: Iterable[Panels]) -> pa.Table:
    """Encode pictures as lossless WebP, so that other measurements of them can be taken later."""

    def cell(sample: Panels, panel: str) -> dict[str, bytes | None]:
        return {"bytes": encode(sample.pictures[panel]), "path": None}

    rows = [
        {"key": sample.key, "draw": sample.draw, "caption": sample.caption}
        | {panel: cell(sample, panel) for panel in PANELS}
        | {"strip": _strip(sample)}
        for sample in samples
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def encode(picture: Picture) -> bytes:
    """Encode one picture."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", lossless=True, method=4)
    return buffer.getvalue()


def decode(data: bytes) -> Picture:
    """Decode one picture, to the very pixels that were encoded."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def find_strips(folder: Path) -> dict[str, Strip]:
    """The strips of the first draw of every sample, by key."""
    found: dict[str, Strip] = {}
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path, columns=["key", "caption", "strip"], filters=[("draw", "=", 0)])
        found |= {row["key"]: Strip(row["caption"], row["strip"]) for row in table.to_pylist()}
    return found


def _strip(sample: Panels) -> bytes:
    """Some panels side by side, as lossy WebP."""
    size = (STRIP_SIDE, STRIP_SIDE)
    small = [Image.fromarray(sample.pictures[panel]).resize(size, Image.Resampling.LANCZOS) for panel in STRIP]
    buffer = io.BytesIO()
    Image.fromarray(np.hstack([np.asarray(each) for each in small])).save(buffer, "WEBP", quality=75, method=4)
    return buffer.getvalue()


def find(folder: Path, keys: Iterable[str], *, draw: int = 0) -> dict[str, Found]:
    """Find samples among the files of an evaluation.

    Args:
        folder: where the files lie.
        keys: of the samples wanted.

    Returns:
        By key; keys that no file holds are left out.
    """
    wanted = sorted(set(keys))
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path, filters=[("key", "in", wanted), ("draw", "=", draw)])
        for row in table.to_pylist():
            found[row["key"]] = Found(row["caption"], {panel: row[panel]["bytes"] for panel in PANELS})
    return found
