"""Tars whose members lead elsewhere, come twice, or don't come at all."""

import gzip
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.annotate.hostile.case import (
    PNG,
    Case,
    Members,
    among,
    archive,
    dropped,
    kept,
    record,
    refused,
    tars,
)

ABSOLUTE = Path(tempfile.gettempdir()).absolute() / "pairmill_escaped"  # a tar that is extracted would write there
BLOCK = 512  # bytes; a tar's unit


def header(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """A member of any kind."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


def claiming(size: int) -> bytes:
    """A tar with a sound record, then a header that claims a size, perhaps a negative one."""
    last = header("1.png")
    last.size = size
    data = archive(record("0"))
    end = data.rindex(record("0")[1][1]) // BLOCK * BLOCK + BLOCK
    return data[:end] + last.tobuf(tarfile.GNU_FORMAT) + bytes(BLOCK * 2)


def sparse() -> tarfile.TarInfo:
    """A member of GNU's old sparse kind: what is stored of it is not what it holds."""
    return header("x.png", tarfile.GNUTYPE_SPARSE)


def spoilt() -> bytes:
    """A tar whose third header is damaged."""
    data = archive([*record("0"), *record("1"), *record("2")])
    place = data.index(b"1.png\0")
    return data[:place] + b"\xff" * 200 + data[place + 200 :]


def pipe(corpus: Path) -> None:
    """A pipe named as a tar."""
    tars(b"")(corpus)
    (corpus / "hostile.tar").unlink()
    os.mkfifo(corpus / "hostile.tar")


def mixed(corpus: Path) -> None:
    """Tars and loose pictures in one folder."""
    tars(archive(record("0")))(corpus)
    (corpus / "loose.png").write_bytes(PNG[1])


def packed(corpus: Path) -> None:
    """Nothing but a compressed tar."""
    (corpus / "hostile.tar.gz").write_bytes(gzip.compress(archive(record("0")), mtime=0))


def bracketed(corpus: Path) -> None:
    """A folder whose name would be a pattern."""
    (corpus / "set [1]").mkdir()
    tars(archive(record("0")))(corpus / "set [1]")


def no_utf8(corpus: Path) -> None:
    """A tar whose own name is not UTF-8."""
    tars(b"")(corpus)
    os.rename(corpus / "hostile.tar", os.fsencode(corpus) + b"/caf\xe9.tar")


WHOLE = archive([*record("0"), *record("1")])
CUT = WHOLE[: WHOLE.rindex(b"1.txt\0")]
PICTURE, TEXT = record("x")
LINKED = dropped("read: no_picture")
MEMBERS: dict[str, tuple[Members, tuple[str, str]]] = {
    "a name that starts with ../": (record("../../escaped"), kept()),
    "an absolute name": (record(str(ABSOLUTE)), kept()),
    "a symbolic link named .png": ([(header("x.png", tarfile.SYMTYPE, "../secret.png"), b""), TEXT], LINKED),
    "a hard link named .png, without a caption": ([(header("x.png", tarfile.LNKTYPE, "0sound.png"), b"")], LINKED),
    "a device named .png": ([(header("x.png", tarfile.CHRTYPE), b""), TEXT], LINKED),
    "a pipe named .png": ([(header("x.png", tarfile.FIFOTYPE), b""), TEXT], LINKED),
    "a folder named x.png": ([(header("x.png", tarfile.DIRTYPE), b"")], ("no record", "")),
    "a sparse member": ([(sparse(), PNG[1]), TEXT], LINKED),
    "a picture and its caption far apart": ([PICTURE, *record("between"), TEXT], ("kept 2", "")),
    "a key that comes twice": ([*record("x"), *record("x", PNG[2])], ("kept 2", "")),
    "a key with two pictures": (
        [*record("x"), ("x.webp", PNG[2])],
        ("kept 1, dropped 1", "caption: missing"),
    ),
    "a caption without a picture": ([TEXT], LINKED),
    "a name with terminal escapes and a line end": (record("x\x1b[2J\ny"), kept()),
    "a name of 5,000 letters": (record("x" * 5_000), kept()),
    "an empty member": ([("x.png", b""), TEXT], dropped("decode: empty")),
}
FILES: dict[str, tuple[Callable[[Path], None], tuple[str, str]]] = {
    "a picture and its caption in two tars": (
        tars(archive([PICTURE]), other=archive([TEXT])),
        ("dropped 2", "caption: missing; read: no_picture"),
    ),
    "a compressed tar named .tar": (tars(gzip.compress(WHOLE, mtime=0)), dropped("read: archive")),
    "a tar without members": (tars(archive([])), ("no record", "")),
    "a tar of no bytes": (tars(b""), dropped("read: archive")),
    "a tar cut short between two members": (tars(CUT), ("kept 1, dropped 2", "caption: missing; read: archive")),
    "a tar with a damaged header in the middle": (tars(spoilt()), ("kept 1, dropped 1", "read: archive")),
    "two tars in one file": (tars(WHOLE + WHOLE), ("kept 2, dropped 1", "read: archive")),
    "a member that claims an exabyte": (tars(claiming(2**60)), ("kept 1, dropped 2", "read: archive; read: size")),
    "a member of negative size": (tars(claiming(-BLOCK * 8)), ("kept 1, dropped 1", "read: archive")),
    "a pipe named .tar": (pipe, refused("CORPUS/hostile.tar … Take it out of the corpus")),
    "a tar whose own name is not UTF-8": (no_utf8, refused(r"CORPUS/caf\xe9.tar' … Rename it")),
    "tars and loose pictures": (mixed, refused("CORPUS … Give CORPUS/**/*.tar, or a folder that holds pictures alone")),
    "nothing but a .tar.gz": (packed, refused("CORPUS … Give a folder, tar or table that holds some")),
}
CASES = [
    *(Case(named, "tar", among(members), becomes) for named, (members, becomes) in MEMBERS.items()),
    *(Case(named, "tar", write, becomes) for named, (write, becomes) in FILES.items()),
    Case("a folder whose name is a pattern", "tar", bracketed, kept(), words="set [1]"),
]
