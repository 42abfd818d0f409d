"""Copies of a picture are found, by their bytes and by their hashes, among rows and across splits."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from annotate.image import decode
from evaluate.audit.audit import Audit
from tests.evaluate.audit import plant
from tests.evaluate.audit.conftest import PHOTOS, build
from tests.evaluate.audit.test_dataset import as_jpeg, corpus
from tests.evaluate.audit.test_families import said, states

Run = Callable[..., Audit]
pytestmark = pytest.mark.skipif(not PHOTOS, reason="no photographs here")


def cropped(data: bytes) -> bytes:
    """4 % of its width and height are gone, from the left and the top."""
    image = decode(data)[..., ::-1]
    height, width = image.shape[:2]
    return cv2.imencode(".jpg", image[round(height * 0.04) :, round(width * 0.04) :])[1].tobytes()


def test_equal_files_and_one_picture_again_and_again_are_found(tmp_path: Path, run: Run) -> None:
    data = [photo.read_bytes() for photo in PHOTOS[:20]]
    pictures = {f"{at:03d}.jpg": data[at] if at < 20 else data[0] for at in range(32)}
    dataset = build(tmp_path / "photos", corpus(tmp_path / "corpus", pictures), ["canny"], (), 64)
    found = run(dataset)
    assert states(found) == {("duplicates", "")}
    assert "the largest cluster (exact) has 13 rows" in said(found, "duplicates", "")


def test_copies_of_other_bytes_are_found_by_their_hashes_and_as_leaks(tmp_path: Path, run: Run) -> None:
    pictures = {f"{at:03d}.jpg": photo.read_bytes() for at, photo in enumerate(PHOTOS)}
    pictures |= {f"{at:03d}_copy.jpg": as_jpeg(pictures[f"{at:03d}.jpg"], 60) for at in range(0, len(PHOTOS), 2)}
    dataset = build(tmp_path / "photos", corpus(tmp_path / "corpus", pictures), ["phash"], (), 0)
    found = run(dataset)
    assert states(found) == {("duplicates", ""), ("splits", "")}
    assert "have a near copy in train" in said(found, "splits", "")


def test_cropped_copies_are_found_beside_a_flat_picture_and_whichever_family_is_asked_for(
    tmp_path: Path, run: Run
) -> None:
    pictures = {f"{at:03d}.jpg": photo.read_bytes() for at, photo in enumerate(PHOTOS)}
    pictures |= {f"{at:03d}_copy.jpg": cropped(pictures[f"{at:03d}.jpg"]) for at in range(0, len(PHOTOS), 2)}
    pictures["white.jpg"] = cv2.imencode(".jpg", np.full((96, 96, 3), 255, np.uint8))[1].tobytes()
    dataset = build(tmp_path / "photos", corpus(tmp_path / "corpus", pictures), ["canny", "phash"], (), 64)
    found = run(dataset, "canny")
    assert states(found) == {("duplicates", ""), ("splits", "")}
    assert f"{len(PHOTOS) // 2} of {len(pictures)} rows are in" in said(found, "duplicates", "")


def test_near_copies_are_not_sought_without_hashes_of_all_rows(tmp_path: Path, run: Run) -> None:
    pictures = {f"{at:03d}.jpg": photo.read_bytes() for at, photo in enumerate(PHOTOS[:6])}
    found = run(build(tmp_path / "photos", corpus(tmp_path / "corpus", pictures), ["canny"], (), 64))
    assert {("duplicates", ""), ("splits", "")} <= states(found, "skipped")
    assert "phash was not made of every row" in said(found, "splits", "")


@pytest.mark.parametrize(("share", "wanted"), [(0.005, set()), (0.7, {("agreement", "canny")})])
def test_several_rows_of_one_picture_are_not_accused_of_each_other_s_conditions(
    tmp_path: Path, run: Run, share: float, wanted: set[tuple[str, str]]
) -> None:
    pictures = {f"{at:03d}{again}.jpg": photo.read_bytes() for at, photo in enumerate(PHOTOS[:20]) for again in (0, 1)}
    dataset = build(tmp_path / "photos", corpus(tmp_path / "corpus", pictures), ["canny"], (), 192)
    random = np.random.default_rng(0)
    plant.conditions(dataset, "canny", lambda edges: (edges * (random.random(edges.shape) >= share)).astype(np.uint8))
    assert states(run(dataset, skip=("duplicates",))) == wanted
