"""The objective: noise a latent, ask for the noise back, take the mean square of the error."""

import torch
from diffusers import DDPMScheduler
from torch import Tensor

PREDICTIONS = ("epsilon", "v_prediction")


def signal_shares(scheduler: DDPMScheduler) -> Tensor:
    """Give the cumulative share of signal left after each timestep (alpha-bar, Eq. 4 of Ho et al. 2020).

    Returns:
        [timesteps] float32 in (0, 1), falling.
    """
    prediction = scheduler.config.prediction_type
    if prediction not in PREDICTIONS:
        raise ValueError(
            f"base: its scheduler says prediction_type '{prediction}', training knows {' and '.join(PREDICTIONS)}. "
            "Take a base of one of these"
        )
    return torch.as_tensor(scheduler.alphas_cumprod, dtype=torch.float32)


def noised(latents: Tensor, noise: Tensor, shares: Tensor) -> Tensor:
    """Mix latents with noise (Eq. 4 of Ho et al. 2020).

    Args:
        latents: [B, C, h, w] float32, scaled.
        noise: [B, C, h, w] float32 standard normal.
        shares: [B] float32 in (0, 1): alpha-bar at each sample's timestep.

    Returns:
        [B, C, h, w] float32.
    """
    return _column(shares.sqrt()) * latents + _column((1 - shares).sqrt()) * noise


def target(latents: Tensor, noise: Tensor, shares: Tensor, *, prediction: str) -> Tensor:
    """Give what the network should answer, [B, C, h, w] float32: the noise, or the velocity of a v-prediction base.

    Args:
        latents: [B, C, h, w] float32, scaled.
        noise: [B, C, h, w] float32 standard normal.
        shares: [B] float32 in (0, 1).
        prediction: "epsilon", or "v_prediction" (Eq. 9 of Salimans & Ho 2022).
    """
    if prediction == "epsilon":
        return noise
    assert prediction == "v_prediction", prediction
    return _column(shares.sqrt()) * noise - _column((1 - shares).sqrt()) * latents


def sample_losses(answer: Tensor, wanted: Tensor) -> Tensor:
    """Take the mean square error of each sample.

    Args:
        answer: [B, C, h, w] float32.
        wanted: [B, C, h, w] float32.

    Returns:
        [B] float32, at least 0.
    """
    return (answer.float() - wanted.float()).square().flatten(1).mean(dim=1)


def snr_weights(shares: Tensor, *, gamma: float, prediction: str) -> Tensor:
    """Weigh samples by min-SNR (Eq. 5 of Hang et al. 2023), in the form of each kind of prediction.

    Args:
        shares: [B] float32 in [0, 1): alpha-bar; the signal-to-noise ratio is alpha-bar / (1 - alpha-bar).
        gamma: the ratio beyond which a sample weighs no more than one of ratio gamma, as an answer for the picture.
        prediction: "epsilon": min(snr, gamma) / snr; "v_prediction": min(snr, gamma) / (snr + 1).

    Returns:
        [B] float32 in [0, 1], to be multiplied with the loss of each sample.
    """
    ratios = shares / (1 - shares)
    if prediction == "epsilon":
        return (gamma / ratios).clamp(max=1)  # divided first, so that no signal at all weighs 1
    assert prediction == "v_prediction", prediction
    return ratios.clamp(max=gamma) / (ratios + 1)


def _column(values: Tensor) -> Tensor:
    return values[:, None, None, None]
