"""FID is that of two normal distributions, is asked of enough pictures alone, and takes draws one at a time."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.image.fid import FrechetInceptionDistance

from evaluate.quality.frechet import fid, frechet, too_few
from tests.evaluate.quality.made_up import seen


class AsTheyAre(torch.nn.Module):
    """A network that gives back its features."""

    num_features = 16

    def forward(self, features: Tensor) -> Tensor:
        """[P, 16]."""
        return features


def test_of_two_normal_distributions_it_is_the_closed_form() -> None:
    generator = np.random.default_rng(0)
    means, spreads = (np.array([0.0, 1.0, -2.0]), np.array([1.0, 0.0, 1.0])), (np.array([1, 2, 3]), np.array([2, 2, 1]))
    one, other = (generator.normal(mean, spread, (200_000, 3)) for mean, spread in zip(means, spreads, strict=True))
    truth = ((means[0] - means[1]) ** 2).sum() + ((spreads[0] - spreads[1]) ** 2).sum()  # axes are independent
    assert frechet(one, other) == pytest.approx(truth, rel=0.01)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of its memory for features
def test_it_is_that_of_torchmetrics() -> None:
    generator = np.random.default_rng(0)
    one, other = (generator.normal(shift, 1 + shift, (300, 16)) for shift in (0.0, 0.5))
    theirs = FrechetInceptionDistance(feature=AsTheyAre(), input_img_size=(16,)).set_dtype(torch.float64)
    theirs.update(torch.from_numpy(one), real=True)
    theirs.update(torch.from_numpy(other), real=False)
    assert frechet(one, other) == pytest.approx(theirs.compute().item(), rel=1e-6)


def test_no_fid_of_too_few_pictures_and_the_reason_is_said() -> None:
    assert too_few(2_049, 2_048) == ""
    assert "more than 2,048 samples, and here are 2,048" in too_few(2_048, 2_048)


def test_draws_are_held_against_the_real_pictures_one_by_one() -> None:
    generator = np.random.default_rng(0)
    drawn, real = generator.normal(size=(50, 2, 4)) + 1, generator.normal(size=(50, 1, 4))
    apart = [frechet(seen(drawn[:, [draw]]).features, seen(real).features) for draw in range(2)]
    assert fid(seen(drawn), seen(real)) == pytest.approx(np.mean(apart))
