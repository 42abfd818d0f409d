"""Which datasets have their hashes made at ingest, so that splits can be drawn by them, and the family's card."""

from upath import UPath

from annotate.corpora.format import Corpus
from annotate.corpus import GENERATED
from annotate.phash import Phash
from annotate.registry import make_card
from manifests.dataset import SETTINGS, Dataset, Duplicates
from manifests.family import create_card
from manifests.splits.hashes import HASHES


def choose_duplicates(asked: str, root: UPath, corpus: Corpus) -> Duplicates:
    """What counts as a duplicate: as the user says, else as the dataset was begun, else near, exact if generated.

    Rooms and circles that a program draws are alike by design, and different all the same.

    Raises:
        ValueError: neither exact nor near, or a dataset that was begun otherwise.
    """
    begun = Dataset.open(root).settings.duplicates if (root / SETTINGS).exists() else None
    if asked not in ("", "exact", "near"):
        raise ValueError(f"--duplicates {asked}: there are exact and near. Choose one of them")
    if begun and asked not in ("", begun):
        raise ValueError(
            f"{root}: begun with --duplicates {begun}, by which its splits are drawn, not {asked}. "
            "Leave it out, or ingest into a new dataset"
        )
    if begun or asked:
        return begun or ("near" if asked == "near" else "exact")
    return "exact" if corpus.format in GENERATED else "near"


def begin_hashes(dataset: Dataset) -> None:
    """Put the family's card into place, if near-duplicates are to be told; shards then have it made beside images/.

    Raises:
        ValueError: it is there, made otherwise.
    """
    if dataset.settings.duplicates == "near":
        create_card(dataset.root, make_card(Phash(), HASHES, made_from={}, resolution=0))
