"""Costs are those that were counted by other means, and those that docs/controls.md prints."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from benchmarks.controls import HEAD, counted_large, large, small
from manifests.control import ControlSettings
from train.control.registry import CONTROLS
from train.flops import count, encoding
from train.tiny_base.architecture import denoiser

DOCUMENT = Path(__file__).parents[2] / "docs/controls.md"


def printed(kind: str) -> list[str]:
    line = next(
        line for line in DOCUMENT.read_text().split("## Costs")[1].splitlines() if line.startswith(f"| {kind} |")
    )
    return [cell.strip() for cell in line.strip("| ").split("|")]


def test_a_controlnet_of_stable_diffusion_costs_what_the_parts_of_its_step_do() -> None:
    cost = counted_large("controlnet")
    assert cost.parameters / 1e6 == pytest.approx(361.3, abs=0.05)
    assert cost.control_forward / 1e9 == pytest.approx(283.3, abs=0.1)
    assert cost.encoder_forward / 1e9 == pytest.approx(261.4, abs=0.1)
    assert cost.decoder_forward / 1e9 == pytest.approx(541.8, abs=0.1)
    assert cost.backward / 1e9 == pytest.approx(564.9 + 613.7, abs=0.2)
    assert cost.step / 1e9 == pytest.approx(2265, abs=0.5)
    assert large("controlnet") == printed("controlnet")[1:4]


def test_a_t2i_adapter_costs_what_it_was_said_to() -> None:
    assert large("t2i_adapter") == ["77.4 M", "1,751", "0.77"]
    assert large("t2i_adapter") == printed("t2i_adapter")[1:4]


@pytest.mark.parametrize("kind", CONTROLS)
def test_the_document_prints_what_is_counted_on_the_tiny_base(kind: str) -> None:
    assert small(kind) == printed(kind)[4:]


def test_the_document_has_a_line_for_every_kind() -> None:
    assert [printed(kind)[0] for kind in CONTROLS] == list(CONTROLS)
    assert f"| {' | '.join(HEAD)} |" in DOCUMENT.read_text()


def test_encoding_a_picture_of_512_pixels_costs_1117_gflop() -> None:
    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
        )
    assert encoding(vae, resolution=512) / 1e9 == pytest.approx(1116.7, abs=0.1)


def toy() -> UNet2DConditionModel:
    with torch.device("meta"):
        return denoiser()


def test_several_conditions_cost_a_net_each_or_a_wider_hint() -> None:
    one, summed, joined = (
        count(toy(), ControlSettings(joining=way), cells=8, tokens=8, conditions=number)
        for way, number in (("sum", 1), ("sum", 2), ("concat", 2))
    )
    assert summed.parameters == 2 * one.parameters
    assert summed.control_forward == 2 * one.control_forward
    assert joined.parameters == one.parameters + 5 * 9 * 16  # channels more of 3x3 into sixteen
    assert one.decoder_forward == summed.decoder_forward == joined.decoder_forward
