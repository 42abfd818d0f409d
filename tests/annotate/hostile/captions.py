"""Captions that would give orders, hide, break lines, or are no text."""

import json

from tests.annotate.hostile.case import CAPTION, PNG, Case, dropped, folder, kept

COCO = [f"caption {number} of five" for number in range(5)]


def quoted(*captions: str) -> tuple[str, str]:
    """Kept, with captions as the table quotes them."""
    return kept(" | ".join(ascii(caption)[1:-1] for caption in captions))


TEXTS = {
    "HTML with a script": (b'<script>alert("x")</script>', quoted('<script>alert("x")</script>')),
    "an image tag that runs a script": (b"<img src=x onerror=alert(1)>", quoted("<img src=x onerror=alert(1)>")),
    "NUL, backspaces and terminal escapes": (
        b"a \x1b[2J\x1b]0;x\x07red\x00 \x08\x08circle",
        quoted("a [2J]0;xred circle"),
    ),
    "DEL and C1 controls": ("a \x7fred\x9b31m circle".encode(), quoted("a red31m circle")),
    "text turned round by bidi overrides": ("a \u202eelcric\u202c \u2066red\u2069".encode(), quoted("a elcric red")),
    "zero-width spaces between letters": ("ci\u200brc\u2060le\ufeff".encode(), quoted("circle")),
    "nothing but zero-width spaces": ("\u200b\u200b\ufeff".encode(), dropped("caption: missing")),
    "emoji of several code points": ("\U0001f469\u200d\U0001f680".encode(), quoted("\U0001f469\u200d\U0001f680")),
    "a spreadsheet formula": (b'=cmd|"/C calc"!A0', quoted('=cmd|"/C calc"!A0')),
    "a template's orders": (b"{{ 7 * 7 }} ${HOME} %s", quoted("{{ 7 * 7 }} ${HOME} %s")),
    "line ends of every kind": ("a\r\nred\x0b\x85circle\u2028 here\u2029".encode(), quoted("a red circle here")),
    "only white space": (" \n\t\u3000".encode(), dropped("caption: missing")),
    "Latin-1": ("grüner Kreis".encode("latin-1"), dropped("caption: not_utf8")),
    "UTF-16 with a byte order mark": ("a circle".encode("utf-16"), dropped("caption: not_utf8")),
    "UTF-8 with a byte order mark": ("a red circle".encode("utf-8-sig"), quoted("a red circle")),
    "a megabyte": (b"circle " * 150_000, dropped("caption: too_long")),
}
VALUES = {
    "five captions in a list, as of COCO": (COCO, quoted(*COCO)),
    "a list in a list": ([["a circle"]], dropped("caption: missing")),
    "an empty list": ([], dropped("caption: missing")),
    "null, NaN, true and an object in a list": ([None, float("nan"), True, {"raw": "x"}], dropped("caption: missing")),
    "a number": (7, dropped("caption: missing")),
    "half a surrogate pair": ("a \ud83d circle", dropped("caption: not_utf8")),
}
SIDECARS = {
    "a .json of 100,000 nested lists": (b'{"caption": ' + b"[" * 100_000, dropped("caption: missing")),
    "a .json with a number of 10,000 digits": (b'{"id": 1' + b"0" * 10_000 + b"}", dropped("caption: missing")),
    "a .json with NaN and infinite scores": (
        b'{"caption": "a circle", "similarity": NaN, "aesthetic": Infinity, "watermark": 1e999}',
        kept(),
    ),
    "a .json that is a list": (b'["a circle"]', dropped("caption: missing")),
}


def table(*rows: object) -> bytes:
    """A metadata.jsonl."""
    return "\n".join(map(json.dumps, rows)).encode()


CASES = [
    *(
        Case(named, "folder, .txt", folder({"x.png": PNG[1], "x.txt": text}), then)
        for named, (text, then) in TEXTS.items()
    ),
    Case("none", "folder", folder({"x.png": PNG[1]}), dropped("caption: missing")),
    *(
        Case(
            named,
            "folder, metadata.jsonl",
            folder({"x.png": PNG[1], "metadata.jsonl": table({"file_name": "x.png", "text": value})}),
            then,
        )
        for named, (value, then) in VALUES.items()
    ),
    Case(
        "five rows for one picture, as of COCO",
        "folder, metadata.jsonl",
        folder({"x.png": PNG[1], "metadata.jsonl": table(*({"file_name": "x.png", "text": text} for text in COCO))}),
        quoted(*COCO),
    ),
    Case(
        "the same row twice",
        "folder, metadata.jsonl",
        folder({"x.png": PNG[1], "metadata.jsonl": table(*[{"file_name": "x.png", "text": CAPTION}] * 2)}),
        quoted(CAPTION, CAPTION),
    ),
    *(
        Case(named, "folder, .json", folder({"x.png": PNG[1], "x.json": text}), then)
        for named, (text, then) in SIDECARS.items()
    ),
]
