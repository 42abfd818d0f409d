"""Folders whose files have wild names, are links, or are no files."""

import os
from collections.abc import Callable
from pathlib import Path

from annotate.corpora.files import MAX_BYTES
from tests.annotate.hostile.case import CAPTION, PNG, Case, dropped, folder, kept

TEXT = CAPTION.encode()
NAMES = {
    "emoji and Chinese": "\U0001f469\u200d\U0001f680 圆",
    "spaces, quotes, and shell orders": " '\"$(reboot);`rm -rf *`",
    "a leading dash": "-rf",
    "a line end and a terminal escape": "a\n\x1b[2Jb",
    "bidi overrides": "gpj\u202e.gnp",
    "250 letters": "x" * 250,
    "percent signs and a hash": "%2e%2e%2f#x",
    "backslashes": "a\\..\\..\\x",
}


def beside(write: Callable[[Path], None]) -> Callable[[Path], None]:
    """A sound folder to which `write` adds."""

    def both(corpus: Path) -> None:
        folder({})(corpus)
        write(corpus)

    return both


def linked(name: str, target: str, **more: bytes) -> Callable[[Path], None]:
    """A sound folder with a link."""

    def write(corpus: Path) -> None:
        folder({f"x.{suffix}": data for suffix, data in more.items()})(corpus)
        (corpus / name).symlink_to(target)

    return write


def huge(name: str, **more: bytes) -> Callable[[Path], None]:
    """A sound folder with a file that is longer than it may be, and all holes."""

    def write(corpus: Path) -> None:
        folder({f"x.{suffix}": data for suffix, data in more.items()})(corpus)
        (corpus / name).touch()
        os.truncate(corpus / name, MAX_BYTES * 4_096)

    return write


def twins(corpus: Path) -> None:
    """Names that differ in case alone."""
    folder({"x.png": PNG[1], "X.png": PNG[2], "x.txt": TEXT, "X.txt": TEXT})(corpus)


def forms(corpus: Path) -> None:
    """A name in Unicode's composed form, and its caption's in the decomposed one."""
    folder({"\u00e9.png": PNG[1], "e\u0301.txt": TEXT})(corpus)


def bytes_name(corpus: Path) -> None:
    """A name that is not UTF-8."""
    (corpus / os.fsdecode(b"caf\xe9.png")).write_bytes(PNG[1])


def pipe(corpus: Path) -> None:
    """A pipe that nobody writes to, with a caption."""
    os.mkfifo(corpus / "x.jpg")
    (corpus / "x.txt").write_bytes(TEXT)


def text_pipe(corpus: Path) -> None:
    """A picture whose caption is a pipe."""
    (corpus / "x.png").write_bytes(PNG[1])
    os.mkfifo(corpus / "x.txt")


CASES = [
    *(
        Case(f"a name with {named}", "folder", folder({f"{name}.png": PNG[1], f"{name}.txt": TEXT}), kept())
        for named, name in NAMES.items()
    ),
    Case("names that differ in case alone", "folder", twins, ("kept 2", "")),
    Case("a caption's name in another Unicode form", "folder", forms, dropped("caption: missing")),
    Case("a name that is not UTF-8", "folder", beside(bytes_name), dropped("read: missing")),
    Case(
        "a folder named x.jpg, with a picture in it",
        "folder",
        folder({"x.jpg/y.png": PNG[1], "x.jpg/y.txt": TEXT}),
        kept(),
    ),
    Case("a pipe named x.jpg", "folder", beside(pipe), dropped("read: not_a_file")),
    Case("a caption that is a pipe", "folder", beside(text_pipe), dropped("caption: missing")),
    Case(
        "a link to a picture elsewhere, as link farms and caches have them",
        "folder",
        linked("x.png", "../elsewhere.png", txt=TEXT),
        kept(),
    ),
    Case(
        "a picture's link to a text elsewhere",
        "folder",
        linked("x.png", "../secret.txt", txt=TEXT),
        dropped("decode: not_an_image"),
    ),
    Case(
        "a caption's link to a text elsewhere",
        "folder",
        linked("x.txt", "../secret.txt", png=PNG[1]),
        dropped("read: outside"),
    ),
    Case(
        "a .json's link to one elsewhere",
        "folder",
        linked("x.json", "../secret.json", png=PNG[1]),
        dropped("read: outside"),
    ),
    Case(
        "a link to a device without end", "folder", linked("x.png", "/dev/zero", txt=TEXT), dropped("read: not_a_file")
    ),
    Case("a link to nowhere", "folder", linked("x.png", "gone.png", txt=TEXT), dropped("read: missing")),
    Case("a link to itself", "folder", linked("x.png", "x.png", txt=TEXT), dropped("read: unreadable")),
    Case("a link to the folder it is in", "folder", linked("round", "."), ("no record", "")),
    Case("a link to a folder elsewhere", "folder", linked("x", ".."), ("no record", "")),
    Case("a picture of a terabyte, all holes", "folder", huge("x.png", txt=TEXT), dropped("read: size")),
    Case("a caption of a terabyte, all holes", "folder", huge("x.txt", png=PNG[1]), dropped("read: size")),
    Case("a picture that starts with a dot", "folder", folder({".x.png": PNG[1], ".x.txt": TEXT}), ("no record", "")),
]
