import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor

from manifests.control import ControlSettings
from manifests.train_settings import TrainSettings
from tests.train.control.toy_inputs import base_alone, inputs, stir
from train.base import Base, place
from train.control.control import Control, Recompute
from train.control.registry import CONTROLS, build_control, load_control, save_control
from train.control.weights import sha256_of_control

KINDS = list(CONTROLS)
SETTINGS = [
    *({"kind": kind} for kind in KINDS),
    {"start": "random"},
    {"hint_encoder": "paper"},
    {"hint_weights": "gaussian"},
    {"connections": "gaussian"},
    {"kind": "mid_only", "connections": "gaussian"},
]
UNCHANGED_AT_FIRST = [said for said in SETTINGS if said.get("kind") != "t2i_adapter" and "connections" not in said]


def name(said: dict[str, str]) -> str:
    return "-".join(said.values())


def built(base: Base, said: dict[str, str], *, conditions: int = 1) -> Control:
    return build_control(base.unet, ControlSettings.model_validate(said), seed=0, conditions=conditions)


def gradients(control: Control, base: Base) -> dict[str, Tensor]:
    control.zero_grad(set_to_none=True)
    control(*inputs(base)).square().mean().backward()
    return {name: parameter.grad for name, parameter in control.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("said", UNCHANGED_AT_FIRST, ids=name)
def test_an_untrained_control_leaves_the_prediction_unchanged(base: Base, said: dict[str, str]) -> None:
    with torch.no_grad():
        assert torch.equal(built(base, said)(*inputs(base)), base_alone(base))


@pytest.mark.parametrize("said", [said for said in SETTINGS if said not in UNCHANGED_AT_FIRST], ids=name)
def test_what_promises_no_identity_changes_it_from_the_start(base: Base, said: dict[str, str]) -> None:
    with torch.no_grad():
        assert not torch.allclose(built(base, said)(*inputs(base)), base_alone(base), atol=1e-4)


@pytest.mark.parametrize("said", SETTINGS, ids=name)
def test_the_hint_is_obeyed_once_weights_have_moved(base: Base, said: dict[str, str]) -> None:
    noisy, timesteps, text, hints, present = inputs(base)
    control = stir(built(base, said))
    with torch.no_grad():
        one, other = (control(noisy, timesteps, text, shown, present) for shown in (hints, 1 - hints))
    assert not torch.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_that_a_sample_lacks_has_no_say(base: Base, kind: str) -> None:
    noisy, timesteps, text, hints, _ = inputs(base)
    control, lacking = stir(built(base, {"kind": kind})), torch.tensor([[1.0], [0.0]])
    with torch.no_grad():
        whole = control(noisy, timesteps, text, hints, torch.ones(2, 1))
        one, other = (control(noisy, timesteps, text, shown, lacking) for shown in (hints, 1 - hints))
    assert torch.equal(one[1], other[1])
    assert not torch.equal(one[0], other[0])
    assert torch.allclose(one[0], whole[0], atol=1e-5)
    if not control.trains_unet:
        assert torch.equal(one[1], base_alone(base)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_scale_of_zero_silences_the_hint(base: Base, kind: str) -> None:
    noisy, timesteps, text, hints, present = inputs(base)
    control = stir(built(base, {"kind": kind}))
    with torch.no_grad():
        silent = control(noisy, timesteps, text, hints, present, scale=0.0)
        assert torch.equal(silent, control(noisy, timesteps, text, hints, torch.zeros(2, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_moves_all_that_is_trained_and_nothing_of_the_locked_base(base: Base, kind: str) -> None:
    locked = copy.deepcopy(base.unet.state_dict())
    control = stir(built(base, {"kind": kind}))
    before = copy.deepcopy(control.state_dict())
    optimizer = torch.optim.AdamW(control.parameter_groups(TrainSettings()))
    moved = gradients(control, base)
    optimizer.step()
    assert moved.keys() == {name for name, parameter in control.named_parameters() if parameter.requires_grad}
    assert {name for name, tensor in control.state_dict().items() if not torch.equal(tensor, before[name])} == set(
        moved
    )
    assert all(torch.equal(tensor, locked[name]) for name, tensor in base.unet.state_dict().items())
    assert all(not parameter.requires_grad and parameter.grad is None for parameter in base.unet.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_digest_of_a_control_is_of_all_that_is_trained(base: Base, tmp_path: Path, kind: str) -> None:
    control, settings = stir(built(base, {"kind": kind})), ControlSettings.model_validate({"kind": kind})
    save_control(control, settings, tmp_path / "whole")
    digests = {sha256_of_control(tmp_path / "whole")}
    parts = {name.partition(".")[0]: parameter for name, parameter in control.named_parameters()}
    for name, parameter in parts.items():  # the last of each part of the control
        with torch.no_grad():
            parameter.add_(1)
        save_control(control, settings, tmp_path / name)
        digests.add(sha256_of_control(tmp_path / name))
    assert len(digests) == 1 + len(parts)


@pytest.mark.parametrize("kind", KINDS)
def test_the_locked_copy_is_none_of_what_is_trained_or_saved(base: Base, kind: str) -> None:
    control = built(base, {"kind": kind})
    locked = {parameter.data_ptr() for parameter in base.unet.parameters()}
    assert locked.isdisjoint(tensor.data_ptr() for tensor in control.state_dict().values())
    assert locked.isdisjoint(parameter.data_ptr() for parameter in control.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_encoder_builds_a_graph_only_where_it_has_to(base: Base, kind: str) -> None:
    control = built(base, {"kind": kind})
    seen: dict[str, bool] = {}
    watched = {"encoder": control.unet.down_blocks[-1].resnets[0], "middle": control.unet.mid_block.resnets[0]}
    hooks = [
        module.register_forward_hook(lambda _m, _i, answer, place=place: seen.update({place: answer.requires_grad}))
        for place, module in watched.items()
    ]
    control(*inputs(base))
    for hook in hooks:
        hook.remove()
    assert seen == dict.fromkeys(watched, kind in ("t2i_adapter", "concat"))


@pytest.mark.parametrize("said", SETTINGS, ids=name)
def test_a_control_is_saved_and_read_back_bit_for_bit(base: Base, tmp_path: Path, said: dict[str, str]) -> None:
    control, settings = stir(built(base, said)).eval(), ControlSettings.model_validate(said)
    save_control(control, settings, tmp_path / "saved")
    back = load_control(tmp_path / "saved", base.unet)
    assert (tmp_path / "saved/config.json").is_file()
    assert back.state_dict().keys() == control.state_dict().keys()
    assert all(torch.equal(tensor, back.state_dict()[name]) for name, tensor in control.state_dict().items())
    with torch.no_grad():
        assert torch.equal(control(*inputs(base)), back(*inputs(base)))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_handed_in_are_saved_in_the_place_of_its_own(base: Base, tmp_path: Path, kind: str) -> None:
    control = built(base, {"kind": kind})
    other = {name: tensor + 1 for name, tensor in control.state_dict().items()}
    save_control(control, ControlSettings(kind=kind), tmp_path / "saved", state=other)
    back = load_control(tmp_path / "saved", base.unet).state_dict()
    assert all(torch.equal(tensor, back[name]) for name, tensor in other.items())


@pytest.mark.parametrize("which", ["control", "all"])
@pytest.mark.parametrize("kind", KINDS)
def test_recomputing_changes_no_gradient(base: Base, kind: str, which: Recompute) -> None:
    control = stir(built(base, {"kind": kind}))
    kept = gradients(control, base)
    control.recompute(which)
    again = gradients(control, base)
    control.recompute("no")
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[name], again[name]) for name in kept)


@pytest.mark.parametrize("kind", KINDS)
def test_recomputing_keeps_fewer_activations(base: Base, kind: str) -> None:
    control, kept = stir(built(base, {"kind": kind})), {}
    for which in ("no", "control", "all"):
        control.recompute(which)
        kept[which] = _kept(control, base)
    control.recompute("no")
    of_its_own = kind not in ("lite", "film", "t2i_adapter")  # whose nets are no blocks of diffusers
    assert (kept["control"] < kept["no"]) == of_its_own
    assert (kept["all"] < kept["control"]) == (kind not in ("concat", "unlocked_decoder"))  # which own what is passed


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_in_bf16_is_close_to_one_in_fp32(base: Base, kind: str) -> None:
    control = stir(built(base, {"kind": kind}))
    exact = control(*inputs(base)).detach()
    place(base, device=torch.device("cpu"), dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = control(*inputs(base))
    rounded.square().mean().backward()
    assert rounded.dtype == torch.float32
    assert all(parameter.dtype == torch.float32 for parameter in control.parameters())
    assert (rounded - exact).norm() < 0.05 * exact.norm()


def _kept(control: Control, base: Base) -> int:
    """Bytes of what the graph keeps for the backward pass, weights apart."""
    weights = {tensor.data_ptr() for tensor in (*control.parameters(), *control.unet.parameters())}
    sizes: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in weights:
            sizes[tensor.data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        answer = control(*inputs(base))
    assert answer.requires_grad
    return sum(sizes.values())


@pytest.mark.parametrize("kind", ["lite", "t2i_adapter", "film", "concat"])
def test_what_says_how_a_copy_begins_is_refused_where_nothing_is_copied(base: Base, kind: str) -> None:
    for said in ({"start": "random"}, {"connections": "gaussian"}, {"hint_encoder": "paper"}):
        with pytest.raises(
            ValueError, match=rf"control\.{next(iter(said))}: a control of kind '{kind}' copies nothing"
        ):
            built(base, {"kind": kind, **said})
    assert built(base, {"kind": kind, "hint_weights": "gaussian"})
