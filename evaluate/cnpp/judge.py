"""How ControlNet++ judges one kind of condition: who finds it in a picture, what is asked for, how both are compared.

Sources are named by file and line of github.com/liming-ai/ControlNet_Plus_Plus at commit 9ffe264.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evaluate.measures.measure import Measure, Score

Pictures = NDArray[np.uint8]  # [B, H, W, 3] RGB
Map = NDArray[Any]  # [H, W]; of what type and range, its judge says


@dataclass(frozen=True)
class Judge:
    """One kind of condition, networks loaded.

    Attributes:
        find: the condition in each of some pictures.
        ask: what is asked of each picture, from its hint as a picture and from what was found in its real picture.
        score: of what was asked and what was found.
    """

    find: Callable[[Pictures], Sequence[Map]]
    ask: Callable[[Pictures, Sequence[Map]], Sequence[Map]]
    score: Callable[[Map, Map], Score]


@dataclass(frozen=True)
class Rules:
    """One kind of condition, nothing loaded.

    Attributes:
        factor: by which values are multiplied where they are published.
        weights: that the judge loads, by the names that `annotate.weights` finds.
        packages: whose arithmetic decides the numbers.
    """

    measure: Measure
    factor: float
    weights: tuple[str, ...]
    packages: tuple[str, ...]
    load: Callable[[torch.device], Judge]


def as_in_real(hints: Pictures, real: Sequence[Map]) -> Sequence[Map]:
    """What is asked for is what the judge finds in the real picture: there the hint is made by the judge itself."""
    return real
