"""What a shard's columns are."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
from datasets import Features, Image

from manifests.condition import COLUMN, IMAGE, Kind

STATUSES = ("ok", "empty", "failed")  # empty (no edge, no person) is a fact about the picture, not an error


def row_key(source_sha256: str, caption: str) -> str:
    """Name a row by its content.

    Args:
        source_sha256: hex digest of the source picture's bytes.
        caption: its first caption.

    Returns:
        16 hex digits; equal for two rows only if picture and caption are equal.
    """
    return hashlib.sha256(bytes.fromhex(source_sha256) + b"\0" + caption.encode()).hexdigest()[:16]


def keys_digest(keys: Iterable[str]) -> str:
    """Digest of keys in their order, 16 hex digits: two shards of equal digest have the same rows."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]


def hub_schema(schema: pa.Schema, *, decode: bool = True) -> pa.Schema:
    """Describe a schema to `datasets`, which then decodes every struct of bytes and path as a picture.

    Args:
        decode: whether `datasets` gives pictures (True) or their bytes (False).
    """
    features = Features.from_arrow_schema(schema)
    for field in schema:
        features[field.name] = _with_pictures(features[field.name], field.type, decode=decode)
    return schema.with_metadata(features.arrow_schema.metadata)


def _with_pictures(feature: Any, type_: pa.DataType, *, decode: bool) -> Any:
    if type_ == IMAGE:
        return Image(decode=decode)
    if pa.types.is_struct(type_):
        return {field.name: _with_pictures(feature[field.name], field.type, decode=decode) for field in type_}
    return feature


IMAGES = hub_schema(
    pa.schema(
        {
            "key": pa.string(),
            "sha256": pa.string(),  # of the source's bytes
            "stored_sha256": pa.string(),  # of the bytes in `image`; equal to sha256 where they were kept
            "captions": pa.list_(pa.string()),
            "image": IMAGE,
            "width": pa.int32(),
            "height": pa.int32(),
            # "" where the source's bytes were kept, else why they were not, joined by "+":
            # exif, alpha, cmyk, palette, 16bit, grey, format, max_side
            "conversion": pa.string(),
        }
    )
)

SOURCE = hub_schema(
    pa.schema(
        {
            "key": pa.string(),
            "id": pa.string(),
            "url": pa.string(),
            "licence": pa.string(),
            "status": pa.string(),
            "similarity": pa.float32(),  # CLIP's, of picture and caption, as the corpus gave it
            "aesthetic": pa.float32(),
            "watermark": pa.float32(),  # probability in [0, 1]
            "nsfw": pa.string(),
            "optout": pa.bool_(),
            "extra": pa.string(),  # JSON object of whatever else the corpus said
        }
    )
)

DROPPED = hub_schema(
    pa.schema(
        {
            "source": pa.string(),
            "member": pa.string(),
            "stage": pa.string(),  # read, decode, caption
            "reason": pa.string(),  # a short word, counted in the ingest's report
            "detail": pa.string(),
        }
    )
)


def family_schema(kind: Kind, parameters: Mapping[str, pa.DataType], stats: Mapping[str, pa.DataType]) -> pa.Schema:
    """The columns of a family's shards.

    Args:
        kind: what the condition is; decides the type of its column.
        parameters: what was drawn for each row, e.g. a threshold; no column where there is none.
        stats: what was measured of each condition, e.g. its edge density; no column where there is none.
    """
    both = set(parameters) & set(stats)
    assert not both, f"the index puts parameters and stats side by side: {both} is in both"
    columns = {
        "key": pa.string(),
        "status": pa.string(),  # one of STATUSES
        "code": pa.string(),  # "" unless failed: the reason, a short word
        "error": pa.string(),  # "" unless failed: the exception's class
        "condition": COLUMN[kind],  # null where failed
        "width": pa.int32(),  # of the condition, in pixels
        "height": pa.int32(),
    }
    if parameters:
        columns["parameters"] = pa.struct(dict(parameters))
    if stats:
        columns["stats"] = pa.struct(dict(stats))
    return hub_schema(pa.schema(columns))
