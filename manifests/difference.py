"""Names the fields in which two records differ."""

from collections.abc import Mapping
from typing import Any


def differences(one: Mapping[str, Any], other: Mapping[str, Any], *, prefix: str = "") -> list[str]:
    """Each field whose values differ, as `section.field: value and other value`; a field that is missing is None."""
    found = []
    for name in sorted(one.keys() | other.keys()):
        here, there = one.get(name), other.get(name)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            found += differences(here, there, prefix=f"{prefix}{name}.")
        elif here != there:
            found.append(f"{prefix}{name}: {here!r} and {there!r}")
    return found
