"""Engines on the base of toy size, and what makes samples for them."""

from functools import partial

from manifests.control import ControlSettings
from manifests.train_settings import EngineSettings, TrainSettings
from train.base import load_base, tokenize
from train.batches import Recipe
from train.control.registry import build_control
from train.engine import Engine, assemble
from train.hints import HINTS
from train.processes import join

PLAIN = TrainSettings(learning_rate=1e-3, precision="no")


def engine_of(
    base_folder: str,
    *,
    train: TrainSettings = PLAIN,
    speed: EngineSettings = EngineSettings(),  # noqa: B008 (frozen)
    kind: ControlSettings = ControlSettings(),  # noqa: B008 (frozen)
) -> Engine:
    """A control of seed 0 on the toy base, on the CPU."""
    base = load_base(base_folder)
    control = build_control(base.unet, kind, seed=0, conditions=1)
    return assemble(join(train.precision), base, control, train=train, engine=speed)
