"""What a manifest says of a training: its length, its optimiser, its draws, and what it leaves behind."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt


def no(value: object) -> object:
    """The word "no", which YAML reads as false."""
    return "no" if value is False else value


Precision = Annotated[Literal["no", "fp16", "bf16"], BeforeValidator(no)]


class TrainSettings(BaseModel):
    """How to train. Defaults are the paper's and the released code's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: PositiveInt = 20_000  # optimiser steps
    batch_size: PositiveInt = 32  # samples per optimiser step, over all processes and accumulation
    micro_batch: PositiveInt | None = None  # samples per process and forward; all of its share by default
    learning_rate: PositiveFloat = 1e-5
    prompt_drop: float = Field(default=0.5, ge=0, le=1)  # share of captions emptied, drawn anew each epoch
    flip: float = Field(default=0.0, ge=0, le=1)  # share of samples mirrored with their condition, anew each epoch
    precision: Precision = "bf16"
    max_grad_norm: PositiveFloat | None = None
    seed: int = 0
    workers: NonNegativeInt = 2  # processes that read and decode
    checkpoint_every: PositiveInt = 1_000
    sample_every: PositiveInt = 500
    samples: NonNegativeInt = 4  # pictures in a sample grid
