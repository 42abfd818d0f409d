"""Tables of folders that lie about their pictures, or are none."""

import json
import os
from pathlib import Path

from tests.annotate.hostile.case import CAPTION, Case, dropped, folder, refused

MEND = "CORPUS/metadata.jsonl … Every row needs a file_name and a text; mend the file"
OUTSIDE = "CORPUS/metadata.jsonl … Put the table itself there"


def naming(name: object) -> bytes:
    """A metadata.jsonl with one row, for a picture of this name."""
    return json.dumps({"file_name": name, "text": CAPTION}).encode()


def pipe(corpus: Path) -> None:
    """A folder whose table is a pipe that nobody writes to."""
    folder({})(corpus)
    os.mkfifo(corpus / "metadata.jsonl")


def foreign(corpus: Path) -> None:
    """A folder whose table is a link that leads out."""
    folder({})(corpus)
    (corpus / "metadata.jsonl").symlink_to("../secret.txt")


ROWS = {
    "a row for ../secret.png": (naming("../secret.png"), dropped("read: outside")),
    "a row for an absolute path": (naming("/etc/passwd"), dropped("read: outside")),
    "a row for a/../../secret.png": (naming("a/../../secret.png"), dropped("read: outside")),
    "a row for the folder itself": (naming("."), dropped("read: not_a_file")),
    "a row for a name with a NUL": (naming("x\0.png"), dropped("read: missing")),
    "a row for a name of 5,000 letters": (naming("x" * 5_000), dropped("read: unreadable")),
    "a row for a picture that isn't there": (naming("gone.png"), dropped("read: missing")),
    "a row for the table itself": (naming("metadata.jsonl"), dropped("decode: not_an_image")),
    "a row whose file_name is a number": (naming(7), refused(MEND)),
    "a line cut short": (b'{"file_name": "0sound.png", "te', refused(MEND)),
    "a line of 100,000 nested lists": (b"[" * 100_000, refused(MEND)),
}
CASES = [
    *(
        Case(named, "folder, metadata.jsonl", folder({"metadata.jsonl": table}), becomes)
        for named, (table, becomes) in ROWS.items()
    ),
    Case("a table that is a pipe", "folder, metadata.jsonl", pipe, refused(OUTSIDE)),
    Case("a table that is a link out of the folder", "folder, metadata.jsonl", foreign, refused(OUTSIDE)),
]
