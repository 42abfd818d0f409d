"""Provided people and lines are read from JSON of the usual shapes, or refused with a reason."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotate.image import Picture
from annotate.opening import Unusable
from annotate.provided.forms import FORMS
from manifests.figures import BODY, WHOLE_BODY, Poses, Segments

COCO = np.random.default_rng(0).uniform(2, 38, (17, 3)).round(1)
COCO[:, 2] = 2
OPENPOSE = np.random.default_rng(1).uniform(2, 38, (BODY, 3)).round(1)
OPENPOSE[:, 2] = 0.5
LINES = [[1.0, 2.0, 30.0, 4.0], [5.0, 6.0, 7.0, 38.0]]


@pytest.fixture
def photo(picture: Callable[..., Picture]) -> Picture:
    return picture(60, 40)


def people(said: Any, photo: Picture) -> Poses:
    return FORMS["keypoints"].read(said if isinstance(said, bytes) else json.dumps(said).encode(), photo).condition


WAYS = {
    "a list of points": [OPENPOSE.tolist()],
    "all numbers in a row": [OPENPOSE.ravel().tolist()],
    "OpenPose's own file": {"version": 1.3, "people": [{"pose_keypoints_2d": OPENPOSE.ravel().tolist()}]},
    "COCO's annotations": {"annotations": [{"keypoints": OPENPOSE.ravel().tolist(), "num_keypoints": 18}]},
}


@pytest.mark.parametrize("said", WAYS.values(), ids=WAYS)
def test_people_are_found_in_every_usual_shape(said: Any, photo: Picture) -> None:
    (person,) = people(said, photo).people
    assert np.allclose(person, OPENPOSE, atol=1e-3)


def test_a_tables_own_lists_need_no_json(photo: Picture) -> None:
    assert np.allclose(FORMS["keypoints"].read([OPENPOSE.tolist()], photo).condition.people[0], OPENPOSE, atol=1e-3)


def test_left_and_right_of_coco_stay_what_they_are(photo: Picture) -> None:
    (body,) = people([COCO.tolist()], photo).people
    nose, right_wrist, left_ankle, right_eye, left_ear = (body[point, :2] for point in (0, 4, 13, 14, 17))
    wanted = (COCO[point, :2] for point in (0, 10, 15, 2, 3))
    assert np.allclose([nose, right_wrist, left_ankle, right_eye, left_ear], list(wanted), atol=1e-3)


def test_there_is_no_neck_without_both_shoulders(photo: Picture) -> None:
    person = COCO.copy()
    person[5] = 0
    (body,) = people([person.tolist()], photo).people
    assert (body[1] == 0).all()
    assert (body[5] == 0).all()
    assert body[2, 2] == 1


def test_hidden_points_count_and_unlabelled_ones_do_not(photo: Picture) -> None:
    person = COCO.copy()
    person[0, 2], person[1, 2] = 1, 0
    (body,) = people([person.tolist()], photo).people
    assert body[0, 2] == 1
    assert (body[15] == 0).all()


def test_hands_and_face_may_come_along(photo: Picture) -> None:
    whole = np.full((WHOLE_BODY, 3), 1.0)
    assert people([whole.tolist()], photo).people[0].shape == (WHOLE_BODY, 3)


@pytest.mark.parametrize("said", [[], {"people": []}, [np.zeros((17, 3)).tolist()]])
def test_nobody_is_nobody(said: Any, photo: Picture) -> None:
    assert people(said, photo).people == ()


def test_lines_have_scores_or_count_fully(photo: Picture) -> None:
    scored = [[*line, 0.25] for line in LINES]
    for said, score in ((LINES, 1.0), ({"lines": scored}, 0.25)):
        lines = FORMS["lines"].read(json.dumps(said), photo).condition
        assert isinstance(lines, Segments)
        assert np.allclose(lines.lines, [[*line, score] for line in LINES])
    assert not len(FORMS["lines"].read(b"[]", photo).condition.lines)


SPOILT: dict[str, tuple[str, Any, str]] = {
    "no JSON": ("keypoints", b"{", "json"),
    "not UTF-8": ("keypoints", b"\xff\xfe\x00", "json"),
    "100,000 nested lists": ("keypoints", b"[" * 100_000, "json"),
    "lists nested in balance": ("lines", b"[" * 900 + b"]" * 900, "json"),
    "a number of 10,000 digits": ("lines", b"[[" + b"9" * 10_000 + b"]]", "json"),
    "a number beyond floats": ("lines", b"[[1" + b"0" * 400 + b", 1, 1, 1]]", "json"),
    "a number beyond 32 bits": ("lines", b"[[1e300, 1, 1, 1]]", "values"),
    "NaN": ("lines", b"[[NaN, 1, 1, 1]]", "values"),
    "infinity": ("keypoints", json.dumps([np.full((17, 3), np.inf).tolist()]).encode(), "values"),
    "null": ("keypoints", b"null", "json"),
    "a word": ("keypoints", b'"people"', "json"),
    "a number": ("lines", b"7", "shape"),
    "an object without people": ("keypoints", b'{"person": 1}', "json"),
    "lines that are objects": ("lines", b'[{"x1": 1}]', "json"),
    "points of 16": ("keypoints", json.dumps([np.ones((16, 3)).tolist()]).encode(), "shape"),
    "points in pairs": ("keypoints", json.dumps([np.ones((17, 2)).tolist()]).encode(), "shape"),
    "points of unlike lengths": ("keypoints", b"[[[1, 2], [3]]]", "json"),
    "a visibility of 3": ("keypoints", json.dumps([np.full((17, 3), 3).tolist()]).encode(), "values"),
    "a negative score": ("lines", b"[[1, 1, 2, 2, -1]]", "values"),
    "a million people": ("keypoints", json.dumps([0] * 1_000_000).encode(), "too_many"),
    "a million lines": ("lines", json.dumps([0] * 1_000_000).encode(), "too_many"),
    "17 megabytes": ("keypoints", b" " * (17 << 20), "too_long"),
    "points of a larger picture": (
        "keypoints",
        json.dumps([np.full((17, 3), [500, 500, 2]).tolist()]).encode(),
        "outside",
    ),
    "lines beyond the picture": ("lines", b"[[100, 100, 1e30, 1e30]]", "outside"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_is_no_figure_is_refused_with_a_reason(name: str, photo: Picture) -> None:
    form, cell, reason = SPOILT[name]
    with pytest.raises(Unusable) as refusal:
        FORMS[form].read(cell, photo)
    assert refusal.value.reason == reason, refusal.value.detail
