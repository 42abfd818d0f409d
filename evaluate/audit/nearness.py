"""Whether near copies of pictures can be told, and ought to be: by hashes of all rows, whichever families are seen."""

from annotate.corpus import GENERATED
from manifests.dataset import Dataset
from manifests.splits.hashes import HASHES


def why_not(dataset: Dataset) -> str:
    """Why near copies can't be sought, or need not; "" if they can."""
    if all(corpus.partition(":")[0] in GENERATED for corpus in dataset.corpora()):
        return "a generated corpus: its pictures are alike by design, and near copies are not sought"
    if dataset.missing(HASHES, dataset.planned()):
        return f"near copies were not sought: {HASHES} was not made of every row"
    return ""
