"""Annotates drawn pictures with the very annotator that made the training conditions, or refuses to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.annotator import IMAGE, Annotator, Parameters
from annotate.chain import Link, follow
from annotate.registry import from_card
from manifests.condition import Condition
from manifests.dataset import Dataset
from manifests.family import FamilyCard


@dataclass(frozen=True)
class Reannotator:
    """The annotator of a family, behind those whose conditions it reads (scribble reads hed).

    Attributes:
        card: of the family whose conditions are made.
    """

    card: FamilyCard
    links: tuple[Link, ...]

    @property
    def annotator(self) -> Annotator:
        """The one that makes the family."""
        return self.links[-1].annotator

    def __call__(
        self, pictures: NDArray[np.uint8], keys: Sequence[str], parameters: Sequence[Parameters]
    ) -> list[Condition]:
        """Annotate pictures as they are, at the scale of the conditions they were drawn from.

        Args:
            pictures: [B, H, W, 3] uint8 RGB.
            keys: of the rows whose conditions were asked for; what is drawn by key upstream is drawn alike.
            parameters: those of the rows, so that both are measured alike.

        Returns:
            B conditions, as `manifests.condition.encode` takes them.
        """
        return follow(self.links, pictures, keys, parameters)


def check_family(dataset: Dataset, family: str, *, fingerprint: str) -> FamilyCard:
    """Refuse a family that is not the one a checkpoint was trained on.

    Args:
        family: of the condition.
        fingerprint: the one in the run's provenance.
    """
    card = dataset.card(family)
    if card.fingerprint != fingerprint:
        raise ValueError(
            f"{dataset.root}: family '{family}' has fingerprint {card.fingerprint}, but the run was trained on "
            f"{fingerprint}. Evaluate it on the dataset it was trained from, or annotate '{family}' again with the "
            "settings of that time"
        )
    return card


def load_reannotator(dataset: Dataset, family: str, *, fingerprint: str, device: torch.device) -> Reannotator:
    """Load the annotator of a family, and of the families it was made from.

    Args:
        family: of the condition.
        fingerprint: the family must have it.
        device: for learned annotators.
    """
    card = check_family(dataset, family, fingerprint=fingerprint)
    annotator = from_card(card)
    upstream = _upstream(dataset, card, device) if annotator.reads != IMAGE else ()
    return Reannotator(card, (*upstream, Link(card.family, annotator, annotator.load(device))))


def _upstream(dataset: Dataset, card: FamilyCard, device: torch.device) -> tuple[Link, ...]:
    if len(card.made_from) != 1:
        raise ValueError(
            f"{dataset.root}: family '{card.family}' names no single family it was made from. Make it again"
        )
    ((source, fingerprint),) = card.made_from.items()
    return load_reannotator(dataset, source, fingerprint=fingerprint, device=device).links
