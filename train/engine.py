"""The engine: locked base, control and optimiser on their device, in the precision and the memory format asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from accelerate import Accelerator, DistributedType
from torch import Tensor

from manifests.train_settings import EngineSettings, TrainSettings
from train.average import Average
from train.base import Base, place
from train.control.control import Control, trained
from train.diffusion import signal_shares
from train.optimizer import make_optimizer
from train.speed import can_compile, compile_blocks, keep_freed_memory, to_channels_last, use_tensor_cores
from train.text_cache import TextCache

TEXT_BYTES = 256_000_000  # of encoded captions that are kept: some 2,000 of Stable Diffusion 1.5
SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED)  # each process holds a part of the weights
PRECISIONS = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Engine:
    """What a step needs, on its device."""

    accelerator: Accelerator
    base: Base
    control: torch.nn.Module  # as accelerate prepared it
    optimizer: torch.optim.Optimizer
    average: Average  # of the weights over the steps, if there is to be one
    text: TextCache
    shares: Tensor  # [timesteps] float32: alpha-bar of the base's schedule
    min_snr: float | None = None  # gamma

    @property
    def plain(self) -> Control:
        """The control without what accelerate wrapped around it."""
        model = self.accelerator.unwrap_model(self.control)
        assert isinstance(model, Control)
        return model

    @contextmanager
    def result_weights(self) -> Iterator[Control]:
        """The control with the weights that are the result, averaged where there is an average; in evaluation mode."""
        control = self.plain
        control.eval()
        try:
            with self.average.in_place():
                yield control
        finally:
            control.train()


def assemble(
    accelerator: Accelerator,
    base: Base,
    control: Control,
    *,
    train: TrainSettings,
    engine: EngineSettings,
    resolution: int,
) -> Engine:
    """Put base and control on the device and give the control its optimiser.

    Args:
        base: moved and rounded in place.
        control: float32, on the CPU.
        resolution: side of the pictures in pixels.

    Raises:
        ValueError: This machine can't do what the settings ask for.
    """
    if accelerator.device.type == "cuda" and train.precision != "no":
        use_tensor_cores()
    place(base, device=accelerator.device, dtype=PRECISIONS[accelerator.mixed_precision])
    torch.nn.Module.to(control, accelerator.device)
    _make_fast(base, control, engine, on_gpu=accelerator.device.type == "cuda")
    optimizer = make_optimizer(control.parameter_groups(train), train)
    prepared, prepared_optimizer = accelerator.prepare(control, optimizer)
    average = Average(list(trained(control)), decay=train.ema)
    if train.ema is not None:
        accelerator.register_for_checkpointing(average)
    return Engine(
        accelerator=accelerator,
        base=base,
        control=prepared,
        optimizer=prepared_optimizer,
        average=average,
        text=TextCache(base, resolution=resolution, limit_bytes=TEXT_BYTES),
        shares=signal_shares(base.scheduler).to(accelerator.device),
        min_snr=train.min_snr,
    )


def _make_fast(base: Base, control: Control, engine: EngineSettings, *, on_gpu: bool) -> None:
    """Do to the networks what the settings ask for; compiling, which does not pay on a CPU, else where a GPU can."""
    control.recompute(engine.recompute)
    if not on_gpu:
        keep_freed_memory()
    if engine.channels_last:
        to_channels_last(base.unet, control)
    if engine.compile if engine.compile is not None else on_gpu and can_compile():
        compile_blocks(control.unet, control)
