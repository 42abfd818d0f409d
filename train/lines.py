"""Lines of JSON that a run writes while it goes on, and that may be read at any moment."""

import json
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read them, without a last one that is being written, or was when the run was killed; none where there is no file.

    Raises:
        JSONDecodeError: another one is broken.
    """
    texts = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    lines = []
    for number, text in enumerate(texts):
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            if number < len(texts) - 1:
                raise
    return lines
