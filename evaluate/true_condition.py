"""What a dataset knows to be true beside what an annotator found: the renderer's own edges, or people's labels."""

import numpy as np

from annotate.corpus import AT_INGEST
from manifests.condition import Condition, Kind
from manifests.dataset import Dataset
from manifests.family import FamilyCard


def truth_of(dataset: Dataset, card: FamilyCard) -> str:
    """The family that came with the corpus and holds the truth of these conditions; "" if there is none.

    Args:
        card: of an annotator's family. Classes have a truth only under the same labels, soft edges also a binary one.
    """
    found = [
        family for family in dataset.families() if _fits(dataset.card(family), card) and not dataset.missing(family)
    ]
    return found[0] if found else ""


def as_asked(kind: Kind, truth: Condition) -> Condition:
    """A truth as a condition of this kind: edges [H, W] uint8 in {0, 1} are certain soft edges, in {0, 255}."""
    return truth * np.uint8(255) if kind == "soft" and truth.max(initial=0) <= 1 else truth


def _fits(truth: FamilyCard, card: FamilyCard) -> bool:
    if truth.annotator not in AT_INGEST or truth.labels != card.labels:
        return False
    return truth.kind == card.kind or (card.kind == "soft" and truth.kind == "binary")
