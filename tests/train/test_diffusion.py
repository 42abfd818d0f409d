import pytest
import torch
from diffusers import DDPMScheduler

from train.diffusion import noised, sample_losses, signal_shares, target


def test_noising_agrees_with_diffusers() -> None:
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    latents, noise, timesteps = torch.randn(3, 4, 4, 4), torch.randn(3, 4, 4, 4), torch.tensor([0, 500, 999])
    expected = scheduler.add_noise(latents, noise, timesteps)
    torch.testing.assert_close(noised(latents, noise, signal_shares(scheduler)[timesteps]), expected)


def test_a_v_prediction_base_is_asked_for_the_velocity() -> None:
    scheduler = DDPMScheduler(prediction_type="v_prediction")
    latents, noise, timesteps = torch.randn(3, 4, 4, 4), torch.randn(3, 4, 4, 4), torch.tensor([0, 500, 999])
    wanted = target(latents, noise, signal_shares(scheduler)[timesteps], prediction="v_prediction")
    torch.testing.assert_close(wanted, scheduler.get_velocity(latents, noise, timesteps))


def test_a_base_that_predicts_the_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="prediction_type 'sample'"):
        signal_shares(DDPMScheduler(prediction_type="sample"))


def test_the_loss_of_a_sample_is_the_mean_square_of_its_error() -> None:
    answer, wanted = torch.zeros(2, 1, 2, 2), torch.stack([torch.ones(1, 2, 2), torch.full((1, 2, 2), 3.0)])
    assert sample_losses(answer, wanted).tolist() == [1.0, 9.0]
