"""People are drawn as controlnet_aux draws them, pixel for pixel."""

import numpy as np
import pytest
from controlnet_aux.open_pose import BodyResult, Keypoint, PoseResult, draw_poses

from manifests.figures import BODY, FACE, HAND, WHOLE_BODY, Poses
from train.hints import hint

HEIGHT, WIDTH = 230, 310
rng = np.random.default_rng(0)


def people(count: int, points: int) -> tuple[np.ndarray, ...]:
    """Points anywhere within pixels (a whole number may move when it is divided by a width), one in five missing."""
    drawn = []
    for _ in range(count):
        place = rng.integers((0, 0), (WIDTH, HEIGHT), (points, 2)) + rng.uniform(0.2, 0.8, (points, 2))
        score = rng.uniform(0.1, 1, points) * (rng.random(points) > 0.2)
        drawn.append((np.column_stack([place, score]) * (score > 0)[:, None]).astype(np.float32))
    return tuple(drawn)


def as_theirs(person: np.ndarray) -> PoseResult:
    body = [Keypoint(x / WIDTH, y / HEIGHT) if score else None for x, y, score in person[:BODY].astype(float)]
    parts = [  # a missing point of a hand or face is at -1
        [Keypoint(x / WIDTH, y / HEIGHT) if score else Keypoint(-1 / WIDTH, -1 / HEIGHT) for x, y, score in points]
        for points in np.split(person.astype(float), [BODY, BODY + HAND, BODY + 2 * HAND])[1:]
    ]
    left, right, face = (points or None for points in parts)
    return PoseResult(BodyResult(body, 0, 0), left, right, face)


@pytest.mark.parametrize("points", [BODY, WHOLE_BODY])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_people_are_drawn_as_controlnet_aux_draws_them(count: int, points: int) -> None:
    crowd = people(count, points)
    theirs = draw_poses([as_theirs(person) for person in crowd], HEIGHT, WIDTH)
    ours = (hint("keypoints", Poses((HEIGHT, WIDTH), crowd)).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    assert ours.any() == bool(count)
    assert np.array_equal(ours, theirs)


def test_a_point_of_a_hand_in_the_first_column_is_not_drawn_and_one_of_a_body_is() -> None:
    person = np.zeros((WHOLE_BODY, 3), np.float32)
    person[BODY] = 0, 50, 1
    assert not hint("keypoints", Poses((HEIGHT, WIDTH), (person,))).any()
    person[0] = 0, 50, 1
    assert hint("keypoints", Poses((HEIGHT, WIDTH), (person,))).any()


def test_the_face_has_seventy_white_dots() -> None:
    person = np.zeros((WHOLE_BODY, 3), np.float32)
    place = np.arange(FACE)
    person[-FACE:] = np.column_stack([10 + 20 * (place % 10), 10 + 20 * (place // 10), np.ones(FACE)])
    drawn = hint("keypoints", Poses((HEIGHT, WIDTH), (person,)))
    assert (drawn.sum(0) == 3).sum() == FACE * 29  # pixels of a disc of radius 3
