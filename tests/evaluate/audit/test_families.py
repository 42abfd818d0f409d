"""A fault planted into a family is found by the check that is for it, and by no other."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from evaluate.audit.audit import Audit
from manifests.body import OTHER_SIDE
from manifests.dataset import Dataset
from manifests.figures import Poses
from manifests.geometry import moved, resize
from tests.evaluate.audit import plant
from tests.evaluate.audit.conftest import PHOTOS, ROOM

Run = Callable[..., Audit]
on_photos = pytest.mark.skipif(not PHOTOS, reason="no photographs here")
TRUTH = ("truth_depth", "truth_edges", "truth_openpose", "truth_segmentation")


def states(found: Audit, *wanted: str) -> set[tuple[str, str]]:
    return {(verdict.check, verdict.family) for verdict in found.verdicts if verdict.state in (wanted or ("fail",))}


def said(found: Audit, check: str, family: str) -> str:
    return " ".join(one.found for one in found.verdicts if (one.check, one.family) == (check, family))


def shifted(condition: np.ndarray, down: int, right: int) -> np.ndarray:
    way = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(
        condition, way, condition.shape[1::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )


def webp(pixels: np.ndarray) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(buffer, "WEBP", lossless=True)
    return {"bytes": buffer.getvalue(), "path": None}


def png16(cell: dict[str, Any]) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(cell["image"]["bytes"], np.uint8), cv2.IMREAD_UNCHANGED)


def as_png16(cell: dict[str, Any], steps: np.ndarray) -> dict[str, Any]:
    return cell | {"image": {"bytes": cv2.imencode(".png", steps)[1].tobytes(), "path": None}}


def test_a_sound_playroom_passes_every_check(sound_room: Dataset, run: Run) -> None:
    found = run(sound_room)
    assert not states(found)
    assert states(found, "warn") <= {("test rows", ""), ("empty", "openpose"), ("empty", "truth_openpose")}
    assert {("agreement", name) for name in ROOM} <= states(found, "pass")
    assert {("agreement", name) for name in TRUTH} <= states(found, "skipped")


@on_photos
def test_sound_photographs_pass_every_check(sound_photos: Dataset, run: Run) -> None:
    found = run(sound_photos)
    assert not states(found)
    assert states(found, "warn") <= {("test rows", "")}


INVERTED: dict[str, Callable[[Any], Any]] = {
    "canny": lambda edges: (1 - edges).astype(np.uint8),
    "depth": lambda depth: -depth,
    "normal": lambda normal: np.stack([normal[..., 0], 255 - normal[..., 1], normal[..., 2]], axis=2),
    "openpose": lambda poses: Poses(poses.shape, tuple(person[list(OTHER_SIDE)] for person in poses.people)),
}


@pytest.mark.parametrize("family", INVERTED)
def test_another_polarity_is_found(room: Dataset, run: Run, family: str) -> None:
    plant.conditions(room, family, INVERTED[family])
    assert states(run(room, family)) == {("polarity", family)}


def test_metres_in_the_place_of_nearness_are_found(room: Dataset, run: Run) -> None:
    plant.conditions(room, "depth", lambda depth: 1 / np.maximum(depth, 1e-3))
    assert states(run(room, "depth")) == {("polarity", "depth")}


@on_photos
def test_soft_edges_black_on_white_are_found(photos: Dataset, run: Run) -> None:
    plant.conditions(photos, "lineart", lambda soft: 255 - soft)
    assert states(run(photos, "lineart")) == {("polarity", "lineart")}


@on_photos
def test_a_fault_of_some_rows_is_found_and_named_by_its_share(photos: Dataset, run: Run) -> None:
    plant.conditions(photos, "canny", INVERTED["canny"], share=0.3)
    found = run(photos)
    assert states(found) == {("polarity", "canny")}
    (verdict,) = (one for one in found.verdicts if (one.check, one.family) == ("polarity", "canny"))
    assert verdict.figure == pytest.approx(0.3, abs=0.2)


@on_photos
@pytest.mark.parametrize("family", ["canny", "lineart"])
@pytest.mark.parametrize(("down", "right"), [(0, 3), (-1, 0), (5, -8)])
def test_a_shift_is_found_to_the_pixel(photos: Dataset, run: Run, family: str, down: int, right: int) -> None:
    plant.conditions(photos, family, lambda condition: shifted(condition, down, right))
    found = run(photos, family)
    assert states(found) == {("alignment", family)}
    words = said(found, "alignment", family)
    assert not right or f"{abs(right)} px to the {'right' if right > 0 else 'left'}" in words
    assert not down or f"{abs(down)} px {'down' if down > 0 else 'up'}" in words


@pytest.mark.parametrize("family", ["depth", "segmentation"])
def test_a_shift_of_regions_is_found(room: Dataset, run: Run, family: str) -> None:
    plant.conditions(room, family, lambda condition: shifted(condition, 3, 4))
    found = run(room, family)
    assert states(found) == {("alignment", family)}
    assert "4 px to the right, 3 px down" in said(found, "alignment", family)


def test_people_moved_aside_are_found(room: Dataset, run: Run) -> None:
    plant.conditions(room, "openpose", lambda poses: moved(poses, poses.shape, lambda x, y: (x, y - 4)))
    assert states(run(room, "openpose")) == {("alignment", "openpose")}


@on_photos
@pytest.mark.parametrize(("turn", "words"), [(np.fliplr, "mirrored"), (np.flipud, "upside down")])
def test_a_turned_condition_is_found(photos: Dataset, run: Run, turn: Callable[[Any], Any], words: str) -> None:
    plant.conditions(photos, "lineart", lambda condition: np.ascontiguousarray(turn(condition)))
    found = run(photos)
    assert states(found) == {("alignment", "lineart")}
    assert f"{words} (" in said(found, "alignment", "lineart")


@pytest.mark.parametrize("family", ROOM)
def test_rows_that_are_off_by_one_are_found(room: Dataset, run: Run, family: str) -> None:
    plant.rewrite(room, family, plant.rolled)
    found = run(room, family)
    assert states(found) == {("pairing", family)}
    if family == "canny":
        assert "of the row before theirs" in said(found, "pairing", family)


@pytest.mark.parametrize("family", ["canny", "depth", "segmentation"])
def test_another_size_is_found(room: Dataset, run: Run, family: str) -> None:
    kind = room.card(family).kind
    plant.conditions(room, family, lambda condition: resize(kind, condition, (96, 96)))
    assert states(run(room, family)) == {("size", family)}


WRONG: dict[str, Callable[[Any], Any]] = {
    "canny": lambda cell: webp(np.uint8(Image.open(io.BytesIO(cell["bytes"])).convert("L")) // 2 + 40),
    "depth": lambda cell: as_png16(cell, png16(cell) // 257 * 257),
    "segmentation": lambda cell: webp(np.uint8(Image.open(io.BytesIO(cell["bytes"])).convert("L")) + 7),
    "normal": lambda cell: webp(np.uint8(Image.open(io.BytesIO(cell["bytes"]))) // 2),
}


@pytest.mark.parametrize("family", WRONG)
def test_values_beyond_a_kind_are_found(room: Dataset, run: Run, family: str) -> None:
    plant.cells(room, family, WRONG[family])
    assert states(run(room, family)) == {("values", family)}


def test_a_depth_map_of_a_few_flat_planes_is_a_depth_map(room: Dataset, run: Run) -> None:
    plant.cells(room, "truth_depth", lambda cell: as_png16(cell, png16(cell) // 4096 * 4096))
    assert ("values", "truth_depth") in states(run(room, "truth_depth"), "pass")


@on_photos
@pytest.mark.parametrize("top", [1, 255])
def test_soft_edges_cut_at_a_threshold_or_divided_by_255_are_found(photos: Dataset, run: Run, top: int) -> None:
    plant.conditions(photos, "lineart", lambda soft: (soft > 60).astype(np.uint8) * np.uint8(top))
    assert states(run(photos, "lineart")) == {("values", "lineart")}


@on_photos
def test_other_settings_than_the_card_s_are_found(photos: Dataset, run: Run) -> None:
    plant.conditions(photos, "lineart", lambda soft: cv2.GaussianBlur(soft, (0, 0), 4))
    assert states(run(photos, "lineart")) == {("agreement", "lineart")}


def test_hashes_that_are_another_picture_s_are_found(photos: Dataset, run: Run) -> None:
    if not PHOTOS:
        pytest.skip("no photographs here")
    plant.rewrite(photos, "phash", plant.rolled)
    assert states(run(photos, "phash")) == {("agreement", "phash")}


def test_failures_are_counted_by_code(room: Dataset, run: Run) -> None:
    plant.rewrite(room, "canny", plant.failing(0.3))
    found = run(room, "canny")
    assert states(found) == {("failed", "canny")}
    assert "annotate " in said(found, "failed", "canny")
