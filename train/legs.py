"""Legs: the parts of a training in which one network learns at one rate: its stages, then its own kind."""

from collections.abc import Iterator
from dataclasses import dataclass

from manifests.control import ControlSettings
from manifests.manifest import Manifest
from manifests.train_settings import TrainSettings

STAGED = ("mid_only", "controlnet", "unlocked_decoder")  # kinds that share their weights


@dataclass(frozen=True)
class Leg:
    """Steps `start` to `stop` of a run."""

    stage: int  # of the manifest's; their count stands for what comes after them
    start: int
    stop: int
    control: ControlSettings
    train: TrainSettings


def legs(manifest: Manifest) -> list[Leg]:
    """Cut a training into its legs, in order; most have one.

    Raises:
        ValueError: The stages are as long as the training, or its control knows none.
    """
    train, stages = manifest.train, manifest.train.stages
    if stages and manifest.control.kind not in STAGED:
        raise ValueError(
            f"train.stages: a control of kind '{manifest.control.kind}' has none (of {', '.join(STAGED)} there are)"
        )
    taken = sum(stage.steps for stage in stages)
    if stages and taken >= train.steps:
        raise ValueError(
            f"train.stages: they take {taken} steps of train.steps = {train.steps}. Leave some for the end"
        )
    return list(_cut(manifest))


def _cut(manifest: Manifest) -> Iterator[Leg]:
    train, done = manifest.train, 0
    for number, stage in enumerate(train.stages):
        control = manifest.control.model_copy(update={"kind": stage.kind})
        rate = stage.learning_rate or train.learning_rate
        yield Leg(number, done, done + stage.steps, control, train.model_copy(update={"learning_rate": rate}))
        done += stage.steps
    yield Leg(len(train.stages), done, train.steps, manifest.control, train)
