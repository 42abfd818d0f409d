"""Planted faults are what they say, harm whom they say, and leave every other row as it was."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from annotate.image import decode
from annotate.planted.faults import GREYS
from annotate.quality.compression import jpeg_quality
from manifests.dataset import Dataset
from manifests.index import ROWS, read_index
from manifests.layout import IMAGES
from tests.annotate.planted.conftest import Plant
from tests.near_copies import ingest

Row = dict[str, Any]
EVERY = [(fault, alike) for fault in ("greys", "jpeg", "captions") for alike in ("exact", "near")]


def rows_of(corpus: Path) -> list[Row]:
    return pq.read_table(corpus / "rows.parquet").to_pylist()


def faults_of(corpus: Path) -> list[Row]:
    return [json.loads(line) for line in (corpus / "faults.jsonl").read_text().splitlines()]


def stored(dataset: Dataset) -> dict[str, Row]:
    """Rows of images/ with split and cluster, by key."""
    found = [row for name in dataset.shards() for row in dataset.read(IMAGES, name).to_pylist()]
    index = read_index(dataset, ROWS, ["key", "split", "cluster"]).to_pylist()
    return {row["key"]: row | known for row, known in zip(found, index, strict=True)}


def test_unharmed_rows_are_those_of_plain_ingest(planted: Plant, tmp_path: Path) -> None:
    corpus = planted(greys=0.1, jpeg=0.1, captions=0.1)
    faults = faults_of(corpus)
    plain = stored(ingest(tmp_path / "plain", "playroom:200", alike="exact"))
    faulty = stored(ingest(tmp_path / "dataset", corpus, alike="exact"))
    assert len(plain) == len(faulty) == 200
    assert Counter(fault["fault"] for fault in faults) == dict.fromkeys(("greys", "jpeg", "captions"), 19)
    unharmed = set(plain) - {fault["was"] for fault in faults}
    assert set(faulty) == unharmed | {fault["key"] for fault in faults}
    assert all(faulty[key] == plain[key] for key in unharmed)


@pytest.mark.parametrize(("fault", "alike"), EVERY)
def test_held_out_rows_are_the_same_and_the_harmed_train(
    fault: str, alike: str, planted: Plant, playroom: Path, tmp_path: Path
) -> None:
    corpus = planted(duplicates=alike, **{fault: 0.5})
    plain = stored(ingest(tmp_path / "plain", playroom, alike=alike))
    faulty = stored(ingest(tmp_path / "dataset", corpus, alike=alike))
    held_out = {key: row for key, row in plain.items() if row["split"] != "train"}
    assert len(held_out) >= 3
    assert held_out == {key: row for key, row in faulty.items() if row["split"] != "train"}
    assert len(faults_of(corpus)) == round((len(plain) - len(held_out)) / 2)


@pytest.mark.parametrize(("fault", "alike"), EVERY)
def test_rows_harmed_at_five_per_cent_are_among_those_at_fifty(fault: str, alike: str, planted: Plant) -> None:
    few, more, most = (planted(str(share), duplicates=alike, **{fault: share}) for share in (0.05, 0.2, 0.5))
    numbers = [{row["row"] for row in faults_of(corpus)} for corpus in (few, more, most)]
    assert numbers[0] < numbers[1] < numbers[2]
    if fault != "captions":  # of an odd number of rows three exchange their captions, and with one more other three
        fewer, rows = rows_of(few), rows_of(most)
        assert all(fewer[number] == rows[number] for number in numbers[0])


def test_copies_of_a_few_grey_pictures_differ_in_bytes_alone(planted: Plant, playroom: Path, tmp_path: Path) -> None:
    corpus = planted(duplicates="near", greys=0.5)
    clean, rows, faults = rows_of(playroom), rows_of(corpus), faults_of(corpus)
    dataset = stored(ingest(tmp_path / "dataset", corpus))
    plain = stored(ingest(tmp_path / "plain", playroom, alike="exact"))
    assert len({fault["shows"] for fault in faults}) == GREYS
    assert len({rows[fault["row"]]["image"] for fault in faults}) == len(faults)
    for fault in faults:
        image, shown = decode(rows[fault["row"]]["image"]), decode(plain[fault["shows"]]["image"]["bytes"])
        assert (image == image[..., :1]).all()
        assert np.abs(image.mean(axis=2) - shown @ [0.299, 0.587, 0.114]).mean() < 3
        assert rows[fault["row"]]["captions"] == plain[fault["shows"]]["captions"]
        assert rows[fault["row"]]["id"] == clean[fault["row"]]["id"]
    clusters = {fault["shows"]: dataset[fault["key"]]["cluster"] for fault in faults}
    assert all(dataset[fault["key"]]["cluster"] == clusters[fault["shows"]] for fault in faults)


def test_damaged_pictures_are_saved_at_the_quality_that_is_said(planted: Plant, playroom: Path) -> None:
    corpus = planted(jpeg=0.2)
    clean, rows = rows_of(playroom), rows_of(corpus)
    qualities = Counter()
    for fault in faults_of(corpus):
        row, was = rows[fault["row"]], clean[fault["row"]]
        qualities[fault["quality"]] += 1
        again = io.BytesIO()
        Image.new("RGB", (8, 8)).save(again, "JPEG", quality=fault["quality"])
        tables = [Image.open(io.BytesIO(data)).quantization for data in (row["image"], again.getvalue())]
        assert tables[0] == tables[1]
        assert jpeg_quality(row["image"]) == fault["quality"]
        assert row["captions"] == was["captions"]
        assert 0 < np.abs(decode(row["image"]).astype(float) - decode(was["image"])).mean() < 20
    assert set(qualities) == {8, 9, 10, 11, 12}


def test_no_row_has_its_own_caption_and_none_is_lost(planted: Plant, playroom: Path) -> None:
    corpus = planted(captions=0.2)
    clean, rows, numbers = rows_of(playroom), rows_of(corpus), [fault["row"] for fault in faults_of(corpus)]
    assert all(rows[number]["captions"] != clean[number]["captions"] for number in numbers)
    assert all(rows[number]["image"] == clean[number]["image"] for number in numbers)
    assert Counter(str(row["captions"]) for row in rows) == Counter(str(row["captions"]) for row in clean)


def test_the_same_faults_are_the_same_bytes_and_another_seed_harms_others(planted: Plant) -> None:
    asked = {"greys": 0.1, "jpeg": 0.1, "captions": 0.1}
    one, again, other = planted("one", **asked), planted("again", **asked), planted("other", **asked, seed=1)
    for name in ("rows.parquet", "faults.jsonl", "planting.json"):
        assert (one / name).read_bytes() == (again / name).read_bytes()
    assert {fault["row"] for fault in faults_of(one)} != {fault["row"] for fault in faults_of(other)}


def test_more_faults_than_rows_that_can_be_harmed_are_refused(planted: Plant) -> None:
    with pytest.raises(ValueError, match="can be so that no other row changes its split"):
        planted(duplicates="near", jpeg=0.99)
    with pytest.raises(ValueError, match="their sum at most 1"):
        planted(greys=0.6, jpeg=0.6)
