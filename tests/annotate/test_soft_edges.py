"""Detectors of soft edges draw alike, read colours in one order, and survive pictures and weights that are no good."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import torch

from annotate.annotator import Annotate
from annotate.image import decode, encode_generated, fit
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests.dataset import Dataset
from manifests.geometry import flip

SHARED = Path(__file__).parents[3] / "shared"
WEIGHTS = SHARED / "weights"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:40:10]
FILES = {"hed": "ControlNetHED.pth", "softedge": "table5_pidinet.pth"}
PLAIN, SAFE = {"safe": False}, {"safe": True}
CPU = torch.device("cpu")
pytestmark = [
    pytest.mark.skipif(
        not PHOTOS or not all((WEIGHTS / file).exists() for file in FILES.values()), reason="no photographs or weights"
    ),
    pytest.mark.parametrize("name", FILES),
]


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(WEIGHTS))


@pytest.fixture(scope="module")
def loaded() -> Iterator[dict[str, Annotate]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(WEIGHTS))
        yield {name: build(name, {}, name).load(CPU) for name in FILES}


@pytest.fixture
def ours(loaded: dict[str, Annotate], name: str) -> Annotate:
    return loaded[name]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """[1, 160, 208, 3] uint8 RGB."""
    return fit(decode(PHOTOS[0].read_bytes()), 224)[None, :160, :208]


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(one.astype(int) - other)


def test_which_rows_are_safe_is_drawn_from_seed_and_key_alone(name: str) -> None:
    one, other = (build(name, {"safe_share": 0.75, "seed": seed}, name) for seed in (1, 2))
    keys = [f"key {number}" for number in range(1000)]
    drawn = [one.draw(key)["safe"] for key in keys]
    assert 700 < sum(drawn) < 800
    assert drawn == [one.draw(key)["safe"] for key in keys]
    assert drawn != [other.draw(key)["safe"] for key in keys]
    for share, expected in ((0.0, False), (1.0, True)):
        assert {build(name, {"safe_share": share}, name).draw(key)["safe"] for key in keys} == {expected}


def test_a_share_beyond_all_rows_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: safe_share: .*less than or equal to 1, not 1.5"):
        build(name, {"safe_share": 1.5}, name)


def test_settings_cannot_be_changed_after_they_are_recorded(name: str) -> None:
    annotator = build(name, {}, name)
    with pytest.raises(FrozenInstanceError):
        annotator.safe_share = 1.0  # type: ignore[attr-defined]
    assert build(name, {}, name) == annotator


def test_channels_in_another_order_give_other_edges(name: str, ours: Annotate, photo: np.ndarray) -> None:
    colours = photo.copy()
    colours[..., 0] //= 2  # grey pictures have no order
    (edges,), (swapped,) = ours(colours, [PLAIN]), ours(colours[..., ::-1].copy(), [PLAIN])
    assert apart(edges, swapped).max() > 4, "parity within one step would not tell"


def test_edges_of_a_flipped_picture_are_about_the_flipped_edges(name: str, ours: Annotate, photo: np.ndarray) -> None:
    """About: the filters of these networks are not their own mirror images."""
    (edges,), (mirrored,) = ours(photo, [PLAIN]), ours(photo[:, :, ::-1].copy(), [PLAIN])
    flipped = apart(flip("soft", edges), mirrored).mean()
    assert flipped < 16  # of 255, a mean over the pixels
    assert flipped < 0.4 * apart(edges, mirrored).mean()


@pytest.mark.parametrize("size", [(16, 16), (17, 19), (16, 500), (161, 33)])
def test_small_long_and_odd_pictures_keep_their_size(name: str, ours: Annotate, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, *size, 3)).astype(np.uint8)
    (edges,) = ours(picture, [PLAIN])
    assert edges.shape == size
    assert edges.dtype == np.uint8


def test_a_picture_too_small_for_the_network_is_an_error_and_no_blank_map(name: str, ours: Annotate) -> None:
    with pytest.raises(RuntimeError, match=r"too small|greater than zero|must be"):
        ours(np.zeros((1, 4, 64, 3), np.uint8), [PLAIN])


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_picture_of_one_colour_has_no_soft_edge(name: str, ours: Annotate, level: int) -> None:
    for edges in ours(np.full((2, 64, 80, 3), level, np.uint8), [PLAIN, SAFE]):
        assert build(name, {}, name).empty(edges)


def test_a_grey_picture_has_the_edges_of_what_it_shows(name: str, ours: Annotate, photo: np.ndarray) -> None:
    grey = np.repeat(photo.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3)
    (edges,), (coloured,) = ours(grey, [PLAIN]), ours(photo, [PLAIN])
    assert np.corrcoef(edges.ravel(), coloured.ravel())[0, 1] > 0.8


def test_bfloat16_drifts_by_what_the_docstring_says(name: str, ours: Annotate, photo: np.ndarray) -> None:
    (edges,) = build(name, {"precision": "bf16"}, name).load(CPU)(photo, [PLAIN])
    (exact,) = ours(photo, [PLAIN])
    most, mean = {"hed": (6, 0.3), "softedge": (70, 1.5)}[name]
    assert 0 < apart(edges, exact).max() <= most
    assert apart(edges, exact).mean() < mean


def test_truncated_weights_are_one_clear_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / FILES[name]).write_bytes((WEIGHTS / FILES[name]).read_bytes()[:100_000])
    with pytest.raises(ValueError, match=rf"{FILES[name]}: not weights that can be read"):
        build(name, {}, name).load(CPU)


def test_weights_of_another_network_are_one_clear_error(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (other,) = (file for known, file in FILES.items() if known != name)
    shutil.copy(WEIGHTS / other, tmp_path / FILES[name])
    with pytest.raises(ValueError, match=rf"{FILES[name]}: weights of another network"):
        build(name, {}, name).load(CPU)


def test_a_row_records_its_draw_and_its_mass_and_a_wall_is_empty(
    name: str, tmp_path: Path, ingest: Callable[..., Dataset], rows: Callable[..., list]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    pictures = [fit(decode(path.read_bytes()), 192) for path in PHOTOS] + [np.full((64, 64, 3), 90, np.uint8)]
    for number, picture in enumerate(pictures):
        (corpus / f"{number}.png").write_bytes(encode_generated(picture))
        (corpus / f"{number}.txt").write_text(f"picture {number}")
    dataset = ingest(corpus)
    tasks = make_tasks(dataset, [name], settings=[f"{name}.safe_share=0.5"], resolution=0)
    (shard,) = dataset.shards()
    annotate_shard(dataset, shard, bind(tasks, CPU), batch_size=4, threads=1, done=lambda _: None)
    made = {picture["captions"][0]: row for picture, row in zip(rows(dataset), rows(dataset, name), strict=True)}
    assert made["picture 4"]["status"] == "empty"
    for number in range(4):
        row = made[f"picture {number}"]
        assert row["status"] == "ok"
        assert row["parameters"]["safe"] in (True, False)
        assert 0 < row["stats"]["edge_density"] < 1
