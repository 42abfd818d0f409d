"""Small corpora as users have them, ingested without a cluster by the code that a worker runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotate.corpora import fill50k
from annotate.corpus import find_corpus
from annotate.image import encode_generated
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from manifests.dataset import Dataset
from manifests.layout import DROPPED, IMAGES, SOURCE

PNG = [encode_generated(fill50k.record(0, row).image) for row in range(8)]


@pytest.fixture
def png() -> list[bytes]:
    """Eight different pictures, 128 pixels square."""
    return PNG


@pytest.fixture
def ingest(tmp_path: Path) -> Callable[..., Dataset]:
    """Ingest a corpus given in a user's words; options as fields of `Corpus`."""

    def run(words: Path | str, **options: Any) -> Dataset:
        dataset = make_plan(tmp_path / "dataset", replace(find_corpus(str(words)), **options))
        for name in dataset.missing(IMAGES):
            ingest_shard(dataset, name, threads=1, done=lambda _: None)
        return dataset

    return run


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    """Rows of a family of a dataset; those of images/ have the columns of source/ too."""

    def read(dataset: Dataset, family: str = IMAGES) -> list[dict[str, Any]]:
        found = [row for name in dataset.shards(family) for row in dataset.read(family, name).to_pylist()]
        if family == IMAGES:
            sources = read(dataset, SOURCE)
            assert [row["key"] for row in sources] == [row["key"] for row in found]
            return [source | row for source, row in zip(sources, found, strict=True)]
        return found

    return read


@pytest.fixture
def dropped(rows: Callable[..., list[dict[str, Any]]]) -> Callable[[Dataset], dict[str, str]]:
    """Stage and reason of every dropped record, by its place in the corpus."""
    return lambda dataset: {row["member"]: f"{row['stage']}: {row['reason']}" for row in rows(dataset, DROPPED)}
