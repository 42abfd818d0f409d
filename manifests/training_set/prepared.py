"""A training set that is there for a manifest, found without reading the index, whatever its size."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from manifests.account import Account
from manifests.dataset import Dataset
from manifests.families import Cards, cards_of
from manifests.family import FamilyCard
from manifests.keys import fingerprint, read_keys
from manifests.manifest import Manifest
from manifests.state import state_of
from manifests.training_set.drawn import recorded_draw
from manifests.training_set.folder import is_complete, training_set_path


@dataclass(frozen=True)
class Prepared:
    """A training set whose first rows are a manifest's subset.

    Attributes:
        path: of the training set.
        found: how many rows fulfilled the conditions, of which the subset's are the first.
        account: why every other row of the dataset was not drawn.
        fingerprint: of the subset.
    """

    path: Path
    cards: Cards
    found: int
    account: Account
    fingerprint: str

    @property
    def card(self) -> FamilyCard:
        """Of the condition."""
        return self.cards.condition


def prepared(manifest: Manifest) -> Prepared | None:
    """The training set of a manifest, if it is there and the dataset is as it was when it was drawn.

    Raises:
        ValueError: No such dataset or family, or a family that does not hold what it is named for.
    """
    dataset = Dataset.open(manifest.dataset)
    cards = cards_of(manifest, dataset)
    path = training_set_path(manifest, cards)
    if not is_complete(path):
        return None
    drawn = recorded_draw(path)
    if drawn.rows < manifest.rows:
        return None
    if drawn.state != state_of(dataset, (card.family for card in cards), manifest.where):
        return None
    wordless = sum(pc.sum(batch["wordless"]).as_py() for batch in read_keys(path, manifest.rows)) if cards.words else 0
    return Prepared(
        path=path,
        cards=cards,
        found=drawn.found,
        account=drawn.first(manifest.rows, wordless=wordless),
        fingerprint=fingerprint(cards.lines, (batch["key"] for batch in read_keys(path, manifest.rows))),
    )
