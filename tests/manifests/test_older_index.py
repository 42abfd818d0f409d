"""An index of an older version is refused by whatever reads it, with the command that builds it again."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from evaluate.audit.audit import Plan, audit
from evaluate.browse.held import hold
from evaluate.duplicates.duplicates import survey
from evaluate.selection import select_rows
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, index_path
from manifests.splits.leaks import leaks
from manifests.subset import candidates

READERS: dict[str, Callable[[Dataset], object]] = {
    "audit": lambda dataset: audit(dataset, Plan(), torch.device("cpu")),
    "browse": hold,
    "duplicates": survey,
    "leaks": leaks,
    "sheet": select_rows,
    "subset": lambda dataset: candidates(dataset, "canny", "train"),
}


@pytest.fixture(scope="module")
def rooms(made: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return made(tmp_path_factory.mktemp("older") / "rooms", range(60))


@pytest.mark.parametrize("lacking", [["caption_repeats"], ["picture", "cluster_size", "caption_repeats"]])
@pytest.mark.parametrize("reader", READERS)
def test_an_index_without_newer_columns_is_to_be_built_again(rooms: Dataset, reader: str, lacking: list[str]) -> None:
    build_index(rooms)
    path = Path(index_path(rooms, ROWS))
    pq.write_table(pq.read_table(path).drop_columns(lacking), path)
    with pytest.raises(ValueError, match=rf"older version\. Build it again: python pipelines/index\.py {rooms.root}"):
        READERS[reader](rooms)
