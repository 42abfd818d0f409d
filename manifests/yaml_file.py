"""YAML files that hold a mapping: manifests, studies, recipes."""

from pathlib import Path
from typing import Any

import yaml


def read_mapping(path: Path, *, absent: str, otherwise: str) -> dict[str, Any]:
    """Read the mapping in a file.

    Args:
        absent: what to say where there is no file.
        otherwise: what to say where it holds anything else.

    Raises:
        ValueError: There is none, it is not YAML, or no mapping; names the file.
    """
    if not path.is_file():
        raise ValueError(f"{path}: {absent}")
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not YAML: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"{path}: {otherwise}")
    return fields
