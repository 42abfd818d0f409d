import pytest
import torch
from diffusers import DDPMScheduler

from train.diffusion import noised, sample_losses, signal_shares, snr_weights, target


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


def test_min_snr_weighs_as_the_ratio_cut_at_gamma_does_for_the_picture_itself() -> None:
    # The loss of an answer is that of the picture it stands for times snr (epsilon) or snr + 1 (velocity), so that the
    # weights bring both to min(snr, gamma).
    shares = torch.tensor([0.0, 0.01, 0.5, 0.9, 0.999])
    ratios = shares / (1 - shares)
    for_the_picture = ratios.clamp(max=5.0)
    epsilon, velocity = (snr_weights(shares, gamma=5.0, prediction=way) for way in ("epsilon", "v_prediction"))
    torch.testing.assert_close(epsilon * ratios, for_the_picture)
    torch.testing.assert_close(velocity * (ratios + 1), for_the_picture)
    assert epsilon.tolist()[:3] == [1.0, 1.0, 1.0]  # of a ratio below gamma; also where no signal is left


def test_an_endless_gamma_leaves_the_loss_of_an_epsilon_base_as_it_is() -> None:
    shares = signal_shares(DDPMScheduler())
    assert torch.equal(snr_weights(shares, gamma=float("inf"), prediction="epsilon"), torch.ones(1000))


def test_min_snr_of_a_base_of_velocity_agrees_with_the_errors_of_pictures() -> None:
    # The picture is sqrt(a) x_t - sqrt(1 - a) v: an error of v is one of the picture times sqrt(1 - a).
    shares, error = torch.tensor([0.3, 0.95]), torch.tensor([0.2, 0.2])
    of_pictures = ((1 - shares).sqrt() * error).square() * (shares / (1 - shares)).clamp(max=5.0)
    torch.testing.assert_close(snr_weights(shares, gamma=5.0, prediction="v_prediction") * error.square(), of_pictures)
