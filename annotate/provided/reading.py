"""What was read of a provided condition, before it becomes a family's row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from annotate.image import Picture
from manifests.condition import Condition

Cell: TypeAlias = Any  # as the corpus has it: bytes of a file, or the lists and numbers of a table's cell


@dataclass(frozen=True)
class Reading:
    """One condition, upright and of its picture's shape.

    Attributes:
        condition: as `manifests.condition.encode` takes it.
        holes: share of its pixels that the corpus has no value for, from 0 to 1; they are filled.
    """

    condition: Condition
    holes: float = 0.0


Read = Callable[[Cell, Picture], Reading]  # raises Unusable
