"""What a dataset's duplicates are: clusters by size, what a draw leaves out for them, and where they cross splits."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.index import ROWS, indexed_shards, read_index
from manifests.splits.clusters import as_numbers
from manifests.splits.hashes import HASHES, read_hashes
from manifests.splits.joining import EXCLUDED
from manifests.splits.leaks import Leak, leaks
from manifests.splits.near import Capped, cluster

BOUNDS = (1, 2, 3, 4, 10, 100, 1_000)  # least size of each class of clusters


@dataclass(frozen=True)
class Survey:
    """Duplicates of a dataset.

    Attributes:
        rows: of the index, none that was taken down.
        labels: of the rows, [N], equal in a cluster.
        basis: what makes a cluster, in words.
        capped: chains too long to be one picture; rows are positions in `rows`.
        leaks: held-out rows near to others; None where there are no hashes to tell by.
    """

    rows: pa.Table
    labels: NDArray[np.uint64]
    basis: str
    capped: list[Capped]
    leaks: list[Leak] | None

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each cluster: [C]."""
        return np.unique(self.labels, return_counts=True)[1]

    @property
    def by_size(self) -> list[tuple[str, int, int]]:
        """Sizes in words, clusters of such, and rows in them; classes without any are left out."""
        found = []
        for least, above in zip(BOUNDS, (*BOUNDS[1:], 1 << 62), strict=True):
            of = self.sizes[(self.sizes >= least) & (self.sizes < above)]
            words = f"{least:,}" if above == least + 1 else f"{least:,} and more" if above > 1 << 61 else ""
            if len(of):
                found.append((words or f"{least:,} to {above - 1:,}", len(of), int(of.sum())))
        return found

    @property
    def excluded(self) -> int:
        """Rows that touch two splits, and so are in none."""
        return int(pc.sum(pc.equal(self.rows["split"], EXCLUDED)).as_py() or 0)

    @property
    def not_drawn(self) -> int:
        """Rows of train that no draw takes, for another row of their cluster, of those drawn by, stands for them."""
        drawn = as_numbers(self.rows["cluster"])[pc.equal(self.rows["split"], "train").to_numpy()]
        return len(drawn) - len(np.unique(drawn))

    @property
    def leaked(self) -> int | None:
        """Held-out rows that are near to one of train; None where there are no hashes to tell by."""
        return None if self.leaks is None else sum(leak.rows for leak in self.leaks if leak.near_to == "train")


def survey(dataset: Dataset) -> Survey:
    """Look at all rows: by the clusters that splits were drawn by, else by hashes if there are some.

    Raises:
        ValueError: the dataset is not indexed, or its hashes are half made.
    """
    rows = read_index(dataset, ROWS)
    near = dataset.settings.duplicates == "near"
    shown = np.flatnonzero(~rows["removed"].to_numpy())
    kept = rows.take(pa.array(shown))
    frozen = as_numbers(kept["cluster"])
    if not near and HASHES not in dataset.families():
        todo = f"near ones: python pipelines/annotate.py {dataset.root} {HASHES}"
        return Survey(kept, frozen, f"equal files ({todo})", [], None)
    hashes = read_hashes(dataset, indexed_shards(dataset))[shown]
    made = cluster(hashes, as_numbers(kept["picture"]))
    if near:
        return Survey(kept, frozen, "near pictures, as splits were drawn by them", made.capped, leaks(dataset))
    labels = made.labels.astype(np.uint64)
    basis = "near pictures; splits and draws of this dataset go by equal files"
    return Survey(kept, labels, basis, made.capped, leaks(dataset))
