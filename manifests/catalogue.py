"""What is derived from all shards, index and card, brought up to date whatever other jobs do meanwhile."""

from manifests.dataset import Dataset
from manifests.hub import write_dataset_card
from manifests.index import build_index
from manifests.layout import IMAGES


def catalogue(dataset: Dataset) -> dict[str, int]:
    """Build the index and write the card, and again if shards have come or gone: two jobs may end at once.

    Returns:
        Family → number of shards it still lacks; 0 where it was indexed.
    """
    while True:
        seen = _shards(dataset)
        lacking = build_index(dataset)
        write_dataset_card(dataset)
        if _shards(dataset) == seen:
            return lacking


def _shards(dataset: Dataset) -> dict[str, list[str]]:
    return {family: dataset.shards(family) for family in (IMAGES, *dataset.families())}
