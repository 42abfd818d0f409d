"""The families that a manifest names: what each of them is, and that it is what it is named for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from manifests.condition import WORDS_AND_NUMBERS
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.latents import check_latents
from manifests.manifest import Manifest
from manifests.whole import check_whole

LATENTS = "latents"  # kind of a family of encoded pictures


@dataclass(frozen=True)
class Cards:
    """Cards of the families that a manifest names.

    Attributes:
        words: of the family whose words replace the captions; None: they are the corpus's.
        further: of those shown beside the condition, in the manifest's order.
        latents: of the encoded pictures; None: pictures are encoded while training.
    """

    condition: FamilyCard
    words: FamilyCard | None = None
    further: tuple[FamilyCard, ...] = ()
    latents: FamilyCard | None = None

    @property
    def lines(self) -> list[str]:
        """What a subset's fingerprint begins with: a line for each family."""
        words = [f"words {self.words.fingerprint}"] if self.words else []
        further = [f"further {card.fingerprint}" for card in self.further]
        latents = [f"latents {self.latents.fingerprint}"] if self.latents else []
        return [self.condition.fingerprint, *words, *further, *latents]

    def __iter__(self) -> Iterator[FamilyCard]:
        """All of them, the condition's first."""
        beside = (self.words, *self.further, self.latents)
        yield from (self.condition, *(card for card in beside if card))


def cards_of(manifest: Manifest, dataset: Dataset) -> Cards:
    """Read the cards of the families that a manifest names; neither their shards nor their index.

    Raises:
        ValueError: there is no such family, it is named twice, or it does not hold what it is named for.
    """
    condition = dataset.card(manifest.condition)
    _check_hint(manifest, condition)
    named = manifest.conditions
    twice = next((name for place, name in enumerate(named) if name in named[:place]), None)
    if twice:
        raise ValueError(f"{manifest.dataset}: further_conditions: {twice} is named twice. A sample shows it once")
    further = tuple(dataset.card(name) for name in manifest.further_conditions)
    for card in further:
        _check_hint(manifest, card)
    return Cards(
        condition=condition,
        words=text_card(dataset, manifest.captions) if manifest.captions else None,
        further=further,
        latents=_latents_card(manifest, dataset) if manifest.latents else None,
    )


def text_card(dataset: Dataset, family: str) -> FamilyCard:
    """Card of a family whose words replace the corpus's captions.

    Raises:
        ValueError: it holds no words.
    """
    card = dataset.card(family)
    if card.kind != "text":
        raise ValueError(
            f"{dataset.root}: captions = {family!r} holds conditions of kind '{card.kind}', not words. "
            f"Make some: python pipelines/annotate.py {dataset.root} caption"
        )
    return card


def word_card(dataset: Dataset, family: str, parts: Sequence[int] | None = None) -> FamilyCard:
    """Card of a family whose words replace the corpus's captions.

    Args:
        parts: that are drawn from; None: all.

    Raises:
        ValueError: it holds no words, or not yet those of every row.
    """
    card = text_card(dataset, family)
    check_whole(dataset, family, parts)
    return card


def _check_hint(manifest: Manifest, card: FamilyCard) -> None:
    if card.kind not in WORDS_AND_NUMBERS:
        return
    held, use = "words", f"train on them as captions say `captions: {card.family}`"
    if card.kind == "scores":
        held, use = "numbers", f"choose rows by them say `where: {next(iter(card.stats))} > …`"
    if card.kind == LATENTS:
        held, use = "encoded pictures", f"train on them say `latents: {card.family}`"
    raise ValueError(
        f"{manifest.dataset}: {card.family} holds {held}, of which no hint is drawn. To {use}, and "
        "choose another condition"
    )


def _latents_card(manifest: Manifest, dataset: Dataset) -> FamilyCard:
    """Card of the encoded pictures, if training can use them."""
    card = dataset.card(manifest.latents)
    check_latents(card, base=manifest.base, resolution=manifest.resolution, flip=manifest.train.flip)
    return card
