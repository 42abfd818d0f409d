"""What makes a step faster without changing what it computes, but for rounding."""

import ctypes
import os
import platform
import shutil
import sysconfig
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

SHAPES = 256  # versions of a class of blocks: one for each block, shape and mode that a training meets
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
LEVELS = ("down_blocks", "up_blocks")  # as diffusers' U-Nets, ControlNets and adapters name their lists of blocks


def use_tensor_cores() -> None:
    """Let matrix products of float32 use TF32, and let cuDNN try which convolution is the fastest."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True  # shapes are the same in every step


def keep_freed_memory() -> None:
    """Let the C library keep what a step on the CPU frees for the next one, which else maps and zeroes it all again.

    By mallopt(3), in glibc; elsewhere nothing is done.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)


def to_channels_last(*modules: torch.nn.Module) -> None:
    """Put the weights of convolutions into the memory format that tensor cores read, and oneDNN without a copy."""
    for module in modules:
        torch.nn.Module.to(module, memory_format=torch.channels_last)


def can_compile() -> bool:
    """Whether Triton finds what it builds its launcher with: a C compiler, and Python's headers."""
    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    return bool(compiler) and (Path(sysconfig.get_path("include")) / "Python.h").is_file()


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
