import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from train.control.scale import at_places, guess_scales, overall, strides_of

STABLE_DIFFUSION = [1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8]  # of the 13 places of Stable Diffusion 1.5


def test_the_places_of_a_base_shrink_as_its_residuals_do() -> None:
    unet = UNet2DConditionModel(block_out_channels=(32, 32, 32, 32), cross_attention_dim=8)
    net = ControlNetModel.from_unet(unet)
    latents, text, hints = torch.zeros(1, 4, 16, 16), torch.zeros(1, 2, 8), torch.zeros(1, 3, 128, 128)
    down, middle = net(latents, 0, text, hints, return_dict=False)
    assert strides_of(unet) == [16 // residual.shape[-1] for residual in (*down, middle)] == STABLE_DIFFUSION


def test_the_released_codes_guess_mode_falls_by_0_825_from_each_place_to_the_one_before() -> None:
    scales = guess_scales("code", STABLE_DIFFUSION)
    assert scales[0] == pytest.approx(0.0994, abs=1e-4)
    assert scales[-1] == 1
    assert scales[5] / scales[6] == pytest.approx(0.825)


def test_diffusers_guess_mode_is_within_six_thousandths_of_the_released_codes() -> None:
    code, diffusers = (guess_scales(guess, STABLE_DIFFUSION) for guess in ("code", "diffusers"))
    assert list(diffusers) == pytest.approx(torch.logspace(-1, 0, 13).tolist(), rel=1e-6)
    assert max(abs(one / other - 1) for one, other in zip(code, diffusers, strict=True)) < 0.0061


def test_the_papers_weighting_is_sixty_four_through_the_size_of_a_place() -> None:
    assert guess_scales("paper", STABLE_DIFFUSION) == (1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8)


def test_one_factor_is_the_same_at_every_place() -> None:
    assert at_places(0.5, 3) == (0.5, 0.5, 0.5)
    assert overall(0.5) == 0.5
