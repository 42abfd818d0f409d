import itertools

import pytest
import torch

from manifests.control import ControlSettings
from tests.train.control.toy_inputs import inputs, stir
from train.base import Base
from train.control.carrying import carry
from train.control.control import Control
from train.control.controlnet import ControlNet
from train.control.registry import build_control


def stage(base: Base, kind: str, *, seed: int = 0, conditions: int = 1, connections: str = "zero") -> Control:
    settings = ControlSettings.model_validate({"kind": kind, "connections": connections})
    return build_control(base.unet, settings, seed=seed, conditions=conditions)


@pytest.mark.parametrize("conditions", [1, 2])
def test_three_stages_predict_on_from_where_the_one_before_ended(base: Base, conditions: int) -> None:
    given = inputs(base, conditions=conditions)
    stages = [
        stage(base, kind, seed=seed, conditions=conditions)
        for seed, kind in enumerate(("mid_only", "controlnet", "unlocked_decoder"))
    ]
    for before, after in itertools.pairwise(stages):
        stir(before)
        carry(before, after)
        with torch.no_grad():
            assert torch.equal(before(*given), after(*given))
        shared = before.state_dict().keys() & after.state_dict().keys()
        assert len(shared) == len(before.state_dict())
        assert all(torch.equal(before.state_dict()[name], after.state_dict()[name]) for name in shared)


def test_what_is_carried_is_a_copy(base: Base) -> None:
    before, after = stir(stage(base, "mid_only")), stage(base, "controlnet", seed=1)
    carry(before, after)
    kept = {name: tensor.clone() for name, tensor in before.state_dict().items()}
    stir(after)
    assert all(torch.equal(tensor, kept[name]) for name, tensor in before.state_dict().items())


def test_connections_that_took_no_part_begin_as_the_next_stage_draws_them(base: Base) -> None:
    before, after = (stage(base, kind, connections="gaussian") for kind in ("mid_only", "controlnet"))
    assert isinstance(after, ControlNet)
    drawn = after.net.controlnet_down_blocks[0].weight.clone()
    carry(before, after)
    assert drawn.any()
    assert torch.equal(after.net.controlnet_down_blocks[0].weight, drawn)


def test_nothing_of_a_film_goes_on_in_a_controlnet(base: Base) -> None:
    with pytest.raises(ValueError, match="nothing that Film has learned can go on in ControlNet"):
        carry(stage(base, "film"), stage(base, "controlnet"))
