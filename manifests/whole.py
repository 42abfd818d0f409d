"""Whether a family has said something of every row of its dataset: if not, nobody draws from it."""

from manifests.dataset import Dataset
from manifests.index import ROWS, index_path, index_schema
from manifests.storage import read_metadata


def check_whole(dataset: Dataset, family: str) -> None:
    """Ask the footers of the index.

    Raises:
        ValueError: The family does not cover all rows; says how to finish it.
    """
    rows, covered = (_indexed(dataset, name) for name in (ROWS, family))
    if covered != rows:
        raise ValueError(
            f"{dataset.root}: {family} covers {covered} of {rows} rows. "
            f"Finish it: {dataset.card(family).command(dataset.root)}"
        )


def _indexed(dataset: Dataset, name: str) -> int:
    index_schema(dataset, name)
    return read_metadata(index_path(dataset, name)).num_rows
