"""A table of a Markdown file that a benchmark writes, one for each machine; lines it did not measure stay."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

Line = Sequence[str]


def update(path: Path, *, name: str, title: str, head: Line, lines: Mapping[str, Line]) -> None:
    """Write lines into the table `name`, replacing those of the same first column.

    Args:
        path: of the Markdown file; the table goes to its end if it is not in it.
        title: what stands above the table.
        head: titles of the columns; that of the first too.
        lines: by their first column, what stands in the others.
    """
    text = path.read_text() if path.exists() else ""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    found = re.search(f"{re.escape(begin)}(.*?){re.escape(end)}", text, re.DOTALL)
    merged = (_read(found[1]) if found else {}) | {first: list(line) for first, line in lines.items()}
    rows = [head, ["---"] * len(head), *([first, *line] for first, line in merged.items())]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    block = f"{begin}{title}\n\n{table}{end}"
    whole = text[: found.start()] + block + text[found.end() :] if found else f"{text.rstrip()}\n\n{block}".lstrip()
    path.write_text(whole)


def _read(block: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in block.splitlines() if "|" in line]
    return {row[0]: row[1:] for row in rows[2:]}
