"""A contact sheet shows conditions as they lie over their pictures, and trusts no caption."""

import base64
import html
import io
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from annotate.corpus import find_corpus
from annotate.image import encode_generated
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from evaluate.sheet.page import write_sheet
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index
from tests.annotate import random_models

HARM = '<script>alert("caught")</script> & <img src=x onerror=alert(1)>'


def scene() -> np.ndarray:
    """A white disc near the upper left corner of a wide dark picture."""
    return cv2.circle(np.full((128, 200, 3), 20, np.uint8), (40, 30), 20, (255, 255, 255), -1)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, picture in (("scene", scene()), ("wall", np.full((128, 128, 3), 90, np.uint8))):
        (corpus / f"{name}.png").write_bytes(encode_generated(picture))
        (corpus / f"{name}.txt").write_text(f"{name} {HARM}")
    made = make_plan(tmp_path / "dataset", find_corpus(str(corpus)))
    (name,) = made.missing("images")
    ingest_shard(made, name, threads=1, done=lambda _: None)
    return made


@pytest.fixture
def annotated(dataset: Dataset) -> Dataset:
    tasks = make_tasks(dataset, ["canny"], resolution=0)
    for task in tasks:
        create_card(dataset.root, task.card)
    bound = bind(tasks, torch.device("cpu"))
    annotate_shard(dataset, *dataset.shards(), bound, batch_size=2, threads=1, done=lambda _: None)
    build_index(dataset)
    return dataset


def pictures(page: str, alt: str) -> list[np.ndarray]:
    found = re.findall(rf'src="data:image/webp;base64,([^"]+)" alt="{alt}"', page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L")) for data in found]


def test_a_condition_lies_upright_over_its_picture_white_on_black(annotated: Dataset, tmp_path: Path) -> None:
    page = write_sheet(annotated, tmp_path / "sheet.html", rows=2).read_text()
    shown = zip(pictures(page, "picture"), pictures(page, "canny"), strict=True)
    picture, edges = next((picture, edges) for picture, edges in shown if picture.shape == (128, 200))
    assert edges.shape == picture.shape
    assert edges.mean() < 30
    ys, xs = np.nonzero(edges > 127)
    assert np.hypot(xs - 40, ys - 30) == pytest.approx(20, abs=2)


def test_captions_are_text_and_nothing_more(annotated: Dataset, tmp_path: Path) -> None:
    page = write_sheet(annotated, tmp_path / "sheet.html", rows=2).read_text()
    assert "<script" not in page
    assert "onerror=alert" in html.unescape(page)
    assert not re.search(r"<img[^>]*onerror", page)
    assert not re.search(r'(src|href)="(?!data:|#)', page), "it needs no other file"


def test_words_stand_where_other_families_have_their_picture(
    annotated: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    random_models.blip(tmp_path / "blip")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (task,) = make_tasks(annotated, ["caption"], settings=["caption.model=blip"], resolution=0)
    create_card(annotated.root, task.card)
    (name,) = annotated.shards()
    bound = bind([task], torch.device("cpu"))
    annotate_shard(annotated, name, bound, batch_size=2, threads=1, done=lambda _: None)
    build_index(annotated)
    page = write_sheet(annotated, tmp_path / "sheet.html", rows=2).read_text()
    for cell in annotated.read("caption", name)["condition"].to_pylist():
        assert f"<blockquote>{html.escape(cell['text'])}</blockquote>" in page


def test_statuses_and_stats_are_said(annotated: Dataset, tmp_path: Path) -> None:
    page = write_sheet(annotated, tmp_path / "sheet.html", rows=2).read_text()
    assert "canny: empty" in page
    assert 'id="by-canny-edge_density"' in page
    assert annotated.card("canny").fingerprint in page


def test_a_dataset_without_conditions_has_no_sheet(dataset: Dataset, tmp_path: Path) -> None:
    build_index(dataset)
    with pytest.raises(ValueError, match=r"no whole condition .*annotate.py .* canny"):
        write_sheet(dataset, tmp_path / "sheet.html", rows=2)
