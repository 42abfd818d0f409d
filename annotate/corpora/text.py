"""Text of a corpus as a dataset may hold it: UTF-8, and nothing in it that no reader sees."""

import unicodedata

DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # Unicode's Bidi_Control
NOTHINGS = "\u200b\u2060\ufeff"  # zero-width spaces; not U+200C and U+200D, of which Persian words and emoji are made
CONTROLS = [chr(code) for code in range(0xA0) if unicodedata.category(chr(code)) == "Cc" and not chr(code).isspace()]
UNSEEN = dict.fromkeys(map(ord, [*CONTROLS, *DIRECTIONS, *NOTHINGS]))


def visible(text: str) -> str:
    """Text without control characters, which give orders to terminals, and without those that turn or hide text.

    White space stays, line ends among it; HTML is text as any other, and whoever makes a page escapes it.
    """
    return text.translate(UNSEEN)


def storable(text: str) -> str:
    """Text as UTF-8 can hold it: lone surrogates, from JSON or from a file's name, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
