"""WebDataset tars as img2dataset writes them: KEY.jpg, KEY.txt and KEY.json next to each other."""

import os
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from annotate.corpora.columns import find_captions, read_json
from annotate.corpora.files import MAX_BYTES, check_fault, find
from annotate.corpora.folder import SUFFIXES
from annotate.corpora.format import Corpus, Lost, Raw, Reference
from annotate.corpora.text import storable
from annotate.opening import Unusable
from annotate.provided.provision import check_found
from annotate.provided.reading import Cell

Span = tuple[int, int]  # offset and length of a member's bytes in the tar
Index = dict[str, dict[str, Span]]  # key → suffix, or PICTURE → span
PICTURE = "picture"
BROKEN = ""  # member that stands for whatever follows a damaged place in a tar
TAIL = 1 << 20  # bytes behind the last member that are looked at


def plan(corpus: Corpus) -> Iterator[Reference]:
    """Every key in every tar; a damaged tar is one more record, which is lost."""
    found: set[str] = set()
    for source in find(corpus.location, ".tar"):
        try:
            index = _index(source, corpus.fields)
        except OSError as error:
            raise ValueError(f"{source}: {error.strerror}. Make it readable, or take it out of the corpus") from error
        found.update(field for field in corpus.fields for parts in index.values() if _part(field) in parts)
        yield from [Reference(source, key) for key in index]
    check_found(corpus.provisions, found, corpus.location)


def read(corpus: Corpus, references: Sequence[Reference]) -> Iterator[Raw | Lost]:
    """Read the records referred to, straight from their places in the tars: nothing is ever extracted."""
    for reference in references:
        try:
            yield _read(reference, corpus)
        except OSError as error:
            check_fault(error, Path(reference.source))
            yield Lost(reference, "unreadable", str(error))


def _read(reference: Reference, corpus: Corpus) -> Raw | Lost:
    if reference.member == BROKEN:
        return Lost(reference, "archive", "no tar, or a damaged one: nothing behind that place could be read")
    parts = _index(reference.source, corpus.fields).get(reference.member, {})
    if PICTURE not in parts:
        return Lost(reference, "no_picture", f"no picture's file: {', '.join(parts) or 'a link, or other than a file'}")
    own = (parts[part] for part in (PICTURE, ".json", ".txt") if part in parts)
    if any(length > MAX_BYTES for _, length in own):
        return Lost(reference, "size", f"a member of more than {MAX_BYTES} bytes")
    about = read_json(_bytes(reference.source, parts[".json"])) if ".json" in parts else {}
    captions: list[str | bytes] = find_captions(about, corpus.caption)
    if not captions and ".txt" in parts:
        captions = [_bytes(reference.source, parts[".txt"])]
    provided = {
        provision.family: _carried(reference.source, parts[_part(provision.field)])
        for provision in corpus.provisions
        if _part(provision.field) in parts
    }
    picture = _bytes(reference.source, parts[PICTURE])
    return Raw(reference, picture, captions, {"key": reference.member} | about, provided)


def _carried(source: str, span: Span) -> Cell | Unusable:
    """A condition's bytes."""
    if span[1] > MAX_BYTES:
        return Unusable("size", f"a member of more than {MAX_BYTES} bytes")
    return _bytes(source, span)


def _bytes(source: str, span: Span) -> bytes:
    with open(source, "rb") as file:
        file.seek(span[0])
        return file.read(span[1])


def _part(suffix: str) -> str:
    """What the index calls a member other than the picture."""
    return f".{suffix.lower()}"


@lru_cache(maxsize=4)
def _index(source: str, fields: frozenset[str]) -> Index:
    """Where each record's members lie, those of conditions in `fields` among them."""
    carried = frozenset(map(_part, fields))
    index: Index = {}
    with open(source, "rb") as file:
        try:
            end = _enter(file, index, carried)
        except (tarfile.TarError, EOFError, ValueError, ArithmeticError):  # a hostile header's numbers
            index[BROKEN] = {}
        else:
            file.seek(end)
            tail = file.read(TAIL)
            if not tail or tail.strip(b"\0"):  # a whole tar ends with zeros, and with nothing else
                index[BROKEN] = {}
    return index


def _enter(file: BinaryIO, index: Index, carried: frozenset[str]) -> int:
    """Enter a tar's members in the index; the offset of its end."""
    copies: Counter[str] = Counter()
    size = os.fstat(file.fileno()).st_size
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            if tar.offset <= member.offset:
                raise tarfile.ReadError("a negative size, with which the tar would start anew and never end")
            _enter_member(member, index, copies, carried)
            if tar.offset > size:
                raise tarfile.ReadError("cut short")
        return tar.offset


def _copy(key: str, copies: int) -> str:
    """The key of a record whose name came so often before; the name of no other key has a dot."""
    return f"{key}.{copies + 1}" if copies else key


def _enter_member(member: tarfile.TarInfo, index: Index, copies: Counter[str], carried: frozenset[str]) -> None:
    """Enter one member; its suffix is all that follows the first dot of the name, and a second copy is a new record.

    Args:
        copies: by key, how many records after the first have its name: what comes belongs to the last of them.
    """
    folder, _, name = member.name.rpartition("/")
    stem, dot, suffix = name.partition(".")
    if member.isdir() or not dot or not stem:
        return
    key = storable(f"{folder}/{stem}" if folder else stem)
    part = _part(suffix)
    part = PICTURE if part in SUFFIXES and part not in carried else part
    if part in index.get(_copy(key, copies[key]), {}):
        copies[key] += 1
    parts = index.setdefault(_copy(key, copies[key]), {})
    if member.isfile() and not member.issparse():
        parts[part] = (member.offset_data, member.size)
