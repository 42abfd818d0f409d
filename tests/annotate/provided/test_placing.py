"""A provided condition lies on its picture, however that was turned or shrunk, or it is refused."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from annotate.image import TURNS, Picture
from annotate.opening import Unusable
from annotate.provided.forms import FORMS
from annotate.provided.placing import QUARTER_TURNS
from manifests.condition import Condition

Photo = Callable[..., Picture]
Encode = Callable[..., bytes]


def refused(form: str, cell: bytes, photo: Picture) -> str:
    with pytest.raises(Unusable) as refusal:
        FORMS[form].read(cell, photo)
    return refusal.value.reason


def ramp(width: int, height: int) -> np.ndarray:
    """No two corners alike: [H, W] uint8."""
    return np.add.outer(np.linspace(0, 100, height), np.linspace(0, 150, width)).astype(np.uint8)


def soft(width: int, height: int, photo: Picture, as_png: Encode) -> Condition:
    return FORMS["soft"].read(as_png(ramp(width, height)), photo).condition


@pytest.mark.parametrize(("width", "height"), [(640, 480), (320, 240), (213, 160), (641, 480), (1280, 959)])
def test_a_condition_of_the_pictures_aspect_keeps_its_own_size(
    width: int, height: int, picture: Photo, as_png: Encode
) -> None:
    assert np.array_equal(soft(width, height, picture(640, 480), as_png), ramp(width, height))


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [(480, 640, "aspect"), (640, 470, "aspect"), (512, 512, "aspect"), (128, 96, "size"), (2600, 1950, "size")],
)
def test_another_aspect_or_a_size_far_off_is_refused(
    width: int, height: int, reason: str, picture: Photo, as_png: Encode
) -> None:
    assert refused("soft", as_png(ramp(width, height)), picture(640, 480)) == reason


@pytest.mark.parametrize("orientation", QUARTER_TURNS)
def test_a_condition_of_the_sources_pixels_is_turned_with_them(
    orientation: int, picture: Photo, as_png: Encode
) -> None:
    photo = picture(64, 48, orientation)
    assert (photo.width, photo.height) == (48, 64)
    turned = np.asarray(Image.fromarray(ramp(64, 48)).transpose(TURNS[orientation]))
    assert np.array_equal(soft(64, 48, photo, as_png), turned)


@pytest.mark.parametrize("orientation", QUARTER_TURNS)
def test_a_condition_that_stands_upright_already_stays(orientation: int, picture: Photo, as_png: Encode) -> None:
    assert np.array_equal(soft(48, 64, picture(64, 48, orientation), as_png), ramp(48, 64))


def test_where_nothing_tells_how_it_is_turned_it_is_refused(picture: Photo, as_png: Encode) -> None:
    for orientation in (2, 3, 4):
        assert refused("soft", as_png(ramp(64, 48)), picture(64, 48, orientation)) == "exif"
    assert refused("soft", as_png(ramp(64, 64)), picture(64, 64, 6)) == "exif"
    assert refused("keypoints", b"[]", picture(64, 48, 6)) == "exif"
    assert refused("lines", b"[]", picture(64, 48, 3)) == "exif"


def test_people_shrink_with_their_picture_and_rasters_do_not(picture: Photo, as_png: Encode) -> None:
    photo = picture(640, 480, max_side=320)
    assert (photo.width, photo.height) == (320, 240)
    assert soft(640, 480, photo, as_png).shape == (480, 640)
    person = np.full((18, 3), [99.5, 199.5, 1.0])
    poses = FORMS["keypoints"].read(json.dumps([person.tolist()]).encode(), photo).condition
    assert poses.shape == (240, 320)
    assert np.allclose(poses.people[0], [49.5, 99.5, 1.0], atol=1e-3)  # between pixels 99 and 100: between 49 and 50


def test_points_outside_are_gone_and_lines_are_cut(picture: Photo) -> None:
    person = np.full((18, 3), [10.0, 10.0, 1.0])
    person[4, 0] = 90
    (body,) = FORMS["keypoints"].read(json.dumps([person.tolist()]).encode(), picture(64, 48)).condition.people
    assert body[4, 2] == 0
    assert (np.delete(body, 4, axis=0) == [10, 10, 1]).all()
    lines = FORMS["lines"].read(b"[[10, 20, 200, 20]]", picture(64, 48)).condition.lines
    assert np.allclose(lines[:, :4], [[10, 20, 63.5, 20]])
