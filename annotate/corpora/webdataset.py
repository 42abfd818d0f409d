"""WebDataset tars as img2dataset writes them: KEY.jpg, KEY.txt and KEY.json next to each other."""

import glob
import tarfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from annotate.corpora.columns import find_captions, read_json, storable
from annotate.corpora.folder import MAX_BYTES, SUFFIXES
from annotate.corpora.format import Corpus, Lost, Raw, Reference

Span = tuple[int, int]  # offset and length of a member's bytes in the tar
Index = dict[str, dict[str, Span]]  # key → suffix → span
BROKEN = ""  # member that stands for whatever follows a damaged place in a tar


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Every key in every tar; a damaged tar is one more record, which is lost."""
    location = Path(corpus.location)
    pattern = str(location / "*.tar") if location.is_dir() else corpus.location
    for source in sorted(glob.glob(pattern, recursive=True)):
        yield from (Reference(source, key) for key in _index(source))


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw | Lost]:
    """Read the records referred to, straight from their places in the tars."""
    for reference in references:
        try:
            yield _read(reference, corpus.caption)
        except OSError as error:
            yield Lost(reference, "unreadable", str(error))


def _read(reference: Reference, caption: str) -> Raw | Lost:
    if reference.member == BROKEN:
        return Lost(reference, "archive", "the tar is damaged: nothing behind that place could be read")
    parts = _index(reference.source).get(reference.member, {})
    picture = next((suffix for suffix in parts if suffix in SUFFIXES), None)
    if picture is None:
        return Lost(reference, "no_picture", f"the record has {', '.join(parts) or 'nothing'}")
    if any(length > MAX_BYTES for _, length in parts.values()):
        return Lost(reference, "size", f"a member of more than {MAX_BYTES} bytes")
    about = read_json(_bytes(reference.source, parts[".json"])) if ".json" in parts else {}
    captions: list[str | bytes] = find_captions(about, caption)
    if not captions and ".txt" in parts:
        captions = [_bytes(reference.source, parts[".txt"])]
    return Raw(reference, _bytes(reference.source, parts[picture]), captions, {"key": reference.member} | about)


def _bytes(source: str, span: Span) -> bytes:
    with open(source, "rb") as file:
        file.seek(span[0])
        return file.read(span[1])


@lru_cache(maxsize=4)
def _index(source: str) -> Index:
    """Where each record's members lie; the suffix is all that follows the first dot of the name."""
    index: Index = {}
    try:
        with tarfile.open(source, "r:") as tar:
            for member in tar:
                folder, _, name = member.name.rpartition("/")
                stem, dot, suffix = name.partition(".")
                if member.isfile() and dot and stem:
                    key = storable(f"{folder}/{stem}" if folder else stem)
                    index.setdefault(key, {}).setdefault(f".{suffix.lower()}", (member.offset_data, member.size))
    except (tarfile.TarError, EOFError):
        index[BROKEN] = {}
    if _is_cut(source, index):
        index[BROKEN] = {}
    return index


def _is_cut(source: str, index: Index) -> bool:
    ends = (offset + length for parts in index.values() for offset, length in parts.values())
    return max(ends, default=0) > Path(source).stat().st_size
