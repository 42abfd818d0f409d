"""What training and drawing share with the paper and its released code, a line of that list in each test.

Of evaluation, and not here: guess mode (no hint in the unconditional branch, scales 0.825^(12-i)), scales by resolution
(64/h of each block, section 3.4), the part of the steps under control. Of version 1.1 alone: global average pooling.
Recipes, not constants: mid-only and then the whole, unlocking after 50,000 steps, the logger of 50 steps every 300.
"""

import datasets
import pytest
import torch
from diffusers import ControlNetModel, DDIMScheduler, UNet2DConditionModel

from manifests.control import ControlSettings
from manifests.evaluate_settings import EvaluateSettings
from manifests.manifest import Manifest
from manifests.train_settings import TrainSettings
from tests.train.control.toy_inputs import base_alone, inputs, stir
from tests.train.engines import engine_of, recipe_of
from train.base import Base, encode_images
from train.batches import Samples, loader
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.copying import trainable_copy
from train.control.registry import build_control
from train.control.unlocked_decoder import UnlockedDecoder
from train.diffusion import sample_losses, signal_shares, target
from train.draws import choices
from train.fit import fit
from train.optimizer import make_optimizer
from train.sampler import SCHEDULERS, Hints, Sampling, draw, first_noise
from train.span import Span
from train.tiny_base.architecture import noise_schedule

WIDTHS = [320] * 4 + [640] * 3 + [1280] * 5


@pytest.fixture(scope="module")
def unet() -> UNet2DConditionModel:
    """Stable Diffusion 1.5's, without weights."""
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2,
            cross_attention_dim=768,
            attention_head_dim=8,
        )


@pytest.fixture(scope="module")
def copied(unet: UNet2DConditionModel) -> ControlNetModel:
    """Its trainable copy."""
    with torch.device("meta"):
        return trainable_copy(unet, ControlSettings(), seed=0)


def millions(*modules: torch.nn.Module) -> float:
    return sum(parameter.numel() for module in modules for parameter in module.parameters()) / 1e6


# The model.


def test_the_copy_is_the_time_embedding_the_twelve_input_blocks_and_the_middle_block(
    unet: UNet2DConditionModel, copied: ControlNetModel
) -> None:
    parts = ("conv_in", "time_embedding", "down_blocks", "mid_block")
    assert millions(*(getattr(copied, part) for part in parts)) == pytest.approx(348.7, abs=0.05)
    assert millions(*(getattr(unet, part) for part in parts)) == pytest.approx(348.7, abs=0.05)
    assert millions(unet.up_blocks, unet.conv_norm_out, unet.conv_out) == pytest.approx(510.8, abs=0.05)
    assert millions(unet) == pytest.approx(859.5, abs=0.05)


def test_361_3_million_parameters_are_trained(copied: ControlNetModel) -> None:
    assert all(parameter.requires_grad for parameter in copied.parameters())
    assert millions(copied) == pytest.approx(361.3, abs=0.05)
    assert millions(copied.controlnet_down_blocks, copied.controlnet_mid_block) == pytest.approx(11.48, abs=0.005)
    assert millions(copied.controlnet_cond_embedding) == pytest.approx(1.09, abs=0.005)


def test_there_are_twelve_zero_convolutions_of_1x1_for_the_encoder_and_one_for_the_middle(
    copied: ControlNetModel,
) -> None:
    shapes = [tuple(layer.weight.shape) for layer in (*copied.controlnet_down_blocks, copied.controlnet_mid_block)]
    assert shapes == [(width, width, 1, 1) for width in [*WIDTHS, 1280]]


def test_their_weights_and_biases_are_zero(control: Control) -> None:
    assert isinstance(control, ControlNet)
    zero = [*control.net.controlnet_down_blocks.parameters(), *control.net.controlnet_mid_block.parameters()]
    assert len(zero) == 2 * (len(control.net.controlnet_down_blocks) + 1)
    assert not any(parameter.any() for parameter in zero)


def test_the_hint_encoder_is_eight_convolutions_of_3x3_of_stride_8_and_the_last_is_zero(control: Control) -> None:
    assert isinstance(control, ControlNet)
    encoder = control.net.controlnet_cond_embedding
    layers = [module for module in encoder.modules() if isinstance(module, torch.nn.Conv2d)]
    said = [(layer.in_channels, layer.out_channels, layer.stride[0]) for layer in (encoder.conv_in, *encoder.blocks)]
    assert said == [(3, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 96, 2), (96, 96, 1), (96, 256, 2)]
    assert {layer.kernel_size for layer in layers} == {(3, 3)}
    assert len(layers) == 8
    assert not any(parameter.any() for parameter in encoder.conv_out.parameters())


def test_the_hint_is_added_once_behind_the_first_convolution(base: Base, control: Control) -> None:
    stir(control)
    assert isinstance(control, ControlNet)
    net, (noisy, timesteps, text, hints, _) = control.net, inputs(base)
    seen: list[torch.Tensor] = []
    net.down_blocks[0].register_forward_pre_hook(
        lambda _module, _given, named: seen.append(named["hidden_states"]), with_kwargs=True
    )
    with torch.no_grad():
        net(noisy, timesteps, text.states, controlnet_cond=hints[:, 0])
        assert torch.equal(seen[0], net.conv_in(noisy) + net.controlnet_cond_embedding(hints[:, 0]))


def test_the_locked_encoder_and_middle_block_run_without_gradients(base: Base, control: Control) -> None:
    answers: dict[str, bool] = {}
    for name in ("time_embedding", "conv_in", "mid_block"):
        getattr(base.unet, name).register_forward_hook(
            lambda _module, _given, answer, name=name: answers.update({name: answer.requires_grad})
        )
    assert control(*inputs(base)).requires_grad
    assert answers == {"time_embedding": False, "conv_in": False, "mid_block": False}


def test_residuals_join_the_skips_and_the_answer_of_the_middle_block(base: Base, control: Control) -> None:
    stir(control)
    assert isinstance(control, ControlNet)
    noisy, timesteps, text, hints, present = inputs(base)
    decoder: list[tuple[torch.Tensor, tuple[torch.Tensor, ...]]] = []
    base.unet.up_blocks[0].register_forward_pre_hook(
        lambda _module, _given, named: decoder.append((named["hidden_states"], named["res_hidden_states_tuple"])),
        with_kwargs=True,
    )
    base_alone(base)
    with torch.no_grad():
        control(noisy, timesteps, text, hints, present)
        down, middle = control.net(noisy, timesteps, text.states, controlnet_cond=hints[:, 0], return_dict=False)
    (alone, skips), (together, joined) = decoder
    assert torch.equal(together, alone + middle)
    expected = [skip + residual for skip, residual in zip(skips, down[-len(skips) :], strict=True)]
    assert all(torch.equal(one, other) for one, other in zip(joined, expected, strict=True))


def test_control_of_the_middle_alone_keeps_the_middle_addition_alone(base: Base) -> None:
    settings = ControlSettings(kind="mid_only")
    middle_alone = stir(build_control(base.unet, settings, seed=0))
    whole = build_control(base.unet, ControlSettings(), seed=0)
    whole.load_state_dict(middle_alone.state_dict())
    with torch.no_grad():  # the other zero convolutions are still zero, so the whole adds zeros there
        assert torch.equal(middle_alone(*inputs(base)), whole(*inputs(base)))


def test_unlocked_the_output_blocks_and_the_last_layers_alone_are_trained_at_2e_6(base: Base) -> None:
    control = build_control(base.unet, ControlSettings(kind="unlocked_decoder"), seed=0)
    assert isinstance(control, UnlockedDecoder)
    whole = {name for name, _ in base.unet.named_parameters()}
    unlocked = {name for name in whole if name.startswith(("up_blocks", "conv_norm_out", "conv_out"))}
    assert {name for name, _ in control.decoder.named_parameters()} == unlocked
    assert [group["lr"] for group in control.parameter_groups(TrainSettings())] == [1e-5, 2e-6]


def test_the_control_scale_is_1_and_is_multiplied_on_the_outputs(base: Base, control: Control) -> None:
    stir(control)
    assert isinstance(control, ControlNet)
    noisy, timesteps, text, hints, present = inputs(base)
    with torch.no_grad():
        down, middle = control.net(
            noisy, timesteps, text.states, controlnet_cond=hints[:, 0], conditioning_scale=0.7, return_dict=False
        )
        theirs = base.unet(
            noisy, timesteps, text.states, down_block_additional_residuals=down, mid_block_additional_residual=middle
        ).sample
        assert torch.allclose(control(noisy, timesteps, text, hints, present, scale=0.7), theirs, atol=1e-6)
    assert EvaluateSettings().control_scale == Sampling(resolution=512).control_scale == 1.0


def test_at_initialisation_the_output_is_the_bases_with_a_difference_of_exactly_zero(
    base: Base, control: Control
) -> None:
    with torch.no_grad():
        assert float((control(*inputs(base)) - base_alone(base)).abs().max()) == 0.0


def test_at_the_first_step_the_output_zero_convolutions_alone_have_gradients(base: Base, control: Control) -> None:
    # The steps after it: tests/train/control/test_controlnet.py.
    control(*inputs(base)).square().mean().backward()
    awake = {
        name for name, parameter in control.named_parameters() if parameter.grad is not None and parameter.grad.any()
    }
    zero = {name for name, _ in control.named_parameters() if "controlnet_down" in name or "controlnet_mid" in name}
    assert awake == zero


def test_weights_have_diffusers_names(control: Control) -> None:
    tops = {name.removeprefix("net.").split(".")[0] for name in control.state_dict()}
    copied = {"conv_in", "time_embedding", "down_blocks", "mid_block"}
    assert tops == copied | {"controlnet_cond_embedding", "controlnet_down_blocks", "controlnet_mid_block"}


def test_hints_may_have_any_number_of_channels(base: Base) -> None:
    joined = build_control(base.unet, ControlSettings(joining="concat"), seed=0, conditions=2)
    assert isinstance(joined, ControlNet)
    assert joined.net.config.conditioning_channels == 8


# Training.


def test_adamw_with_its_defaults_at_a_constant_1e_5_without_clipping_or_averaging(control: Control) -> None:
    settings = TrainSettings()
    optimizer = make_optimizer(control.parameter_groups(settings), settings)
    assert isinstance(optimizer, torch.optim.AdamW)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"], group["weight_decay"], group["eps"]) == (1e-5, (0.9, 0.999), 1e-2, 1e-8)
    assert settings.max_grad_norm is None
    assert settings.ema is None
    assert not settings.stages


def test_the_learning_rate_is_the_same_at_every_step(base_folder: str, table: datasets.Dataset) -> None:
    engine, span = engine_of(str(base_folder)), Span(start=0, steps=3, batch_size=2, micro_batch=2)
    batches = iter(loader(table, recipe_of(engine), span, workers=0))
    rates = [engine.optimizer.param_groups[0]["lr"] for _ in fit(engine, batches, span)]
    assert rates == [1e-3] * 3


def test_the_noise_is_predicted_and_the_loss_is_its_plain_mean_square_at_every_timestep() -> None:
    generator = torch.Generator().manual_seed(0)
    latents, noise, answer = (torch.randn(4, 4, 8, 8, generator=generator) for _ in range(3))
    shares = signal_shares(noise_schedule())[torch.tensor([0, 300, 700, 999])]
    wanted = target(latents, noise, shares, prediction="epsilon")
    assert torch.equal(wanted, noise)
    assert torch.allclose(sample_losses(answer, wanted), (answer - noise).square().mean(dim=(1, 2, 3)))
    assert TrainSettings().min_snr is None


def test_timesteps_are_uniform_over_0_to_999() -> None:
    drawn = torch.tensor([int(choices(0, f"{key:016x}", 0).timestep * 1000) for key in range(20_000)])
    assert int(drawn.min()) == 0
    assert int(drawn.max()) == 999
    counts = torch.bincount(drawn // 100, minlength=10).double()
    assert float(((counts - 2000) ** 2 / 2000).sum()) < 27.9  # chi-square of 9 degrees at 0.001


def test_betas_are_linear_in_their_square_roots_from_0_00085_to_0_012_over_1000_steps_without_zero_snr() -> None:
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    expected = (1 - betas).cumprod(dim=0).float()
    shares = signal_shares(noise_schedule())
    assert torch.allclose(shares, expected, rtol=1e-4)
    assert float(shares[-1]) == pytest.approx(0.00466, abs=1e-5)


def test_latents_are_samples_of_the_posterior_times_0_18215(base: Base) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = 2 * torch.rand(2, 3, 32, 32, generator=generator) - 1
    noise = torch.randn(2, *base.latent_shape(32), generator=generator)
    with torch.no_grad():
        posterior = base.vae.encode(pixels).latent_dist
    expected = 0.18215 * (posterior.mean + posterior.std * noise)
    assert torch.allclose(encode_images(base, pixels, noise), expected, atol=1e-6)


@pytest.fixture
def epochs(base_folder: str, table: datasets.Dataset) -> Samples:
    """The sequence of samples of a training on twelve rows, half of whose prompts are dropped."""
    return Samples(table, recipe_of(engine_of(str(base_folder))))


def test_the_posterior_is_sampled_anew_at_each_step(epochs: Samples) -> None:
    first = {epochs.row(number): epochs[number].posterior_noise for number in range(12)}
    again = {epochs.row(number): epochs[number].posterior_noise for number in range(12, 24)}
    assert first.keys() == again.keys()
    assert not any(torch.equal(noise, again[row]) for row, noise in first.items())


def test_pictures_are_in_minus_one_to_one_and_hints_in_zero_to_one(epochs: Samples) -> None:
    batches = [epochs[number] for number in range(12)]
    pixels = torch.stack([batch.pixels for batch in batches if batch.pixels is not None])
    hints = torch.stack([batch.hints for batch in batches])
    assert float(pixels.min()) < -0.5
    assert float(pixels.min()) >= -1
    assert float(pixels.max()) <= 1
    assert set(hints.unique().tolist()) == {0.0, 1.0}


def test_half_of_the_prompts_are_emptied_each_epoch_by_another_draw(epochs: Samples) -> None:
    assert TrainSettings().prompt_drop == 0.5
    emptied = [[choices(0, f"{key:016x}", epoch).prompt < 0.5 for key in range(4000)] for epoch in (0, 1)]
    assert all(1850 < sum(epoch) < 2150 for epoch in emptied)
    both = sum(one and other for one, other in zip(*emptied, strict=True))
    assert 850 < both < 1150  # a quarter


def test_pictures_have_512_pixels() -> None:
    assert Manifest.model_fields["resolution"].default == 512


def test_the_hint_is_never_dropped(epochs: Samples) -> None:
    batches = [epochs[number] for number in range(60)]
    assert all(batch.present.all() for batch in batches)
    assert all(batch.hints.any() for batch in batches)
    assert TrainSettings().condition_drop == 0.0


def test_a_step_is_a_step_of_the_optimiser_however_many_batches_it_adds_up(
    base_folder: str, table: datasets.Dataset
) -> None:
    engine, span = engine_of(str(base_folder)), Span(start=0, steps=2, batch_size=4, micro_batch=1)
    steps = list(fit(engine, iter(loader(table, recipe_of(engine), span, workers=0)), span))
    assert [step.number for step in steps] == [1, 2]
    assert {int(state["step"]) for state in engine.optimizer.state.values()} == {2}


# Drawing.


def test_pictures_are_drawn_in_20_steps_of_ddim_with_guidance_9_and_eta_0() -> None:
    settings, way = EvaluateSettings(), Sampling(resolution=512)
    assert (settings.scheduler, settings.steps, settings.guidance) == ("ddim", 20, 9.0)
    assert (way.scheduler, way.steps, way.guidance) == ("ddim", 20, 9.0)
    assert SCHEDULERS["ddim"] is DDIMScheduler
    scheduler = DDIMScheduler.from_config(noise_schedule().config)
    scheduler.set_timesteps(20)
    answer, latents = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    plain = scheduler.step(answer, 501, latents).prev_sample
    assert torch.equal(plain, scheduler.step(answer, 501, latents, eta=0.0).prev_sample)


def test_control_is_on_both_branches_of_guidance(base: Base, control: Control) -> None:
    assert isinstance(control, ControlNet)
    seen: list[torch.Tensor] = []
    control.net.controlnet_cond_embedding.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    hints = torch.rand((2, 1, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    way = Sampling(resolution=32, steps=2)
    draw(
        base,
        control.eval(),
        ["blue box", "red ball"],
        Hints(hints, torch.ones(2, 1)),
        noise=first_noise(base, [1, 2], resolution=32),
        sampling=way,
    )
    assert len(seen) == 2
    assert all(torch.equal(shown, torch.cat([hints[:, 0]] * 2)) for shown in seen)
