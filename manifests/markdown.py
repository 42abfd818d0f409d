"""Text from anywhere in a card of Markdown: escaped, on one line, and of bounded length."""

from collections.abc import Iterable, Mapping, Sequence

import yaml

LONGEST = 200  # characters of one text
ESCAPES = {"&": "&amp;", "<": "&lt;", **{letter: f"\\{letter}" for letter in "\\`*_[]!#|~"}}


def plain(text: str) -> str:
    """Somebody else's text: nothing in it is taken for Markdown, and no more of it is shown than fits."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    shown = shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
    return "".join(ESCAPES.get(letter, letter) for letter in shown)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table; cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(str(text) for text in line) + " |" for line in lines]


def page(header: Mapping[str, object], lines: Sequence[str]) -> str:
    """A card: YAML that the Hub and `datasets` read, then what people read."""
    front = yaml.safe_dump(dict(header), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n" + "\n".join(lines) + "\n"


def size_category(rows: int) -> str:
    """The Hub's word for so many rows."""
    names = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "n>1B")
    return names[min(max(len(str(rows)) - 3, 0), len(names) - 1)]
