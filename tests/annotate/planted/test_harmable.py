"""A row is harmed only where no other row's split hangs on it."""

from pathlib import Path

import numpy as np
import pytest

from annotate.corpora.format import Corpus
from annotate.corpus import find_corpus
from annotate.planted.clean import Clean, read_clean
from annotate.planted.harmable import harmable, in_train, is_alone, trained
from manifests.dataset import Dataset, Settings
from manifests.index import ROWS, read_index
from tests.near_copies import copies, ingest, scenes, write

NEAR, EXACT = Settings(duplicates="near"), Settings(duplicates="exact")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty pictures; of each of the first nine, three copies."""
    pictures = scenes(60)
    named = {f"{number:02d}": picture for number, picture in enumerate(pictures)}
    named |= {f"{number:02d}_{kind}": copy for number in range(9) for kind, copy in copies(pictures[number]).items()}
    return write(tmp_path_factory.mktemp("harmable") / "corpus", named)


def read(corpus: Path, settings: Settings) -> Clean:
    return read_clean(find_corpus(str(corpus)), near=settings.duplicates == "near", seed=0)


def splits(dataset: Dataset) -> dict[str, str]:
    index = read_index(dataset, ROWS, ["key", "split"])
    return dict(zip(index["key"].to_pylist(), index["split"].to_pylist(), strict=True))


@pytest.mark.parametrize("settings", [NEAR, EXACT], ids=["near", "exact"])
def test_rows_are_in_train_as_ingest_draws_them(settings: Settings, corpus: Path, tmp_path: Path) -> None:
    clean = read(corpus, settings)
    drawn = splits(ingest(tmp_path / "dataset", corpus, alike=settings.duplicates))
    assert [drawn[key] == "train" for key in clean.keys] == trained(clean, settings).tolist()
    assert set(drawn.values()) > {"train"}


def test_of_near_copies_none_is_harmed_unless_they_count_for_nothing(corpus: Path) -> None:
    clean = read(corpus, NEAR)
    copied = np.array([Path(reference.member).stem[:2] < "09" for reference in clean.references])
    assert not harmable(clean, NEAR)[copied].any()
    assert harmable(clean, NEAR)[~copied].sum() > 40
    clean = read(corpus, EXACT)
    assert harmable(clean, EXACT).tolist() == in_train(clean.pictures, EXACT).tolist()


def known(*hashes: list[int]) -> Clean:
    """Rows with these hashes; 0 is none."""
    numbers = np.array(hashes, np.uint64)
    return Clean(
        corpus=Corpus("folder", ""),
        references=[],
        keys=[],
        captions=[],
        pictures=np.arange(len(hashes), dtype=np.uint64),
        hashes=numbers,
        damaged=numbers,
        dropped=0,
    )


def test_a_picture_is_alone_where_no_hash_of_it_is_near_to_any_of_another_row() -> None:
    clean = known([0xFF, 0xF0F0], [0, 0xABCD0000])
    assert is_alone(np.array([0xFFFF00000000, 0], np.uint64), clean, but=0)
    assert not is_alone(np.array([0, 0xABCD000F], np.uint64), clean, but=0)
    assert not is_alone(np.array([0xABCD0000, 1 << 63], np.uint64), clean, but=0)
    assert is_alone(np.array([0xABCD0000, 1 << 63], np.uint64), clean, but=1)
    assert is_alone(np.array([0, 0], np.uint64), clean, but=0), "flat pictures have no hash, and are near to none"
