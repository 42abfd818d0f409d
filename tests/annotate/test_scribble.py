"""Scribbles are controlnet_aux's by default; drawn otherwise, they are a function of soft edges and numbers."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from controlnet_aux import HEDdetector, PidiNetDetector
from controlnet_aux.util import resize_image

from annotate.annotator import Annotate
from annotate.image import decode, encode_generated, fit
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.strokes import draw_strokes
from annotate.strokes_on_device import draw_strokes_on
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests.condition import as_stored
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.geometry import flip

SHARED = Path(__file__).parents[3] / "shared"
WEIGHTS = SHARED / "weights"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:20:10]
FILES = ("ControlNetHED.pth", "table5_pidinet.pth")
CPU = torch.device("cpu")
SIZE = 128  # pixels: the networks are slow on a CPU
PLAIN = {"safe": False}
DEFAULT = build("scribble", {}, "scribble").draw("any key")
SYNTHESIS = {
    "threshold_range": (40, 160),
    "thinned_share": 0.7,
    "growth_range": (-8, 8),
    "mask_share_range": (0.0, 0.5),
    "line_width_range": (1, 96),
}
pytestmark = pytest.mark.skipif(
    not PHOTOS or not all((WEIGHTS / file).exists() for file in FILES), reason="no photographs or weights here"
)


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(WEIGHTS))


@pytest.fixture(scope="module")
def soft() -> np.ndarray:
    """Soft edges of two photographs and their mirror images: [4, 128, W] uint8."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(WEIGHTS))
        images = [resize_image(decode(path.read_bytes()), SIZE) for path in PHOTOS]
        width = min(image.shape[1] for image in images)
        edges = np.stack(
            build("softedge", {}, "s").load(CPU)(np.stack([image[:, :width] for image in images]), [PLAIN] * 2)
        )
    return np.concatenate([edges, edges[:, :, ::-1]])


@pytest.fixture(params=[draw_strokes, partial(draw_strokes_on, device=CPU)], ids=["opencv", "torch"])
def strokes(request: pytest.FixtureRequest) -> Annotate:
    """Both ways to draw: the one of a CPU, and the one of a GPU."""
    return partial(request.param, sigma=3.0)


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


def annotate(dataset: Dataset, *families: str, settings: tuple[str, ...] = (), batch_size: int = 4) -> None:
    tasks = make_tasks(dataset, families, settings=settings, resolution=96)
    for task in tasks:
        create_card(dataset.root, task.card)
    (name,) = dataset.shards()
    bound = bind(tasks, CPU)
    annotate_shard(dataset, name, bound, batch_size=batch_size, threads=1, done=lambda _: None)


def line(width: int = 0, **numbers: Any) -> dict[str, Any]:
    """The numbers of a row that is drawn by a pen of that width."""
    return {**DEFAULT, "line_width": width, **numbers}


def contour(size: int = 512) -> np.ndarray:
    """Soft edges of one upright line in the middle: [1, size, size] uint8."""
    away = np.abs(np.arange(size) - size // 2)
    return np.repeat((255 * np.exp(-((away / 5) ** 2))).astype(np.uint8)[None, None], size, axis=1)


@pytest.mark.parametrize(("source", "detector"), [("hed", HEDdetector), ("softedge", PidiNetDetector)])
def test_scribbles_equal_those_of_controlnet_aux_bit_for_bit(source: str, detector: Any, strokes: Annotate) -> None:
    theirs = detector.from_pretrained(str(WEIGHTS))
    find = build(source, {}, source).load(CPU)
    for path in PHOTOS:
        image = resize_image(decode(path.read_bytes()), SIZE)
        soft, expected = (
            theirs(image, detect_resolution=SIZE, image_resolution=SIZE, output_type="np", scribble=drawn)[..., 0]
            for drawn in (False, True)
        )
        (lines,) = strokes(soft[None], [DEFAULT])
        assert 0.01 < lines.mean() < 0.5
        assert np.array_equal(lines * np.uint8(255), expected)
        (ours,) = strokes(np.stack(find(image[None], [PLAIN])), [DEFAULT])
        assert (ours != lines).mean() < 1e-2  # soft edges one step of 255 apart may move a ridge by a pixel


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (16, 16), (3, 320), (97, 131), (160, 136)])
@pytest.mark.parametrize("settings", [{}, SYNTHESIS])
def test_a_gpu_s_batch_equals_opencv_whatever_is_drawn(size: tuple[int, int], settings: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (6, *size)).astype(np.uint8)
    noise[::2] //= 64  # large areas of equal pixels
    noise[::2] *= 64
    scribble = build("scribble", settings, "scribble")
    drawn = [scribble.draw(f"key {number}") for number in range(6)]
    one, other = draw_strokes(noise, drawn, sigma=3.0), draw_strokes_on(noise, drawn, sigma=3.0, device=CPU)
    apart = np.not_equal(one, other).mean()
    assert apart < 1e-3 if size[1] % 8 else apart == 0


def test_a_gpu_s_batch_of_photographs_equals_opencv_bit_for_bit(soft: np.ndarray) -> None:
    scribble = build("scribble", SYNTHESIS, "scribble")
    for drawn in ([DEFAULT] * 4, [scribble.draw(f"key {number}") for number in range(4)]):
        one, other = draw_strokes(soft, drawn, sigma=3.0), draw_strokes_on(soft, drawn, sigma=3.0, device=CPU)
        assert np.array_equal(one, other)
        assert np.stack(one).any()


@pytest.mark.parametrize(("size", "width"), [(512, 1), (512, 2), (512, 7), (512, 24), (256, 24)])
def test_a_line_has_the_width_drawn_for_it_and_scales_with_the_picture(
    strokes: Annotate, size: int, width: int
) -> None:
    (drawn,) = strokes(contour(size), [line(width)])
    across = drawn[size // 2].sum()
    assert across == width * size // 512
    assert np.count_nonzero(drawn.any(axis=0)) == across, "nothing else is drawn"


def test_growing_edges_are_broader_and_shrinking_ones_vanish(strokes: Annotate, soft: np.ndarray) -> None:
    few, some = (drawn.mean() for drawn in strokes(soft[[0, 0]], [line(3, growth=by) for by in (-9, 0)]))
    assert few < 0.7 * some
    broad, plain = (strokes(soft[:1], [line(3, growth=by, thinned=False)])[0] for by in (9, 0))
    assert plain.sum() < 0.9 * broad.sum()


def test_a_higher_threshold_draws_less_and_edges_not_thinned_stay_broad(strokes: Annotate, soft: np.ndarray) -> None:
    low, high = strokes(soft[[0, 0]], [line(1, threshold=40), line(1, threshold=120)])
    assert high.sum() < low.sum()
    assert not np.any(high & ~low & 1)
    (broad,) = strokes(soft[:1], [line(1, threshold=40, thinned=False)])
    assert broad.sum() > 2 * low.sum()


def test_a_mask_leaves_out_its_share_in_patches(strokes: Annotate) -> None:
    everywhere = np.full((1, 256, 384), 255, np.uint8)
    for share in (0.1, 0.5):
        (drawn,) = strokes(everywhere, [line(thinned=False, mask_share=share, mask_seed=5)])
        assert drawn.mean() == pytest.approx(1 - share, abs=0.01)
        turns = np.count_nonzero(np.diff(drawn, axis=1)) / len(drawn)
        assert turns < 20, "of 384 pixels in a row: patches, not grains"
    one, other = strokes(everywhere[[0, 0]], [line(thinned=False, mask_share=0.5, mask_seed=seed) for seed in (5, 6)])
    assert 0.3 < (one != other).mean() < 0.7


def test_every_number_is_drawn_from_seed_and_key_alone() -> None:
    one, other = (build("scribble", {**SYNTHESIS, "seed": seed}, "scribble") for seed in (1, 2))
    keys = [f"key {number}" for number in range(400)]
    drawn = [one.draw(key) for key in keys]
    assert drawn == [one.draw(key) for key in keys]
    assert drawn != [other.draw(key) for key in keys]
    assert {row["line_width"] for row in drawn} >= {1, 96}, "both ends of a range belong to it"
    assert {row["growth"] for row in drawn} == set(range(-8, 9))
    assert 0.6 < sum(row["thinned"] for row in drawn) / len(drawn) < 0.8
    assert len({row["mask_seed"] for row in drawn}) == len(drawn)


def test_a_synthesised_row_is_made_again_from_what_is_stored_of_it(
    photographs: Dataset, rows: Callable[..., list]
) -> None:
    settings = tuple(f"scribble.{name}={list(v) if isinstance(v, tuple) else v}" for name, v in SYNTHESIS.items())
    annotate(photographs, "hed", "scribble", settings=settings)
    made = rows(photographs, "scribble")
    scribble = build("scribble", SYNTHESIS, "scribble")
    for row, hed in zip(made, rows(photographs, "hed"), strict=True):
        stored = photographs_of(hed, "soft")[None]
        (again,) = scribble.load(CPU)(stored, [row["parameters"]])
        assert np.array_equal(again, photographs_of(row, "binary"))
        assert row["parameters"] == scribble.draw(f"{row['key']}:scribble")
        assert row["stats"] == pytest.approx(scribble.measure(again))
    assert len({row["parameters"]["mask_seed"] for row in made}) == 3


def photographs_of(row: dict[str, Any], kind: Any) -> np.ndarray:
    from manifests.condition import decode as read

    return as_stored(kind, read(kind, row["condition"]))


def test_strokes_are_counted_and_their_share_measured() -> None:
    drawn = np.zeros((20, 20), np.uint8)
    drawn[2:4], drawn[10, 5], drawn[11, 6], drawn[18, 18] = 1, 1, 1, 1  # a bar, two pixels that touch, a dot
    scribble = build("scribble", {}, "scribble")
    assert scribble.measure(drawn) == {"dark_share": pytest.approx(43 / 400), "strokes": 3}
    assert scribble.measure(np.zeros((20, 20), np.uint8)) == {"dark_share": 0, "strokes": 0}


def test_scribbles_of_flipped_soft_edges_are_the_flipped_scribbles(soft: np.ndarray) -> None:
    # Of two equal neighbours a crest takes the left one, which a pen of five pixels (20 at 512) shows.
    for row, alike in ((DEFAULT, 0.995), (line(20), 0.9)):
        drawn = draw_strokes(soft, [row] * 4, sigma=3.0)
        for one, other in zip(drawn[:2], drawn[2:], strict=True):
            mirrored = flip("binary", one)
            assert (mirrored & other).sum() / (mirrored | other).sum() > alike


def test_the_size_of_batches_changes_no_byte(photographs: Dataset) -> None:
    annotate(photographs, "hed", "scribble", batch_size=3)
    path = photographs.path("scribble", *photographs.shards())
    together = path.read_bytes()
    path.unlink()
    annotate(photographs, "scribble", batch_size=1)
    assert path.read_bytes() == together, "nor does it whether hed is of the same job"


def test_a_scribble_knows_what_it_is_of_and_that_a_wall_has_none(
    photographs: Dataset, rows: Callable[..., list]
) -> None:
    annotate(photographs, "softedge", "scribble", settings=("scribble.source=softedge",))
    assert photographs.card("scribble").made_from == {"softedge": photographs.card("softedge").fingerprint}
    assert sorted(row["status"] for row in rows(photographs, "scribble")) == ["empty", "ok", "ok"]


def test_a_scribble_needs_whole_soft_edges(photographs: Dataset) -> None:
    with pytest.raises(ValueError, match=r"doesn't have. Make both: .*annotate.py .* hed scribble"):
        make_tasks(photographs, ["scribble"])
    with pytest.raises(ValueError, match=r"doesn't have. Make both: .*annotate.py .* softedge scribble"):
        make_tasks(photographs, ["scribble"], settings=["scribble.source=softedge"])
    (hed,) = make_tasks(photographs, ["hed"])
    create_card(photographs.root, hed.card)
    with pytest.raises(ValueError, match=r"1 shards of hed are missing. Make both: .*annotate.py .* hed scribble"):
        make_tasks(photographs, ["scribble"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold_range": (90, 40)}, "threshold_range .*out of order"),
        ({"line_width_range": (0, 4)}, "line_width_range .*within 1 to"),
        ({"mask_share_range": (0.2, 1.5)}, "mask_share_range .*within 0 to 1"),
        ({"sigma": 0}, "sigma 0.* above 0"),
        ({"source": "canny"}, "source: .*'hed' or 'softedge'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build("scribble", settings, "scribble")
