"""What a manifest says of a training: what is computed (train), how fast (engine), and what is looked at (watch)."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

FROZEN = ConfigDict(frozen=True, extra="forbid")


def no(value: object) -> object:
    """The word "no", which YAML reads as false."""
    return "no" if value is False else value


Precision = Annotated[Literal["no", "fp16", "bf16"], BeforeValidator(no)]
Share = Annotated[float, Field(ge=0, le=1)]


class Stage(BaseModel):
    """Steps at the beginning of a training in which another part of the network learns."""

    model_config = FROZEN
    kind: Literal["mid_only", "controlnet", "unlocked_decoder"]
    steps: PositiveInt
    learning_rate: PositiveFloat | None = None  # train.learning_rate by default


class TrainSettings(BaseModel):
    """What is computed: nothing here may change when a run goes on, but for its length. Defaults are the paper's."""

    model_config = FROZEN
    steps: PositiveInt = 20_000  # optimiser steps, stages included
    batch_size: PositiveInt = 32  # samples per optimiser step, over all processes and accumulation
    learning_rate: PositiveFloat = 1e-5
    unlocked_learning_rate: PositiveFloat = 2e-6  # of the base's own decoder, where it is trained too
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    max_grad_norm: PositiveFloat | None = None
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None  # decay of the averaged weights, which then are the result
    min_snr: PositiveFloat | None = None  # gamma of Eq. 5 of Hang et al. 2023; the paper weighs all timesteps alike
    precision: Precision = "bf16"
    prompt_drop: Share = 0.5  # share of captions emptied, drawn anew each epoch
    condition_drop: Share = 0.0  # of several conditions: the share of each that is hidden, drawn anew each epoch
    flip: Share = 0.0  # share of samples mirrored with their condition, anew each epoch
    stages: tuple[Stage, ...] = ()  # before control.kind itself, as mid_only, then controlnet
    seed: int = 0


class EngineSettings(BaseModel):
    """How fast it is computed; results change by rounding alone."""

    model_config = FROZEN
    micro_batch: PositiveInt | Literal["auto"] | None = None  # samples per process and forward; all of its share
    workers: NonNegativeInt | None = None  # that read and decode; by default 2 beside a GPU, none on a CPU
    encode: Literal["cached", "live"] = "cached"  # of a manifest with latents: read them, or encode the same crops
    compile: bool | None = None  # by torch.compile, block by block; by default on a GPU alone, with a C compiler
    channels_last: bool = True  # memory format of convolutions
    recompute: Literal["no", "control", "all"] = "no"  # activations again in the backward pass: slower, less memory


class WatchSettings(BaseModel):
    """What is looked at and kept while it trains."""

    model_config = FROZEN
    checkpoint_every: PositiveInt = 1_000
    keep: PositiveInt = 2  # newest checkpoints that stay
    log_every: PositiveInt = 10  # steps between two writes of the log; every step is in it
    tracker: str = "tensorboard"  # any that accelerate knows, by name; "": RUN/log.jsonl alone
    monitor_every: NonNegativeInt = 100  # steps between two looks of the control monitor; 0: none
    monitor_rows: PositiveInt = 32
    probe_every: NonNegativeInt = 500  # steps between two times that held-out conditions are drawn and scored; 0: none
    probe_rows: NonNegativeInt = 16
    patience: PositiveInt | None = None  # probes without a better score after which training ends
    export: Literal["last", "best"] = "last"  # which weights become RUN/controlnet; the best by the probes' score
