"""A report in its three forms: a page for people, JSON for programs, Markdown for whatever they write into."""

import json
from pathlib import Path
from typing import Any

from manifests.storage import replace_text


def write_pages(folder: Path, said: dict[str, Any], *, markdown: str, page: str, name: str = "report") -> Path:
    """Write NAME.json, NAME.md and NAME.html, the page last.

    Args:
        said: all numbers, as JSON has them.

    Returns:
        The page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(json.dumps(said, indent=2, sort_keys=True) + "\n", folder / f"{name}.json")
    replace_text(markdown, folder / f"{name}.md")
    replace_text(page, folder / f"{name}.html")
    return folder / f"{name}.html"
