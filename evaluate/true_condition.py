"""What a dataset knows to be true beside what an annotator found: the renderer's own edges, or people's labels."""

import numpy as np

from annotate.corpus import AT_INGEST, GENERATED
from manifests.condition import Condition, Kind
from manifests.dataset import Dataset
from manifests.family import FamilyCard

EDGES = ("canny", "hed", "softedge", "scribble")  # annotators, whose truth are the lines where things end


def truth_of(dataset: Dataset, card: FamilyCard) -> str:
    """The family that came with the corpus and holds the truth of these conditions; "" if there is none.

    Args:
        card: of an annotator's family. Classes have a truth only under the same labels, edges only the renderer's.
    """
    found = [
        family for family in dataset.families() if _fits(dataset.card(family), card) and not dataset.missing(family)
    ]
    return found[0] if found else ""


def as_asked(kind: Kind, truth: Condition, *, of: Kind) -> Condition:
    """A truth of kind `of` as a condition of this kind: edges [H, W] uint8 in {0, 1} become soft ones in {0, 255}."""
    return truth * np.uint8(255) if (kind, of) == ("soft", "binary") else truth


def _fits(truth: FamilyCard, card: FamilyCard) -> bool:
    if truth.annotator not in AT_INGEST or truth.labels != card.labels:
        return False
    if truth.kind == "binary":  # which may be a mask, but of a renderer
        return truth.annotator in GENERATED and card.annotator in EDGES and card.kind in ("binary", "soft")
    return truth.kind == card.kind
