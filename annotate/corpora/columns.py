"""Which of a corpus's own columns hold the picture, its captions, and the facts that Pairmill keeps by name."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from annotate.corpora.format import Corpus
from annotate.corpora.text import storable, visible
from annotate.opening import Unusable
from annotate.provided.provision import Provision, check_found

CAPTIONS = ("caption", "captions", "text", "txt", "prompt", "description", "sentences", "sentence", "title")
IMAGES = ("image", "img", "picture", "jpg", "jpeg", "png", "webp", "image_bytes", "bytes")
FACTS = {  # column of source/ → names it goes by elsewhere, lower case
    "id": ("id", "key", "image_id", "sample_id", "uid"),
    "url": ("url", "image_url", "original_url"),
    "licence": ("licence", "license"),
    "status": ("status",),
    "similarity": ("similarity", "clip_similarity", "clip_similarity_vitl14", "clip_l14_similarity_score"),
    "aesthetic": ("aesthetic", "aesthetic_score", "aesthetic_score_laion_v2"),
    "watermark": ("watermark", "pwatermark", "watermark_score"),
    "nsfw": ("nsfw", "punsafe"),
    "optout": ("optout", "opt_out"),
}
NUMBERS = ("similarity", "aesthetic", "watermark")


def find_captions(about: Mapping[str, Any], column: str) -> list[str | bytes]:
    """Captions in a record, from `column` or from the first usual name that has any."""
    for name in [column] if column else CAPTIONS:
        for own, value in about.items():
            if own == column or (not column and own.lower() == name):
                found = [text for text in _values(value) if isinstance(text, (str, bytes)) and text.strip()]
                if found:
                    return found
    return []


def read_json(data: bytes) -> dict[str, Any]:
    """What a record's .json says; nothing when it isn't JSON, or no object."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):  # a hostile one nests a hundred thousand lists
        return {}
    return said if isinstance(said, dict) else {}


def find_image_column(schema: pa.Schema, corpus: Corpus, where: str) -> str:
    """The column of encoded pictures: the one asked for, else the only one of its type, else one of a usual name.

    Columns of conditions are none.

    Raises:
        ValueError: there is none, or it can't be told which.
    """
    column = corpus.image
    if column:
        if column not in schema.names or not holds_bytes(schema.field(column).type):
            raise ValueError(
                f"{where}: no picture column {column!r}; columns: {_columns(schema)}. Use another --image-column"
            )
        return column
    able = [field.name for field in schema if holds_bytes(field.type) and field.name not in corpus.fields]
    usual = [name for wanted in IMAGES for name in able if name.lower() == wanted]
    choice = usual or able
    if not choice or (not usual and len(able) > 1):
        raise ValueError(
            f"{where}: which column holds the pictures? Columns: {_columns(schema)}. Say --image-column NAME"
        )
    return choice[0]


def check_columns(schema: pa.Schema, provisions: Sequence[Provision], where: str) -> None:
    """Refuse a table that has no column for a condition that the corpus is said to carry."""
    check_found(provisions, schema.names, f"{where} (columns {_columns(schema)})")


def check_caption_column(names: Iterable[str], column: str, where: str, *, needed: bool) -> None:
    """Refuse a corpus that lacks the column asked for, or, where captions are `needed`, any that can hold some."""
    known = list(names)
    if column and column in known:
        return
    if column or (needed and not any(name.lower() in CAPTIONS for name in known)):
        raise ValueError(
            f"{where}: no caption column {column!r}; columns: {', '.join(known)}. Say --caption-column NAME, "
            "or --allow-no-captions"
        )


def facts(about: Mapping[str, Any], captions: Sequence[str | bytes]) -> dict[str, Any]:
    """What source/ says of a record: known facts by Pairmill's names, the rest (less `captions`) as JSON in `extra`.

    Raises:
        Unusable: nested, deeper than can be written.
    """
    rest = {name: value for name, value in about.items() if not all(text in captions for text in _values(value))}
    known: dict[str, Any] = {}
    for fact, names in FACTS.items():
        own = next((own for own in rest if own.lower() in names), None)
        if own is not None:
            known[fact] = _as(fact, rest.pop(own))
    try:
        extra = json.dumps(rest, sort_keys=True, ensure_ascii=False, default=_plain) if rest else None
    except RecursionError as error:  # it could just be read
        raise Unusable("nested", "what the corpus says of it is nested too deep") from error
    return {fact: known.get(fact) for fact in FACTS} | {"extra": None if extra is None else visible(storable(extra))}


def _values(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


def _as(fact: str, value: Any) -> str | float | bool | None:
    if value is None:
        return None
    number = _number(value)
    if fact == "optout":  # a column of booleans with gaps comes as 1.0, 0.0 and nan
        said = str(value).strip().lower() in ("true", "yes") if number is None else bool(number)
        return None if number is not None and math.isnan(number) else said
    return number if fact in NUMBERS else visible(storable(str(value)))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _plain(value: Any) -> str:
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


def holds_bytes(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold files: bytes, or a struct with a field `bytes`."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and holds_bytes(kind.field("bytes").type)
    if pa.types.is_dictionary(kind):
        return holds_bytes(kind.value_type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)
