"""Budgets: how many steps a training gets, so that trainings of other sizes have as much of something as another."""

from functools import cache
from typing import Any

from manifests.control import ControlSettings
from manifests.manifest import Manifest
from manifests.study import Budget
from train.base import Base, load_base
from train.flops import flops_of_sample
from train.legs import legs

_counted = dict[tuple[Any, ...], int]()


def steps_under(budget: Budget, manifest: Manifest, *, like: Manifest) -> int:
    """Optimiser steps of a training under a budget.

    Args:
        budget: "steps": those of its manifest; "samples": it sees as many as the other training; "flops": it computes
            as much, counted as `train.flops` does (probes and monitors apart).
        manifest: of the training.
        like: manifest of the other one.

    Raises:
        ValueError: What is asked for is less than one step, or a training in stages, whose steps cost unlike amounts.
    """
    if budget == "steps":
        return manifest.train.steps
    samples = float(like.train.steps * like.train.batch_size)
    if budget == "flops":
        if manifest.train.stages or like.train.stages:
            raise ValueError("budget: flops: a training in stages can't be cut to them. Take budget: samples")
        samples *= flops_of(like, _only(like)) / flops_of(manifest, _only(manifest))
    steps = round(samples / manifest.train.batch_size)
    if steps < 1:
        batch = manifest.train.batch_size
        raise ValueError(f"budget: {budget}: they allow no step of {batch} samples. Raise train.steps")
    return steps


def flops_of(manifest: Manifest, control: ControlSettings) -> int:
    """FLOPs of one sample's step, as `train.flops.flops_of_sample` counts them: once for all that cost the same.

    Args:
        control: what learns in that step.
    """
    read = bool(manifest.latents) and manifest.engine.encode
    sizes = (manifest.base, manifest.resolution, len(manifest.further_conditions), read, control)
    if sizes not in _counted:
        _counted[sizes] = flops_of_sample(manifest, base_of(manifest.base), control)
    return _counted[sizes]


def _only(manifest: Manifest) -> ControlSettings:
    """What learns in a training without stages."""
    (leg,) = legs(manifest)
    return leg.control


@cache
def base_of(name: str) -> Base:
    """A base whose sizes are counted, loaded once."""
    return load_base(name)
