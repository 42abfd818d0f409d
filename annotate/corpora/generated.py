"""A generated record: a picture, its caption and the exact truth that its renderer knows."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from manifests.condition import Condition, Kind

SIDE = 128  # pixels; every generated picture is square


@dataclass(frozen=True)
class Truth:
    """One exact condition of a generated picture, in the form that `manifests.condition` stores."""

    kind: Kind
    condition: Condition  # as `manifests.condition.encode` takes it


@dataclass(frozen=True)
class Generated:
    """One record of a generated corpus.

    Attributes:
        image: [128, 128, 3] uint8 RGB.
        caption: plain English, comma-separated.
        truth: by family name, e.g. `truth_depth`.
    """

    image: NDArray[np.uint8]
    caption: str
    truth: dict[str, Truth] = field(default_factory=dict)
