"""Scribbles are controlnet_aux's, whether hed was made by the same job or lies in the dataset."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from controlnet_aux import HEDdetector
from controlnet_aux.util import resize_image

from annotate.image import decode, encode_generated, fit
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests.dataset import Dataset
from manifests.family import create_card

SHARED = Path(__file__).parents[3] / "shared"
WEIGHTS = SHARED / "weights"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:2]
SIZE = 128  # pixels: the network is slow on a CPU
pytestmark = pytest.mark.skipif(
    not PHOTOS or not (WEIGHTS / "ControlNetHED.pth").exists(), reason="no photographs or weights here"
)


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(WEIGHTS))


@pytest.fixture
def photographs(tmp_path: Path, ingest: Callable[..., Dataset]) -> Dataset:
    """Two photographs and a blank wall."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, path in enumerate(PHOTOS):
        (corpus / f"{number}.png").write_bytes(encode_generated(fit(decode(path.read_bytes()), 96)))
    (corpus / "2.png").write_bytes(encode_generated(np.full((96, 96, 3), 90, np.uint8)))
    for number in range(3):
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    return ingest(corpus)


def annotate(dataset: Dataset, *families: str) -> None:
    tasks = make_tasks(dataset, families, resolution=96)
    for task in tasks:
        create_card(dataset.root, task.card)
    (name,) = dataset.shards()
    bound = bind(tasks, torch.device("cpu"))
    annotate_shard(dataset, name, bound, batch_size=4, threads=1, done=lambda _: None)


def test_scribbles_equal_those_of_controlnet_aux_bit_for_bit() -> None:
    detector = HEDdetector.from_pretrained(str(WEIGHTS))
    hed, scribble = (build(name, {}, name).load(torch.device("cpu")) for name in ("hed", "scribble"))
    for path in PHOTOS:
        image = resize_image(decode(path.read_bytes()), SIZE)
        soft, expected = (
            detector(image, detect_resolution=SIZE, image_resolution=SIZE, output_type="np", scribble=drawn)[..., 0]
            for drawn in (False, True)
        )
        (lines,) = scribble(soft[None], [PLAIN])
        assert 0.01 < lines.mean() < 0.5
        assert np.array_equal(lines * np.uint8(255), expected)
        (ours,) = scribble(np.stack(hed(image[None], [PLAIN])), [{}])
        assert (ours != lines).mean() < 1e-2  # soft edges one step of 255 apart may move a ridge by a pixel


def test_scribbles_of_a_later_job_are_those_of_the_job_that_made_hed(photographs: Dataset) -> None:
    annotate(photographs, "hed", "scribble")
    (name,) = photographs.shards()
    path = photographs.path("scribble", name)
    together = path.read_bytes()
    path.unlink()
    annotate(photographs, "scribble")
    assert path.read_bytes() == together


def test_a_scribble_knows_its_hed_and_that_a_wall_has_none(photographs: Dataset, rows: Callable[..., list]) -> None:
    annotate(photographs, "hed", "scribble")
    assert photographs.card("scribble").made_from == {"hed": photographs.card("hed").fingerprint}
    assert sorted(row["status"] for row in rows(photographs, "scribble")) == ["empty", "ok", "ok"]


def test_a_scribble_needs_a_whole_hed(photographs: Dataset) -> None:
    with pytest.raises(ValueError, match=r"doesn't have. Make both: .*annotate.py .* hed scribble"):
        make_tasks(photographs, ["scribble"])
    (hed,) = make_tasks(photographs, ["hed"])
    create_card(photographs.root, hed.card)
    with pytest.raises(ValueError, match=r"1 shards of hed are missing. Make both: .*annotate.py .* hed scribble"):
        make_tasks(photographs, ["scribble"])
