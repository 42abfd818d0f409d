"""Makes conditions of sampled rows again, with the annotator of their family or with one that stands in for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from annotate.annotator import STORED, Annotator, Parameters
from annotate.chain import Link, assemble, bind_links, follow, path_to
from annotate.corpus import AT_INGEST
from annotate.image import fit
from annotate.registry import from_card
from annotate.stored import Stored
from annotate.weights import offline
from evaluate.reannotate import load_reannotator
from manifests.condition import Condition, as_stored
from manifests.dataset import Dataset
from manifests.family import FamilyCard, Profile
from manifests.geometry import resize


@dataclass(frozen=True)
class Again:
    """An annotator ready to make conditions of a family again.

    Attributes:
        is_own: whether it is the very one that the family's card names; else it stands in for the corpus's own labels.
    """

    card: FamilyCard
    links: tuple[Link, ...]
    is_own: bool = True

    @property
    def annotator(self) -> Annotator:
        """The one whose conditions are compared."""
        return self.links[-1].annotator

    def __call__(self, row: Stored, key: str, parameters: Parameters | None) -> Condition:
        """The condition of one row, as it would come back from its shard; with the parameters that the row has.

        Raises:
            ValueError: the picture does not decode.
        """
        drawn = [parameters or {}] if self.is_own else None
        if self.annotator.reads == STORED:
            (made,) = self.links[-1].annotate([row], drawn or [{}])
            return made
        size: tuple[int, Profile] = (self.card.resolution, self.card.profile) if self.is_own else (0, "exact")
        picture = fit(row.image, *size)
        (made,) = follow(self.links, picture[None], [key], drawn)
        return as_stored(self.annotator.kind, made)


@dataclass(frozen=True)
class StandIns:
    """Annotators that a user names for families that came with the corpus, in words as `annotate.task` reads them."""

    words: Sequence[str] = ()
    settings: Sequence[str] = ()

    def annotators(self) -> dict[str, Annotator]:
        """By family, and those that they read.

        Raises:
            ValueError: a name or setting that doesn't exist.
        """
        return assemble(self.words, self.settings)


def load_again(
    dataset: Dataset, card: FamilyCard, stand_ins: Mapping[str, Annotator], device: torch.device
) -> Again | str:
    """Load what makes a family again, or say why nothing can. Nothing is fetched.

    Raises:
        ValueError: a stand-in for it makes conditions of another kind.
    """
    if card.family in stand_ins:
        made = stand_ins[card.family].kind
        if made != card.kind:
            raise ValueError(
                f"--stand-in {card.family}={stand_ins[card.family].name}: makes {made}, but {card.family} holds "
                f"{card.kind}. Choose another one"
            )
        with offline():
            return Again(card, tuple(bind_links(stand_ins, path_to(stand_ins, card.family), device)), is_own=False)
    if card.annotator in AT_INGEST:
        return (
            f"it came with the corpus, and no annotator makes it again. Name one to compare it with: "
            f"--stand-in {card.family}=ANNOTATOR"
        )
    try:
        with offline():
            return _own(dataset, card, device)
    except (ValueError, OSError) as error:  # weights that are missing or other ones: a fact about this machine
        return f"its annotator can't run here: {str(error).splitlines()[0].split('. ')[0]}"


def _own(dataset: Dataset, card: FamilyCard, device: torch.device) -> Again:
    annotator = from_card(card)
    if annotator.reads == STORED:
        return Again(card, (Link(card.family, annotator, annotator.load(device)),))
    return Again(card, load_reannotator(dataset, card.family, fingerprint=card.fingerprint, device=device).links)


def fitted(card: FamilyCard, again: Condition, stored: Condition) -> Condition:
    """A condition made again, brought to the size of the stored one; they differ only where a stand-in made it."""
    if card.kind in ("text", "scores", "latents"):
        return again
    return resize(card.kind, again, _size(stored))


def _size(condition: Any) -> tuple[int, int]:
    height, width = np.shape(condition)[:2] if isinstance(condition, np.ndarray) else condition.shape[:2]
    return int(height), int(width)
