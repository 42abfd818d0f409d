import torch
from diffusers import ControlNetModel
from torch import Tensor

from train.base import Base
from train.controlnet import predict, trainable_copy


def test_an_untrained_controlnet_leaves_the_locked_copy_unchanged(base: Base, controlnet: ControlNetModel) -> None:
    noisy, timesteps, text, hint = _inputs(base)
    with torch.no_grad():
        alone = base.unet(noisy, timesteps, encoder_hidden_states=text, return_dict=False)[0]
        together = predict(base.unet, controlnet, noisy, timesteps, text, hint=hint)
    assert torch.equal(together, alone)


def test_gradients_wake_up_from_the_zero_convolutions_inwards(base: Base, controlnet: ControlNetModel) -> None:
    # The zero convolutions first, then the copy and the hint encoder's last layer, then the rest of the hint encoder.
    optimizer = torch.optim.AdamW(controlnet.parameters(), lr=1e-3)
    awake = []
    for _step in range(3):
        loss = predict(base.unet, controlnet, *_inputs(base)[:3], hint=_inputs(base)[3]).square().mean()
        loss.backward()
        awake.append({part for part, parameters in _parts(controlnet).items() if _any_gradient(parameters)})
        optimizer.step()
        optimizer.zero_grad()
    assert awake == [
        {"zero convolutions"},
        {"zero convolutions", "copy", "end of the hint encoder"},
        {"zero convolutions", "copy", "end of the hint encoder", "hint encoder"},
    ]


def test_the_locked_copy_takes_no_gradient_and_stays_in_evaluation_mode(
    base: Base, controlnet: ControlNetModel
) -> None:
    predict(base.unet, controlnet, *_inputs(base)[:3], hint=_inputs(base)[3]).square().mean().backward()
    for part in (base.vae, base.unet, base.text_encoder):
        assert not part.training
        assert all(not parameter.requires_grad and parameter.grad is None for parameter in part.parameters())


def test_the_trainable_copy_shares_no_weights_with_the_locked_one(base: Base, controlnet: ControlNetModel) -> None:
    before = base.unet.conv_in.weight.clone()
    assert torch.equal(controlnet.conv_in.weight, before)
    with torch.no_grad():
        controlnet.conv_in.weight.add_(1)
    assert torch.equal(base.unet.conv_in.weight, before)


def test_one_seed_makes_one_trainable_copy(base: Base) -> None:
    first, second, other = (trainable_copy(base.unet, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def _inputs(base: Base) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    noisy = torch.randn((2, *base.latent_shape(32)), generator=generator)
    text = torch.randn((2, 12, base.unet.config.cross_attention_dim), generator=generator)
    return noisy, torch.tensor([10, 700]), text, torch.rand((2, 3, 32, 32), generator=generator)


def _parts(controlnet: ControlNetModel) -> dict[str, list[torch.nn.Parameter]]:
    hint_encoder = controlnet.controlnet_cond_embedding
    end = list(hint_encoder.conv_out.parameters())
    zero = [*controlnet.controlnet_down_blocks.parameters(), *controlnet.controlnet_mid_block.parameters()]
    copied = (controlnet.conv_in, controlnet.time_embedding, controlnet.down_blocks, controlnet.mid_block)
    return {
        "zero convolutions": zero,
        "copy": [parameter for part in copied for parameter in part.parameters()],
        "end of the hint encoder": end,
        "hint encoder": [*hint_encoder.conv_in.parameters(), *hint_encoder.blocks.parameters()],
    }


def _any_gradient(parameters: list[torch.nn.Parameter]) -> bool:
    return any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in parameters)


def test_gaussian_hint_weights_let_the_hint_through_and_still_change_nothing_at_first(base: Base) -> None:
    released, gaussian = (trainable_copy(base.unet, seed=0, hint_weights=way) for way in ("released", "gaussian"))
    noisy, timesteps, text, hint = _inputs(base)
    assert _contrast(gaussian, hint) > 30 * _contrast(released, hint)
    with torch.no_grad():
        alone = base.unet(noisy, timesteps, encoder_hidden_states=text, return_dict=False)[0]
        together = predict(base.unet, gaussian, noisy, timesteps, text, hint=hint)
    assert torch.equal(together, alone)


@torch.no_grad()
def _contrast(controlnet: ControlNetModel, hint: Tensor) -> float:
    """How far what the last layer of the hint encoder reads differs from place to place."""
    encoder = controlnet.controlnet_cond_embedding
    features = torch.nn.functional.silu(encoder.conv_in(hint))
    for block in encoder.blocks:
        features = torch.nn.functional.silu(block(features))
    return float(features.std(dim=(0, 2, 3)).mean())
