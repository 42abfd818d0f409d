"""The columns of every shard, as Arrow schemas that `datasets` reads without being told."""

import hashlib
from collections.abc import Mapping

import pyarrow as pa
from datasets import Features

from manifests.condition import CELLS, IMAGE, Kind

STATUSES = ("ok", "empty", "failed")  # of a row in a family: rows in = the sum of the three


def row_key(source_sha256: str, caption: str) -> str:
    """Key of a row: the first 16 hex digits of sha256(sha256(source bytes) ‖ 0x00 ‖ caption)."""
    return hashlib.sha256(bytes.fromhex(source_sha256) + b"\0" + caption.encode()).hexdigest()[:16]


def readable(schema: pa.Schema) -> pa.Schema:
    """The schema with the metadata from which `datasets` knows the pictures among its columns."""
    features = Features.from_arrow_schema(schema).to_dict()
    features = {name: _with_pictures(schema.field(name).type, feature) for name, feature in features.items()}
    return Features.from_dict(features).arrow_schema


def _with_pictures(kind: pa.DataType, feature: object) -> object:
    if kind == IMAGE:
        return {"_type": "Image"}
    if isinstance(feature, dict) and pa.types.is_struct(kind):
        return {name: _with_pictures(kind.field(name).type, inner) for name, inner in feature.items()}
    return feature


IMAGES = readable(
    pa.schema(
        [
            ("key", pa.string()),
            ("sha256", pa.string()),  # of the source's bytes
            ("stored_sha256", pa.string()),  # of the bytes stored here
            ("captions", pa.list_(pa.string())),
            ("image", IMAGE),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("conversion", pa.string()),  # "" if the source's bytes were kept, else why not, joined by "+"
        ]
    )
)
SOURCE = readable(
    pa.schema(
        [
            ("key", pa.string()),
            ("id", pa.string()),
            ("url", pa.string()),
            ("licence", pa.string()),
            ("status", pa.string()),
            ("similarity", pa.float32()),
            ("aesthetic", pa.float32()),
            ("watermark", pa.float32()),
            ("nsfw", pa.string()),
            ("optout", pa.bool_()),
            ("extra", pa.string()),  # JSON of whatever else the corpus said
        ]
    )
)
DROPPED = pa.schema([(name, pa.string()) for name in ("source", "member", "stage", "reason", "detail")])
CORPUS = b"corpus"  # in the metadata of a part's plan


def plan_schema(corpus: str) -> pa.Schema:
    """Columns of the plan of a part, which names the corpus that it was listed from."""
    columns = [("shard", pa.int32()), ("source", pa.string()), ("member", pa.string())]
    return pa.schema(columns, metadata={CORPUS: corpus})


def family_schema(kind: Kind, parameters: Mapping[str, pa.DataType], stats: Mapping[str, pa.DataType]) -> pa.Schema:
    """Columns of a condition's shards: one row for each row of images/, in the same order."""
    columns = [
        ("key", pa.string()),
        ("status", pa.string()),  # one of STATUSES; empty is a fact of the picture
        ("code", pa.string()),  # why it failed
        ("error", pa.string()),  # class of the exception
        *([("condition", CELLS[kind])] if kind in CELLS else []),
        ("width", pa.int32()),  # of the picture as it was annotated, in pixels
        ("height", pa.int32()),
    ]
    for name, fields in (("parameters", parameters), ("stats", stats)):
        if fields:
            columns.append((name, pa.struct(list(fields.items()))))
    return readable(pa.schema(columns))
