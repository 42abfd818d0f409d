"""A folder of pictures whose captions stand in metadata.jsonl, metadata.csv or in files of the same name."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from annotate.corpora.columns import find_captions, read_json
from annotate.corpora.files import check_fault, is_within, read_file, walk
from annotate.corpora.format import Corpus, Lost, Raw, Reference
from annotate.corpora.text import storable
from annotate.opening import Unusable
from annotate.provided.provision import check_found
from annotate.provided.reading import Cell

SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm"])
TABLES = ("metadata.jsonl", "metadata.csv")  # the Hugging Face ImageFolder's

Rows = list[dict[str, Any]]  # what is said of one picture, a row for each time that a table names it


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Every picture below the folder, and those that only a table names."""
    root = Path(corpus.location)
    files = {path.relative_to(root).as_posix() for path in walk(root)}
    carried = {field: {name for name in files if name.endswith(f".{field}")} for field in corpus.fields}
    check_found(corpus.provisions, {field for field, names in carried.items() if names}, corpus.location)
    names = {name for name in files.difference(*carried.values()) if Path(name).suffix.lower() in SUFFIXES}
    tables = tuple(sorted(root / name for name in files if PurePosixPath(name).name in TABLES))
    return (Reference(corpus.location, storable(name)) for name in names | _said(root, tables).keys())


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw | Lost]:
    """Read the pictures referred to."""
    root = Path(corpus.location)
    said = _said(root, _above(root, references))
    for reference in references:
        try:
            yield _read(reference, said.get(reference.member, []), corpus)
        except Unusable as fault:
            yield Lost(reference, fault.reason, fault.detail)
        except (FileNotFoundError, ValueError) as error:  # ValueError: a table's name with a NUL, which no file has
            check_fault(error, Path(corpus.location))
            yield Lost(reference, "missing", str(error))
        except OSError as error:
            check_fault(error, Path(corpus.location))
            yield Lost(reference, "unreadable", str(error))


def _read(reference: Reference, rows: Rows, corpus: Corpus) -> Raw | Lost:
    root = Path(corpus.location)
    path = Path(os.path.normpath(root / reference.member))
    if not path.is_relative_to(root):
        return Lost(reference, "outside", "the path leaves the corpus's folder")
    image = read_file(path)
    about = read_json(_beside(path, ".json", root))
    captions = [caption for row in rows for caption in find_captions(row, corpus.caption)]
    captions = captions or find_captions(about, corpus.caption) or [_beside(path, ".txt", root)]
    found = ((provision.family, _carried(path, provision.field, root)) for provision in corpus.provisions)
    provided = {family: cell for family, cell in found if cell is not None}
    said = about | (rows[0] if rows else {})
    said.setdefault("key", reference.member)  # by which whatever is found out about it is mended in the folder
    return Raw(reference, image, captions, said, provided)


def _carried(path: Path, field: str, root: Path) -> Cell | Unusable | None:
    """The file of a condition beside its picture, which like a picture may be a link; None if there is none."""
    try:
        return read_file(path.with_name(f"{path.stem}.{field}"))
    except Unusable as fault:
        return fault
    except FileNotFoundError as error:
        check_fault(error, root)
        return None
    except OSError as error:
        check_fault(error, root)
        return Unusable("unreadable", str(error))


def _beside(path: Path, suffix: str, root: Path) -> bytes:
    """A picture's sidecar, or nothing. Pictures may be links, but text that isn't the corpus's own stays out of it."""
    sidecar = path.with_suffix(suffix)
    if not sidecar.is_file():
        return b""
    if not is_within(sidecar, root):
        raise Unusable("outside", f"{sidecar.name} is a link that leaves the corpus's folder")
    return read_file(sidecar)


def _above(root: Path, references: Sequence[Reference]) -> tuple[Path, ...]:
    """Tables that can name these pictures, in their folders and those above: `plan` alone walks through all."""
    members = {os.path.normpath(reference.member) for reference in references}
    folders = sorted({folder for member in members for folder in PurePosixPath(member).parents})
    real = root.resolve()
    found = []
    for folder in folders:
        if any(part.startswith(".") for part in folder.parts):
            continue
        there = [root / folder / name for name in TABLES if os.path.lexists(root / folder / name)]
        found += there if (root / folder).resolve() == real / folder else []  # as `walk`: behind no link
    return tuple(sorted(found))


@lru_cache(maxsize=4)
def _said(root: Path, tables: Sequence[Path]) -> dict[str, Rows]:
    """What tables say of each picture, by path below the corpus's folder."""
    said: dict[str, Rows] = {}
    for path in tables:
        if not path.is_file() or not is_within(path, root):
            raise ValueError(f"{path}: no file of this folder, but a pipe or a link. Put the table itself there")
        home = path.parent.relative_to(root)
        for row in _rows(path):
            named = Path(os.path.normpath(home / row.pop("file_name")))
            inside = not named.is_absolute() and named.parts[:1] != ("..",)
            if inside and not named.is_relative_to(home):  # whoever reads a picture looks above it alone
                raise ValueError(f"{path}: it names {named}, which is not below its folder. Put the table above it")
            said.setdefault(named.as_posix(), []).append(row)
    return said


def _rows(path: Path) -> Rows:
    """Rows of a table; a caption that isn't UTF-8 spoils its own row alone, when it is checked."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            if path.suffix == ".csv":
                rows: Rows = list(csv.DictReader(file))
            else:
                rows = [json.loads(line) for line in file if line.strip()]
        if any(not isinstance(row["file_name"], str) for row in rows):
            raise KeyError("file_name")
        if any(None in row for row in rows):
            raise ValueError("more fields in a row than in the header; a caption with commas stands in quotes")
    except (ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise ValueError(
            f"{path}: {type(error).__name__}: {error}. Every row needs a file_name and a text; mend the file"
        ) from error
    return rows
