"""A caption repeats whatever its case, digits and punctuation; a million of them are counted in seconds."""

import time

import numpy as np
import pyarrow as pa

from manifests.dataset import Dataset
from manifests.index import ROWS, read_index
from manifests.layout import IMAGES
from manifests.repeats import caption_hashes, repeats


def counted(captions: list[str | None]) -> list[int]:
    hashes = caption_hashes(pa.array(captions, pa.string()))
    return repeats(pa.chunked_array([hashes.slice(0, 1), hashes.slice(1)])).tolist()


def test_case_digits_spaces_and_punctuation_do_not_count() -> None:
    assert counted(["Photo 12 of 30", " photo 7 of 9!", "photo-of", "a photo of"]) == [3, 3, 3, 1]


def test_other_scripts_are_letters_too() -> None:
    assert counted(["猫 1", "猫2", "犬", "Кот", "КОТ", "हिन्दी", "हन्दी"]) == [2, 2, 1, 2, 2, 1, 1]


def test_what_has_no_letters_repeats_and_no_caption_does_not() -> None:
    assert counted(["12", "34", "", None, None]) == [3, 3, 3, 0, 0]
    assert counted([None]) == [0]
    assert repeats(pa.chunked_array([], pa.int64())).tolist() == []


def test_the_index_says_how_many_rows_share_a_caption(dataset: Dataset) -> None:
    index = read_index(dataset, ROWS, ["captions", "caption_repeats"])
    assert index.schema.field("caption_repeats").type == pa.int32()
    expected = counted(_captions(dataset))
    assert index["caption_repeats"].to_pylist() == expected
    assert max(expected) > 1, "the corpus numbers its captions, and numbers do not count"


def _captions(dataset: Dataset) -> list[str]:
    tables = [dataset.read(IMAGES, name, ["captions"]) for name in dataset.shards()]
    return [captions[0] for table in tables for captions in table["captions"].to_pylist()]


def test_two_hundred_thousand_captions_take_seconds() -> None:
    kinds = np.arange(200_000) % 50
    captions = pa.array([f"a photograph of thing {'x' * kind} number {row}" for row, kind in enumerate(kinds)])
    began = time.process_time()
    found = repeats(pa.chunked_array([caption_hashes(captions)]))
    assert time.process_time() - began < 5
    assert (found == 4_000).all()
