"""What makes a step faster without changing what it computes, but for rounding."""

import torch
from diffusers import UNet2DConditionModel

SHAPES = 256  # versions of a class of blocks: one for each block, shape and mode that a training meets
LEVELS = ("down_blocks", "up_blocks")  # as diffusers' U-Nets, ControlNets and adapters name their lists of blocks


def use_tensor_cores() -> None:
    """Let matrix products of float32 use TF32, and let cuDNN try which convolution is the fastest."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True  # shapes are the same in every step


def to_channels_last(*modules: torch.nn.Module) -> None:
    """Put the weights of convolutions into the memory format that tensor cores read."""
    for module in modules:
        torch.nn.Module.to(module, memory_format=torch.channels_last)


def compile_blocks(unet: UNet2DConditionModel, control: torch.nn.Module) -> None:
    """Compile each block of the U-Net and of the control by itself: minutes less than the whole, nearly its gain."""
    torch._dynamo.config.recompile_limit = SHAPES  # it is shared by all blocks of a class
    for block in dict.fromkeys([*blocks(unet), *blocks(control)]):
        block.compile(dynamic=False)


def blocks(model: torch.nn.Module) -> list[torch.nn.Module]:
    """List the down, middle and up blocks in a model, however deep it holds them; not its up- and downsamplers."""
    found: list[torch.nn.Module] = []
    for module in model.modules():
        for level in LEVELS:
            listed = getattr(module, level, None)
            if isinstance(listed, torch.nn.ModuleList):
                found += listed
        middle = getattr(module, "mid_block", None)
        if isinstance(middle, torch.nn.Module):
            found.append(middle)
    return found
