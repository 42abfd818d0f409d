"""Refuses, before the first step, what a training's probes could not draw."""

from manifests.manifest import Manifest
from train.control.registry import WEIGHED
from train.sampler import SCHEDULERS


def check_probes(manifest: Manifest) -> None:
    """Refuse what the probes of a training could not draw, if it has any.

    Raises:
        ValueError: As `check_drawing`.
    """
    if manifest.watch.probe_every and manifest.watch.probe_rows:
        check_drawing(manifest)


def check_drawing(manifest: Manifest) -> None:
    """Refuse to draw by a scheduler that nothing here can make, or in a guess mode that the control hasn't.

    Raises:
        ValueError: Names the setting, and what it may be.
    """
    settings = manifest.evaluate
    if settings.scheduler not in SCHEDULERS:
        raise ValueError(
            f"evaluate.scheduler: there is no scheduler '{settings.scheduler}'. Take one of {', '.join(SCHEDULERS)}"
        )
    if settings.guess and manifest.control.kind not in WEIGHED:
        raise ValueError(
            f"evaluate.guess: a control of kind '{manifest.control.kind}' adds no residuals that could be weighed "
            f"place by place ({', '.join(WEIGHED)} do). Leave evaluate.guess out"
        )
    if settings.guess and settings.guidance <= 1:
        raise ValueError("evaluate.guess: guess mode is a form of guidance. Set evaluate.guidance above 1")
