"""In which order parts of a control get their first gradients."""

import pytest
import torch

from manifests.control import ControlSettings
from tests.train.control.toy_inputs import inputs
from train.base import Base
from train.control.registry import build_control

PARTS = {
    "mid_only": {"connection": "net.controlnet_mid_block", "hint": "net.controlnet_cond_embedding.conv_in"},
    "unlocked_decoder": {
        "decoder": "decoder.up_blocks",
        "connection": "net.controlnet_down_blocks",
        "copy": "net.mid_block",
        "hint": "net.controlnet_cond_embedding.conv_in",
    },
    "lite": {
        "connection": "connections",
        "blocks": "blocks",
        "end of the hint encoder": "hint_encoder.conv_out",
        "hint": "hint_encoder.conv_in",
    },
    "film": {"connection": "connections", "levels": "halvings", "hint": "hint_encoder.conv_in"},
    "concat": {"U-Net": "net.down_blocks", "entry": "net.conv_in", "hint": "hint_encoder.conv_in"},
    "t2i_adapter": {"adapter": "net.adapter.body", "hint": "net.adapter.conv_in"},
}
ORDERS = {
    "mid_only": [{"connection"}, {"connection"}, {"connection", "hint"}],
    "unlocked_decoder": [
        {"decoder", "connection"},
        {"decoder", "connection", "copy"},
        {"decoder", "connection", "copy", "hint"},
    ],
    "lite": [
        {"connection"},
        {"connection", "blocks", "end of the hint encoder"},
        {"connection", "blocks", "end of the hint encoder", "hint"},
    ],
    "film": [{"connection"}, {"connection", "levels", "hint"}],
    "concat": [{"U-Net", "entry"}, {"U-Net", "entry", "hint"}],
    "t2i_adapter": [{"adapter", "hint"}],
}


@pytest.mark.parametrize("kind", ORDERS)
def test_gradients_wake_up_from_what_begins_at_zero_inwards(base: Base, kind: str) -> None:
    control = build_control(base.unet, ControlSettings.model_validate({"kind": kind}), seed=0)
    optimizer = torch.optim.AdamW((parameter for parameter in control.parameters() if parameter.requires_grad), lr=1e-3)
    awake = []
    for _step in ORDERS[kind]:
        control(*inputs(base)).square().mean().backward()
        moved = [name for name, parameter in control.named_parameters() if _moved(parameter)]
        awake.append({part for part, start in PARTS[kind].items() if any(name.startswith(start) for name in moved)})
        optimizer.step()
        optimizer.zero_grad()
    assert awake == ORDERS[kind]


def test_no_zero_convolution_behind_the_encoder_ever_wakes_up_in_mid_only(base: Base) -> None:
    control = build_control(base.unet, ControlSettings(kind="mid_only"), seed=0)
    control(*inputs(base)).square().mean().backward()
    outside = [parameter for name, parameter in control.named_parameters() if "controlnet_down_blocks" in name]
    assert outside
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in outside)


def _moved(parameter: torch.nn.Parameter) -> bool:
    return parameter.grad is not None and bool(parameter.grad.any())
