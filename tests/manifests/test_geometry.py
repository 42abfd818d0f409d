"""A condition is resized, cropped and flipped as its picture is."""

import numpy as np
import pytest

from manifests.figures import BODY, WHOLE_BODY, Poses, Segments
from manifests.geometry import FLIPPED, crop, flip, resize

rng = np.random.default_rng(0)
LEFT_WRIST, RIGHT_WRIST = 7, 4


def _poses(points: int = BODY) -> Poses:
    person = np.column_stack([rng.uniform(0, 39, points), rng.uniform(0, 29, points), np.ones(points)])
    return Poses((30, 40), (person.astype(np.float32),))


@pytest.mark.parametrize("points", [BODY, WHOLE_BODY])
def test_a_person_flipped_twice_is_the_same_person(points: int) -> None:
    poses = _poses(points)
    assert sorted(FLIPPED) == list(range(WHOLE_BODY))
    assert np.allclose(flip("keypoints", flip("keypoints", poses)).people[0], poses.people[0], atol=1e-4)


def test_a_left_wrist_is_a_right_one_in_the_mirror() -> None:
    poses = _poses()
    mirrored = flip("keypoints", poses).people[0]
    assert mirrored[RIGHT_WRIST, 0] == 39 - poses.people[0][LEFT_WRIST, 0]
    assert mirrored[RIGHT_WRIST, 1] == poses.people[0][LEFT_WRIST, 1]


def test_a_normal_that_faced_left_faces_right_in_the_mirror() -> None:
    normals = np.full((2, 3, 3), 128, np.uint8)
    normals[:, 0, 0] = 10
    mirrored = flip("normal", normals)
    assert mirrored[:, 2, 0].tolist() == [245, 245]
    assert np.array_equal(flip("normal", mirrored), normals)


def test_points_stay_on_the_pixels_they_mark_when_a_picture_is_resized_and_cropped() -> None:
    picture = np.zeros((30, 40), np.float32)
    picture[12, 17] = 1
    poses = _poses()
    poses.people[0][0] = (17, 12, 1)
    large = resize("soft", picture, (90, 120))
    moved = resize("keypoints", poses, (90, 120)).people[0][0]
    assert np.unravel_index(large.argmax(), large.shape) == (round(moved[1]), round(moved[0]))
    cut, point = crop(large, (20, 30), (40, 50)), crop(resize("keypoints", poses, (90, 120)), (20, 30), (40, 50))
    assert np.unravel_index(cut.argmax(), cut.shape) == (round(point.people[0][0, 1]), round(point.people[0][0, 0]))


def test_joints_outside_a_crop_are_gone_and_so_are_people_without_any() -> None:
    inside, outside = np.zeros((2, BODY, 3), np.float32)
    inside[:2] = (5, 5, 0.9), (35, 25, 0.9)
    outside[0] = (35, 25, 0.9)
    cut = crop(Poses((30, 40), (inside, outside)), (0, 0), (20, 20))
    assert len(cut.people) == 1
    assert cut.people[0][:2].tolist() == [[5, 5, np.float32(0.9)], [0, 0, 0]]


def test_lines_are_cut_at_the_borders_of_a_crop() -> None:
    lines = np.array(
        [[-10, 5, 30, 5, 0.8], [2, 2, 2, 8, 0.7], [30, 30, 35, 35, 0.6], [12, -5, 12, 40, 0.5]], np.float32
    )
    cut = crop(Segments((40, 40), lines), (0, 0), (10, 20))
    expected = [[-0.5, 5, 19.5, 5, 0.8], [2, 2, 2, 8, 0.7], [12, -0.5, 12, 9.5, 0.5]]
    assert np.allclose(cut.lines, expected, atol=1e-5)


def test_classes_stay_classes_when_resized() -> None:
    classes = rng.integers(0, 150, (20, 30)).astype(np.uint8)
    assert set(np.unique(resize("classes", classes, (33, 41)))) <= set(np.unique(classes))


@pytest.mark.parametrize("kind", ["classes", "binary"])
def test_what_is_flipped_and_resized_is_what_is_resized_and_flipped(kind: str) -> None:
    condition = rng.integers(0, 2, (24, 30)).astype(np.uint8)
    for size in ((32, 40), (48, 60), (8, 10)):  # no pixel falls between two
        assert np.array_equal(flip(kind, resize(kind, condition, size)), resize(kind, flip(kind, condition), size))
