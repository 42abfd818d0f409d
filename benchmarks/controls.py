"""What each kind of control costs, counted: writes the table of docs/controls.md.

python benchmarks/controls.py

A minute on one core; nothing is trained or measured.
"""

import sys
from functools import cache
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

import torch
from diffusers import UNet2DConditionModel

from benchmarks.table import update
from manifests.control import ControlSettings
from train.control.registry import CONTROLS
from train.flops import Cost, count
from train.tiny_base.architecture import TOKENS, denoiser

DOCUMENT = Path("docs/controls.md")
HEAD = ("kind", "trained", "GFLOP", "of ControlNet's", "tiny base: trained", "GFLOP")


def main() -> None:
    """Count every kind on both bases."""
    lines = {kind: line(kind) for kind in CONTROLS}
    title = "Stable Diffusion 1.5 at 512 pixels, 77 tokens; the tiny base at 128, 32 tokens:"
    update(DOCUMENT, name="costs of controls", title=title, head=HEAD, lines=lines)


def line(kind: str) -> list[str]:
    """Parameters trained and GFLOP of a step for each sample, on a large base and on a small one."""
    return [*large(kind), *small(kind)]


def large(kind: str) -> list[str]:
    """At the size of Stable Diffusion 1.5, beside ControlNet there."""
    cost, usual = counted_large(kind), counted_large("controlnet")
    return [f"{cost.parameters / 1e6:.1f} M", f"{cost.step / 1e9:,.0f}", f"{cost.step / usual.step:.2f}"]


@cache
def counted_large(kind: str) -> Cost:
    """On the U-Net of Stable Diffusion 1.5, which takes seconds."""
    return count(stable_diffusion(), ControlSettings.model_validate({"kind": kind}), cells=64)


def small(kind: str) -> list[str]:
    """On the tiny base."""
    with torch.device("meta"):
        unet = denoiser()
    cost = count(unet, ControlSettings.model_validate({"kind": kind}), cells=16, tokens=TOKENS)
    return [f"{cost.parameters / 1e6:.2f} M", f"{cost.step / 1e9:.2f}"]


def stable_diffusion() -> UNet2DConditionModel:
    """The U-Net of Stable Diffusion 1.5, without weights."""
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2,
            cross_attention_dim=768,
            attention_head_dim=8,
        )


if __name__ == "__main__":
    main()
