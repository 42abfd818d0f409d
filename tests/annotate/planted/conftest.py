"""A playroom without faults, drawn once, and faults planted into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.corpus import find_corpus
from annotate.planted.clean import Clean, read_clean
from annotate.planted.faults import Planting, draw
from annotate.planted.write import Faulty, write_planted
from manifests.dataset import Settings

Plant = Callable[..., Path]


def plant(clean: Clean, out: Path, duplicates: str = "exact", **asked: float) -> Path:
    settings, planting = Settings(duplicates=duplicates), Planting(**asked)
    write_planted(Faulty(clean, planting, draw(clean, planting, settings), settings), out)
    return out


@pytest.fixture(scope="session")
def playroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """playroom:200 as Parquet, into which nothing was planted."""
    clean = read_clean(find_corpus("playroom:200"), near=False, seed=0)
    return plant(clean, tmp_path_factory.mktemp("planted") / "clean")


@pytest.fixture(scope="session")
def cleans(playroom: Path) -> dict[str, Clean]:
    """Its rows, by what counts as a duplicate."""
    corpus = find_corpus(str(playroom))
    return {"exact": read_clean(corpus, near=False, seed=0), "near": read_clean(corpus, near=True, seed=0)}


@pytest.fixture
def planted(cleans: dict[str, Clean], tmp_path: Path) -> Plant:
    """Plant into the playroom of 200 rows; options as `duplicates` and the fields of `Planting`."""
    return lambda name="faulty", duplicates="exact", **asked: plant(
        cleans[duplicates], tmp_path / name, duplicates, **asked
    )
