import cv2
import numpy as np
import pytest
import torch

from annotate.image import fit
from manifests.figures import Moments, View
from manifests.geometry import resize_picture
from train.draws import choices
from train.further import draw_hints
from train.views import Square, centre_square, chosen_view, drawn_square, moments_of, whole_square

VIEWS = [View(top, left, flip) for top, left in ((0, 0), (2, 5), (4, 1)) for flip in (False, True)]
rng = np.random.default_rng(0)


def test_pictures_are_resized_for_training_as_they_are_to_be_annotated() -> None:
    for height, width, resolution in ((47, 333, 40), (301, 302, 301), (200, 99, 128), (99, 200, 98)):
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        annotated = fit(image, resolution)
        assert np.array_equal(resize_picture(image, annotated.shape[:2]), annotated)


def test_image_and_condition_share_one_crop() -> None:
    rows, columns = np.mgrid[:40, :48]
    condition = (rows * 6 % 256).astype(np.uint8) ^ columns.astype(np.uint8)
    image = np.stack([condition] * 3, axis=-1)
    for top, left in ((0, 0), (3, 14), (8, 16)):
        square = Square((40, 48), View(top, left), 32)
        assert square.of_picture(image).shape == (32, 32, 3)
        assert np.array_equal(square.of_picture(image)[..., 0], square.of_condition("soft", condition))


def test_a_centre_square_is_cut_out_of_the_middle() -> None:
    condition = np.arange(10 * 6, dtype=np.uint8).reshape(10, 6)
    assert np.array_equal(centre_square((10, 6), 6).of_condition("soft", condition), condition[2:8])


def test_a_whole_square_shows_all_of_a_picture_and_of_its_condition() -> None:
    image, edges = np.zeros((80, 96, 3), np.uint8), np.zeros((40, 48), np.uint8)
    image[:, 48:], edges[:, 24:] = 255, 1
    square = whole_square(32)
    assert np.array_equal(square.of_picture(image)[..., 0] > 127, np.arange(32)[None] >= np.full((32, 1), 16))
    assert np.array_equal(square.of_condition("binary", edges) == 1, square.of_picture(image)[..., 0] > 127)


def test_a_picture_is_brought_to_the_size_its_condition_was_measured_at() -> None:
    image, condition = np.zeros((80, 96, 3), np.uint8), np.zeros((40, 48), np.uint8)
    image[:, 48:], condition[:, 24:] = 255, 1
    square = centre_square((40, 48), 32)
    assert np.array_equal(square.of_picture(image)[..., 0] > 127, square.of_condition("binary", condition) == 1)


def test_a_pair_smaller_than_the_square_is_enlarged_without_new_values() -> None:
    condition = np.random.default_rng(0).integers(0, 2, (20, 30)).astype(np.uint8)
    square = centre_square((20, 30), 32)
    assert square.of_picture(np.zeros((20, 30, 3), np.uint8)).shape == (32, 32, 3)
    enlarged = square.of_condition("binary", condition)
    assert enlarged.shape == (32, 32)
    assert set(np.unique(enlarged)) == {0, 1}


def test_a_square_is_cut_alike_out_of_the_picture_and_of_conditions_of_any_size() -> None:
    small = np.zeros((20, 24), np.uint8)
    small[5:12, 8:20] = 1
    large = cv2.resize(small, (48, 40), interpolation=cv2.INTER_NEAREST_EXACT)
    picture = np.repeat(large[..., None] * np.uint8(255), 3, axis=2)
    for flip in (False, True):
        square = Square((40, 48), View(6, 11, flip), 32)
        cut, *cuts = square.of_picture(picture), *(square.of_condition("binary", one) for one in (large, small))
        assert cut.shape == (32, 32, 3)
        assert all(np.array_equal(cut[..., 0] > 127, one == 1) for one in cuts)
        assert 0 < cuts[0].mean() < 1


def test_mirrored_views_are_chosen_at_the_rate_asked_for_and_all_views_alike() -> None:
    chosen = [chosen_view(VIEWS, choices(0, f"{row}", 0), flip=0.3) for row in range(3000)]
    share = np.bincount(chosen, minlength=6) / len(chosen)
    assert share[0::2] == pytest.approx([0.7 / 3] * 3, abs=0.025)
    assert share[1::2] == pytest.approx([0.3 / 3] * 3, abs=0.02)
    assert all(not VIEWS[chosen_view(VIEWS, choices(0, f"{row}", 0), flip=0)].flip for row in range(50))


def test_mirrored_views_that_nobody_encoded_are_asked_for_in_vain() -> None:
    with pytest.raises(ValueError, match=r"train.flip: 1.0, but no mirrored views .* flips: true"):
        chosen_view(VIEWS[::2], choices(0, "a", 0), flip=1.0)


def test_a_square_that_does_not_fit_enlarges_the_picture() -> None:
    square = drawn_square((20, 30), choices(0, "a", 0), side=32, flip=0.0)
    assert square.size == (32, 48)
    assert square.of_picture(np.zeros((80, 120, 3), np.uint8)).shape == (32, 32, 3)


def test_conditions_that_are_not_shown_are_black() -> None:
    edges = np.ones((8, 8), np.uint8)
    hints, present = draw_hints(["binary"] * 3, [edges, None, None], resolution=8)
    assert hints.shape == (3, 3, 8, 8)
    assert torch.equal(hints.flatten(1).mean(dim=1), torch.tensor([1.0, 0.0, 0.0]))
    assert torch.equal(present, torch.tensor([1.0, 0.0, 0.0]))


def test_latents_of_another_resolution_are_refused() -> None:
    moments = Moments((32, 40), (View(0, 0), View(0, 8)), rng.standard_normal((2, 2, 4, 4, 4)).astype(np.float16))
    assert np.array_equal(moments_of(moments, 1, shape=(4, 4, 4)), moments.values[1])
    with pytest.raises(ValueError, match="Name the family that was made with this base and resolution"):
        moments_of(moments, 1, shape=(4, 8, 8))
