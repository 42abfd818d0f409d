"""Hugging Face datasets: a folder written by `save_to_disk`, or a name on the Hub."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa

from annotate.corpora.columns import check_caption_column, check_columns, find_image_column
from annotate.corpora.files import check_fault, read_file
from annotate.corpora.format import Corpus, Lost, Raw, Reference
from annotate.corpora.parquet import CELL_FAULTS, from_columns
from annotate.opening import Unusable


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Every row of every split asked for."""
    for source, table in _splits(corpus).items():
        check_columns(_schema(table), corpus.provisions, source)
        find_image_column(_schema(table), corpus, source)
        check_caption_column(table.column_names, corpus.caption, source, needed=corpus.needs_captions)
        yield from (Reference(source, f"{row:09d}") for row in range(len(table)))


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw | Lost]:
    """Read the rows referred to, pictures still encoded."""
    splits = _splits(corpus)
    for reference in references:
        table, home = splits[reference.source], Path(corpus.location if corpus.format == "disk" else "/")
        image = find_image_column(_schema(table), corpus, reference.source)
        try:
            record = table[int(reference.member)]
            record[image] = _with_bytes(record[image])
            record |= {field: _carried(record[field], home) for field in corpus.fields}
        except Unusable as fault:
            yield Lost(reference, fault.reason, fault.detail)
            continue
        except CELL_FAULTS as error:
            check_fault(error, home)
            yield Lost(reference, "unreadable", f"{type(error).__name__}: {error}")
            continue
        yield from_columns(reference, record, corpus, image=image)


def _with_bytes(cell: Any) -> Any:
    """An image cell that holds its bytes; `datasets` leaves the pictures of an ImageFolder where they lie."""
    if isinstance(cell, dict) and cell.get("bytes", b"") is None and cell.get("path"):
        return {**cell, "bytes": read_file(Path(cell["path"]))}
    return cell


def _carried(cell: Any, home: Path) -> Any:
    """A condition's cell, or why the file that it names can't be read."""
    try:
        return _with_bytes(cell)
    except Unusable as fault:
        return fault
    except (OSError, ValueError) as error:
        check_fault(error, home)
        return Unusable("unreadable", str(error))


@lru_cache(maxsize=2)
def _splits(corpus: Corpus) -> dict[str, datasets.Dataset]:
    """The splits asked for, by source name, with pictures left as they are stored."""
    found = _from_disk(corpus.location) if corpus.format == "disk" else _from_hub(corpus.location)
    splits = found if isinstance(found, datasets.DatasetDict) else {"": found}
    wanted = [name for name in sorted(splits) if not corpus.split or name == corpus.split]
    if not wanted:
        raise ValueError(
            f"{corpus.location}: no split {corpus.split!r}; there are {', '.join(splits)}. Name one of them"
        )
    return {f"{corpus.format}:{corpus.location}#{name}": _undecoded(splits[name]) for name in wanted}


def _from_disk(folder: str) -> datasets.Dataset | datasets.DatasetDict:
    try:
        return datasets.load_from_disk(folder)
    except Exception as error:  # it trusts state.json and whatever that names, and raises what it stumbles over
        raise ValueError(
            f"{folder}: no dataset that save_to_disk wrote, or a damaged one ({type(error).__name__}: {error}). "
            "Write it again; if its state.json is another program's, take that file out"
        ) from error


def _from_hub(name: str) -> datasets.DatasetDict:
    try:
        return datasets.load_dataset(name)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"hub:{name}: {error}. Check the name, log in for gated sets, or ingest a local copy"
        ) from error


def _undecoded(table: datasets.Dataset) -> datasets.Dataset:
    for name, feature in table.features.items():
        if isinstance(feature, datasets.Image):
            table = table.cast_column(name, datasets.Image(decode=False))
    return table


def _schema(table: datasets.Dataset) -> pa.Schema:
    return table.features.arrow_schema
