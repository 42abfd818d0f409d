"""Which rows of its dataset a run was trained on, found again and checked against what the run wrote down."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.families import cards_of
from manifests.index import ROWS, read_index
from manifests.keys import fingerprint, read_keys
from manifests.manifest import Manifest
from manifests.splits.hamming import Hashes
from manifests.splits.hashes import HASHES, is_hash
from manifests.subset import resolve
from manifests.training_set.folder import is_complete, training_set_path
from train.run_folder import load_provenance, manifest_of, refuse_composed

COLUMNS = ["key", "picture", "shard", "row", "width", "height"]


@dataclass(frozen=True)
class Trained:
    """A run's rows among those of its dataset.

    Attributes:
        index: `COLUMNS` of every row of the dataset.
        places: in the index, of the rows that the run was trained on, ascending: [N].
    """

    manifest: Manifest
    dataset: Dataset
    index: pa.Table
    places: NDArray[np.int64]

    def places_of(self, keys: list[str]) -> NDArray[np.int64]:
        """Where the rows of these keys are in the index.

        Raises:
            ValueError: Some are not there.
        """
        found = pc.index_in(pa.array(keys, pa.string()), value_set=self.index["key"].combine_chunks())
        if found.null_count:
            raise ValueError(
                f"{self.dataset.root}: it lacks {found.null_count} of the {len(keys)} samples that were evaluated. "
                "Evaluate the run again"
            )
        return found.to_numpy().astype(np.int64)


def trained_on(run: Path) -> Trained:
    """Find the rows of a run.

    Raises:
        ValueError: No run is there, or its dataset has changed so that its rows can't be found again.
    """
    keys = trained_keys(run)
    manifest = manifest_of(run)
    dataset = Dataset.open(manifest.dataset)
    index = read_index(dataset, ROWS, COLUMNS)
    places = np.flatnonzero(pc.is_in(index["key"], value_set=keys.combine_chunks()).to_numpy())
    return Trained(manifest, dataset, index, places)


def trained_keys(run: Path) -> pa.ChunkedArray:
    """Keys of the rows in draw order: out of the training set if it lies there still, else drawn again.

    Raises:
        ValueError: as `trained_on` does.
    """
    refuse_composed(run, "look for leaks")
    wanted = load_provenance(run).subset_fingerprint
    manifest = manifest_of(run)
    cards = cards_of(manifest, Dataset.open(manifest.dataset))
    path = training_set_path(manifest, cards)
    if is_complete(path):
        keys = pa.chunked_array([batch["key"] for batch in read_keys(path, manifest.rows)], pa.string())
        if fingerprint(cards.lines, keys.chunks) == wanted:
            return keys
    subset = resolve(manifest)
    if subset.fingerprint != wanted:
        raise ValueError(
            f"{run}: it was trained on subset {wanted}, and its manifest now draws {subset.fingerprint}: "
            f"{manifest.dataset} has changed since, and the training set is gone. Train it again"
        )
    return subset.rows["key"]


def index_hashes(dataset: Dataset) -> Hashes | None:
    """Perceptual hashes of every row of the index: [N, K], `NONE` where a row has none; None without such a family.

    Raises:
        ValueError: The family is there and not whole.
    """
    if HASHES not in dataset.families():
        return None
    names = [name for name in dataset.card(HASHES).stats if is_hash(name)]
    table = read_index(dataset, HASHES, names)
    columns = [pc.fill_null(table[name], 0).to_numpy().view(np.uint64) for name in names]
    return np.stack(columns, axis=1)
