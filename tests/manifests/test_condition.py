"""What is stored comes back, and takes no more room than promised."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from annotate.corpora import playroom
from manifests.condition import NO_CLASS, decode, encode
from manifests.figures import Poses, Segments, Text
from train.palette import COLOURS

DATA = Path(__file__).parents[3] / "shared/data"
PHOTOS = sorted((DATA / "photos").glob("*.jpg"))[:8]
MASKS = [  # drawn by people: classes from 1, 0 or 255 for none
    *sorted((DATA / "ade20k-sceneparsing/sampleData/annotations").glob("*.png")),
    *sorted((DATA / "nyu-kitti-samples").glob("segm_gt_0004*.png")),
]
rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("binary", (rng.random((37, 53)) > 0.8).astype(np.uint8)),
        ("binary", np.zeros((1, 1), np.uint8)),
        ("soft", rng.integers(0, 256, (41, 30), dtype=np.uint8)),
        ("classes", rng.integers(0, 150, (41, 30), dtype=np.uint8)),
    ],
)
def test_integer_conditions_come_back_exactly(kind, condition) -> None:
    assert np.array_equal(decode(kind, encode(kind, condition)), condition)


def test_depth_comes_back_within_a_step_of_its_range() -> None:
    depth = playroom.record(0, 0).truth["truth_depth"].condition
    back = decode("depth", encode("depth", depth))
    assert np.abs(back - depth).max() <= (depth.max() - depth.min()) / 65_535
    flat = np.full((4, 5), 2.5, np.float32)
    assert np.array_equal(decode("depth", encode("depth", flat)), flat)
    with pytest.raises(ValueError, match="NaN"):
        encode("depth", np.array([[np.nan]], np.float32))


def test_keypoints_come_back_exactly() -> None:
    people = tuple(rng.random((points, 3)).astype(np.float32) for points in (18, 130))
    back = decode("keypoints", encode("keypoints", Poses((30, 40), people)))
    assert back.shape == (30, 40)
    assert all(map(np.array_equal, back.people, people))
    assert decode("keypoints", encode("keypoints", Poses((3, 4), ()))).people == ()
    with pytest.raises(ValueError, match="17"):
        encode("keypoints", Poses((3, 4), (np.zeros((17, 3), np.float32),)))
    with pytest.raises(ValueError, match="NaN"):
        encode("keypoints", Poses((3, 4), (np.full((18, 3), np.nan, np.float32),)))


def test_lines_and_text_come_back_exactly() -> None:
    lines = rng.random((7, 5)).astype(np.float32)
    back = decode("lines", encode("lines", Segments((30, 40), lines)))
    assert back.shape == (30, 40)
    assert np.array_equal(back.lines, lines)
    assert decode("lines", encode("lines", Segments((3, 4), lines[:0]))).lines.shape == (0, 5)
    assert decode("text", encode("text", Text((3, 4), "a cat ✓"))) == Text((3, 4), "a cat ✓")


def test_normals_come_back_exactly_with_their_axes_in_order() -> None:
    normals = rng.integers(0, 256, (9, 7, 3)).astype(np.uint8)
    assert np.array_equal(decode("normal", encode("normal", normals)), normals)


@pytest.mark.skipif(not PHOTOS, reason="no photographs here")
def test_edges_take_at_most_0_45_of_the_bytes_of_an_rgb_png() -> None:
    stored = png = 0
    for path in PHOTOS:
        edges = cv2.Canny(cv2.imread(str(path)), 100, 200)
        stored += len(encode("binary", edges // 255)["bytes"])
        png += len(cv2.imencode(".png", cv2.merge([edges] * 3), [cv2.IMWRITE_PNG_COMPRESSION, 6])[1])
    assert stored <= 0.45 * png


@pytest.fixture(scope="module")
def class_maps() -> list[np.ndarray]:
    """Masks that people drew, [H, W] uint8 from 0, 255 for none."""
    if not MASKS:
        pytest.skip("no masks here")
    masks = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in MASKS]
    return [np.where(mask == NO_CLASS, mask, mask - np.uint8(1)) for mask in masks]


def test_class_maps_take_at_most_0_45_of_the_bytes_of_a_drawn_rgb_png(class_maps: list[np.ndarray]) -> None:
    """Measured: 0.44."""
    stored = png = 0
    for classes in class_maps:
        stored += len(encode("classes", classes)["bytes"])
        png += len(cv2.imencode(".png", COLOURS[classes][..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 6])[1])
    assert stored <= 0.45 * png


def test_no_pixel_of_a_class_map_changes_its_class_where_a_jpeg_changes_several_percent(
    class_maps: list[np.ndarray],
) -> None:
    """Measured: 1.8 to 6.1 % of the pixels, read back by the nearest colour from a JPEG of quality 95."""
    for classes in class_maps:
        assert np.array_equal(decode("classes", encode("classes", classes)), classes)
        drawn = COLOURS[classes]
        jpeg = cv2.imdecode(cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], cv2.IMREAD_COLOR)
        nearest = np.abs(jpeg[::4, ::4, None].astype(int) - COLOURS.astype(int)).sum(-1).argmin(-1)
        assert (COLOURS[nearest] != drawn[::4, ::4]).any(-1).mean() > 0.01
