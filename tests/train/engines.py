"""Engines on the base of toy size, and what makes samples for them."""

from functools import partial

from manifests.control import ControlSettings
from manifests.train_settings import EngineSettings, TrainSettings
from train.base import load_base, tokenize
from train.batches import Recipe
from train.control.registry import build_control
from train.engine import Engine, assemble
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
    return assemble(join(train.precision), base, control, train=train, engine=speed, resolution=32)


def recipe_of(engine: Engine) -> Recipe:
    """Makes samples of the test suite's training set."""
    return Recipe(
        kinds=("binary",),
        resolution=32,
        latent_shape=engine.base.latent_shape(32),
        tokenize=partial(tokenize, engine.base.tokenizers),
        timesteps=1000,
        prompt_drop=0.5,
        seed=0,
    )
