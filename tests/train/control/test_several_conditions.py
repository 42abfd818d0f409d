from pathlib import Path

import pytest
import torch
from diffusers import ControlNetModel
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel

from manifests.control import ControlSettings
from tests.train.control.toy_inputs import base_alone, inputs, stir
from train.base import Base
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.registry import CONTROLS, SUMMING, build_control, load_control, save_control


def several(base: Base, kind: str, *, joining: str, conditions: int = 3) -> Control:
    settings = ControlSettings.model_validate({"kind": kind, "joining": joining})
    return build_control(base.unet, settings, seed=0, conditions=conditions)


WAYS = [(kind, joining) for kind in CONTROLS for joining in ("sum", "concat") if kind in SUMMING or joining == "concat"]


@pytest.mark.parametrize(("kind", "joining"), WAYS)
def test_of_several_conditions_those_that_a_sample_lacks_have_no_say(base: Base, kind: str, joining: str) -> None:
    noisy, timesteps, text, hints, _ = inputs(base, conditions=3)
    control, present = stir(several(base, kind, joining=joining)), torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    other = torch.where(present[:, :, None, None, None] == 0, 1 - hints, hints)
    with torch.no_grad():
        one, same = (control(noisy, timesteps, text, shown, present) for shown in (hints, other))
        fewer = control(noisy, timesteps, text, hints, torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert torch.equal(one, same)
    assert not torch.allclose(one[0], fewer[0], atol=1e-4)
    if not control.trains_unet:
        assert torch.equal(one[1], base_alone(base)[1])


@pytest.mark.parametrize(("kind", "joining"), [way for way in WAYS if way[0] != "t2i_adapter"])
def test_untrained_it_leaves_the_prediction_unchanged(base: Base, kind: str, joining: str) -> None:
    with torch.no_grad():
        assert torch.equal(several(base, kind, joining=joining)(*inputs(base, conditions=3)), base_alone(base))


@pytest.mark.parametrize(("kind", "joining"), WAYS)
def test_it_trains_all_that_asks_for_a_gradient_and_is_read_back(
    base: Base, tmp_path: Path, kind: str, joining: str
) -> None:
    control, given = stir(several(base, kind, joining=joining)), inputs(base, conditions=3)
    control(*given).square().mean().backward()
    assert all(parameter.grad is not None for parameter in control.parameters() if parameter.requires_grad)
    settings = ControlSettings.model_validate({"kind": kind, "joining": joining})
    save_control(control, settings, tmp_path / "saved", conditions=3)
    with torch.no_grad():
        assert torch.equal(load_control(tmp_path / "saved", base.unet)(*given), control.eval()(*given))


@pytest.mark.parametrize("joining", ["sum", "concat"])
def test_one_condition_is_the_plain_controlnet_bit_for_bit(base: Base, joining: str) -> None:
    one, plain = (
        stir(build_control(base.unet, ControlSettings(joining=way), seed=0, conditions=1)) for way in (joining, "sum")
    )
    assert one.state_dict().keys() == plain.state_dict().keys()
    noisy, timesteps, text, hints, present = inputs(base)
    assert isinstance(plain, ControlNet)
    with torch.no_grad():
        down, middle = plain.net(noisy, timesteps, text.states, controlnet_cond=hints[:, 0], return_dict=False)
        by_hand = base.unet(
            noisy,
            timesteps,
            text.states,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        assert torch.equal(one(noisy, timesteps, text, hints, present), by_hand)


def test_summed_controlnets_add_up_as_diffusers_adds_them(base: Base) -> None:
    control, (noisy, timesteps, text, hints, present) = (
        stir(several(base, "controlnet", joining="sum")),
        inputs(base, conditions=3),
    )
    assert isinstance(control, ControlNet)
    with torch.no_grad():
        down, middle = MultiControlNetModel(control.nets)(
            noisy, timesteps, text.states, list(hints.unbind(1)), [1.0, 1.0, 1.0], return_dict=False
        )
        theirs = base.unet(
            noisy,
            timesteps,
            text.states,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        assert torch.equal(control(noisy, timesteps, text, hints, present), theirs)


def test_each_of_summed_controlnets_is_a_folder_that_diffusers_reads(base: Base, tmp_path: Path) -> None:
    control = stir(several(base, "controlnet", joining="sum", conditions=2))
    control.save(tmp_path)
    assert isinstance(control, ControlNet)
    for net, place in zip(control.nets, (tmp_path, tmp_path / "condition-2"), strict=True):
        theirs = ControlNetModel.from_pretrained(place).state_dict()
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("kind", [kind for kind in CONTROLS if kind not in SUMMING])
def test_a_kind_that_has_no_net_for_each_condition_says_what_to_set(base: Base, kind: str) -> None:
    with pytest.raises(ValueError, match=r"control\.joining=concat"):
        several(base, kind, joining="sum", conditions=2)
