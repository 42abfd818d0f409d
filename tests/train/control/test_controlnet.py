import torch
from torch import Tensor

from manifests.control import ControlSettings
from tests.train.control.toy_inputs import inputs
from train.base import Base
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.hint_encoder import PaperHintEncoder
from train.control.registry import build_control


def net(control: Control) -> ControlNet:
    assert isinstance(control, ControlNet)
    return control


def test_an_untrained_controlnet_leaves_the_locked_copy_unchanged(base: Base, control: Control) -> None:
    noisy, timesteps, text, hints, present = inputs(base)
    with torch.no_grad():
        alone = base.unet(noisy, timesteps, **text.of(torch.float32)).sample
        together = control(noisy, timesteps, text, hints, present)
    assert torch.equal(together, alone)


def test_gradients_wake_up_from_the_zero_convolutions_inwards(base: Base, control: Control) -> None:
    # The zero convolutions first, then the copy and the hint encoder's last layer, then the rest of the hint encoder.
    optimizer = torch.optim.AdamW(control.parameters(), lr=1e-3)
    awake = []
    for _step in range(3):
        control(*inputs(base)).square().mean().backward()
        awake.append({part for part, parameters in _parts(net(control)).items() if _any_gradient(parameters)})
        optimizer.step()
        optimizer.zero_grad()
    assert awake == [
        {"zero convolutions"},
        {"zero convolutions", "copy", "end of the hint encoder"},
        {"zero convolutions", "copy", "end of the hint encoder", "hint encoder"},
    ]


def test_the_locked_copy_takes_no_gradient_and_stays_in_evaluation_mode(base: Base, control: Control) -> None:
    control(*inputs(base)).square().mean().backward()
    for part in (base.vae, base.unet, base.text_encoder):
        assert not part.training
        assert all(not parameter.requires_grad and parameter.grad is None for parameter in part.parameters())


def test_the_trainable_copy_shares_no_weights_with_the_locked_one(base: Base, control: Control) -> None:
    before, copied = base.unet.conv_in.weight.clone(), net(control).net
    assert torch.equal(copied.conv_in.weight, before)
    with torch.no_grad():
        copied.conv_in.weight.add_(1)
    assert torch.equal(base.unet.conv_in.weight, before)


def test_the_locked_copy_is_none_of_what_is_trained_or_saved(base: Base, control: Control) -> None:
    mine = sum(parameter.numel() for parameter in net(control).net.parameters())
    assert sum(parameter.numel() for parameter in control.parameters()) == mine
    assert all(name.startswith("net.") for name in control.state_dict())


def test_one_seed_makes_one_trainable_copy(base: Base) -> None:
    first, second, other = (build_control(base.unet, ControlSettings(), seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_a_condition_that_a_sample_lacks_has_no_say(base: Base, control: Control) -> None:
    noisy, timesteps, text, hints, _ = inputs(base)
    with torch.no_grad():
        for parameter in net(control).net.parameters():
            parameter.add_(0.05)
        alone = base.unet(noisy, timesteps, **text.of(torch.float32)).sample
        one, both = (
            control(noisy, timesteps, text, hints, torch.tensor(mask)) for mask in ([[1.0], [0.0]], [[1.0]] * 2)
        )
    assert torch.equal(one[0], both[0])
    assert torch.equal(one[1], alone[1])
    assert not torch.equal(both[1], alone[1])


def test_gaussian_hint_weights_let_the_hint_through_and_still_change_nothing_at_first(base: Base) -> None:
    released, gaussian = (
        build_control(base.unet, ControlSettings(hint_weights=way), seed=0) for way in ("released", "gaussian")
    )
    noisy, timesteps, text, hints, present = inputs(base)
    assert _contrast(net(gaussian), hints[:, 0]) > 30 * _contrast(net(released), hints[:, 0])
    with torch.no_grad():
        alone = base.unet(noisy, timesteps, **text.of(torch.float32)).sample
        together = gaussian(noisy, timesteps, text, hints, present)
    assert torch.equal(together, alone)


@torch.no_grad()
def _contrast(control: ControlNet, hint: Tensor) -> float:
    """How far what the last layer of the hint encoder reads differs from place to place."""
    encoder = control.net.controlnet_cond_embedding
    features = torch.nn.functional.silu(encoder.conv_in(hint))
    for block in encoder.blocks:
        features = torch.nn.functional.silu(block(features))
    return float(features.std(dim=(0, 2, 3)).mean())


def _parts(control: ControlNet) -> dict[str, list[torch.nn.Parameter]]:
    copied, hint_encoder = control.net, control.net.controlnet_cond_embedding
    zero = [*copied.controlnet_down_blocks.parameters(), *copied.controlnet_mid_block.parameters()]
    parts = (copied.conv_in, copied.time_embedding, copied.down_blocks, copied.mid_block)
    return {
        "zero convolutions": zero,
        "copy": [parameter for part in parts for parameter in part.parameters()],
        "end of the hint encoder": list(hint_encoder.conv_out.parameters()),
        "hint encoder": [*hint_encoder.conv_in.parameters(), *hint_encoder.blocks.parameters()],
    }


def _any_gradient(parameters: list[torch.nn.Parameter]) -> bool:
    return any(parameter.grad is not None and bool(parameter.grad.any()) for parameter in parameters)


def test_a_random_copy_has_none_of_the_bases_weights(base: Base) -> None:
    random = net(build_control(base.unet, ControlSettings(start="random"), seed=0)).net.state_dict()
    copied = net(build_control(base.unet, ControlSettings(), seed=0)).net.state_dict()
    assert random.keys() == copied.keys()
    drawn = [name for name, tensor in base.unet.state_dict().items() if name in random and tensor.std() > 0]
    assert len(drawn) > 40
    assert not any(torch.equal(random[name], copied[name]) for name in drawn if name.endswith("weight"))


@torch.no_grad()
def test_gaussian_connections_pass_features_on_in_the_size_they_have(base: Base) -> None:
    copied = net(build_control(base.unet, ControlSettings(connections="gaussian"), seed=0)).net
    noisy, timesteps, text, hints, _ = inputs(base)
    residuals, middle = copied(
        noisy, timesteps, **text.of(torch.float32), controlnet_cond=hints[:, 0], return_dict=False
    )
    seen: list[Tensor] = []
    for connection in (*copied.controlnet_down_blocks, copied.controlnet_mid_block):
        connection.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    copied(noisy, timesteps, **text.of(torch.float32), controlnet_cond=hints[:, 0])
    ratios = [
        float(made.square().mean() / read.square().mean())
        for made, read in zip((*residuals, middle), seen, strict=True)
    ]
    assert all(0.3 < ratio < 3 for ratio in ratios)
    assert abs(sum(ratios) / len(ratios) - 1) < 0.4


def test_with_gaussian_connections_the_copy_is_awake_at_once_and_the_hint_one_step_later(base: Base) -> None:
    control = build_control(base.unet, ControlSettings(connections="gaussian"), seed=0)
    control(*inputs(base)).square().mean().backward()
    awake = {part for part, parameters in _parts(net(control)).items() if _any_gradient(parameters)}
    assert awake == {"zero convolutions", "copy", "end of the hint encoder"}


def test_the_papers_hint_encoder_is_four_convolutions_of_4x4_and_brings_512_pixels_to_64_cells() -> None:
    encoder = PaperHintEncoder(3, 320)
    shapes = [tuple(convolution.weight.shape) for convolution in encoder.blocks]
    assert shapes == [(16, 3, 4, 4), (32, 16, 4, 4), (64, 32, 4, 4), (128, 64, 4, 4)]
    assert encoder(torch.rand(1, 3, 512, 512)).shape == (1, 320, 64, 64)
    assert not any(parameter.any() for parameter in encoder.conv_out.parameters())
