"""A folder of pictures whose captions stand in metadata.jsonl, metadata.csv or in files of the same name."""

import csv
import json
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from annotate.corpora.columns import find_captions
from annotate.corpora.format import Corpus, Lost, Raw, Reference

SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm"])
TABLES = ("metadata.jsonl", "metadata.csv")  # the Hugging Face ImageFolder's
MAX_BYTES = 1 << 28  # of one picture's file

Table = dict[str, dict[str, Any]]  # what is said of each picture, by path below the corpus's folder


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Every picture below the folder, and those that only a table names."""
    root = Path(corpus.location)
    names = {path.relative_to(root).as_posix() for path in _files(root) if path.suffix.lower() in SUFFIXES}
    return (Reference(corpus.location, name) for name in names | _tables(root).keys())


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw | Lost]:
    """Read the pictures referred to."""
    root = Path(corpus.location)
    said = _tables(root)
    for reference in references:
        path = root / reference.member
        if not path.resolve().is_relative_to(root.resolve()):
            yield Lost(reference, "outside", "the path leaves the corpus's folder")
            continue
        try:
            if path.stat().st_size > MAX_BYTES:
                yield Lost(reference, "size", f"{path.stat().st_size} bytes; the most is {MAX_BYTES}")
                continue
            image = path.read_bytes()
        except OSError as error:
            yield Lost(reference, "missing" if isinstance(error, FileNotFoundError) else "unreadable", str(error))
            continue
        about = _sidecar(path.with_suffix(".json")) | said.get(reference.member, {})
        yield Raw(reference, image, _captions(path, about, corpus.caption), about)


def _captions(path: Path, about: dict[str, Any], column: str) -> list[str | bytes]:
    found = find_captions(about, column)
    text = path.with_suffix(".txt")
    if not found and text.is_file():
        return [text.read_bytes()]
    return found


def _sidecar(path: Path) -> dict[str, Any]:
    """What img2dataset wrote beside a picture; nothing when there is no such file or it isn't JSON."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


@lru_cache(maxsize=4)
def _tables(root: Path) -> Table:
    said: Table = {}
    for path in sorted(_files(root)):
        if path.name in TABLES:
            for row in _rows(path):
                named = os.path.normpath(path.parent.relative_to(root) / row["file_name"])
                said[Path(named).as_posix()] = {name: value for name, value in row.items() if name != "file_name"}
    return said


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if path.suffix == ".csv":
                rows: list[dict[str, Any]] = list(csv.DictReader(file))
            else:
                rows = [json.loads(line) for line in file if line.strip()]
        if any(not isinstance(row["file_name"], str) for row in rows):
            raise KeyError("file_name")
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: {type(error).__name__}: {error}. Every row needs a file_name and a text, in UTF-8; mend the file"
        ) from error
    return rows


def _files(root: Path) -> Iterator[Path]:
    """Files below `root` that aren't hidden."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name) for name in names if not name.startswith("."))
