"""Refuses evaluate settings that don't fit what was trained, before anything is drawn."""

from manifests.dataset import Dataset
from manifests.evaluate_settings import EvaluateSettings
from manifests.manifest import Manifest
from train.refusals import check_drawing

OF_SPEAKING = ("guess", "control_scale", "control_start", "control_end")


def check_settings(manifest: Manifest) -> None:
    """Refuse settings that ask of a control what it can't do.

    Raises:
        ValueError: Names the setting, and what it may be.
    """
    _check_scored(manifest)
    _check_beside(manifest)
    _check_method(manifest)
    check_drawing(manifest)


def check_scale(manifest: Manifest, dataset: Dataset) -> None:
    """Refuse to score a further condition of another scale: the square in its middle is not the one trained on."""
    first, scored = (dataset.card(family).resolution for family in (manifest.condition, manifest.scored))
    if first != scored:
        raise ValueError(
            f"evaluate.scored: '{manifest.scored}' was annotated at {scored or 'its own'} pixels and "
            f"'{manifest.condition}', which decides what square is shown, at {first or 'its own'}. Annotate both at "
            "one --resolution, and train again"
        )


def _check_scored(manifest: Manifest) -> None:
    if manifest.scored not in manifest.conditions:
        raise ValueError(
            f"evaluate.scored: '{manifest.scored}' was not shown in training. Take one of "
            f"{', '.join(manifest.conditions)}, or leave it out"
        )


def _check_beside(manifest: Manifest) -> None:
    settings = manifest.evaluate
    if settings.beside == "own":
        return
    if not manifest.further_conditions:
        raise ValueError(
            f"evaluate.beside: {settings.beside}: nothing is shown beside '{manifest.condition}', for the manifest has "
            "no further_conditions. Leave evaluate.beside out"
        )
    if settings.method != "control":
        raise ValueError(
            f"evaluate.beside: {settings.beside}: method {settings.method} draws from the hint of '{manifest.scored}' "
            "alone. Leave evaluate.beside out"
        )


def _check_method(manifest: Manifest) -> None:
    """Refuse what says how a control speaks, where none does."""
    settings = manifest.evaluate
    for name in OF_SPEAKING if settings.method != "control" else ():
        if getattr(settings, name) != EvaluateSettings.model_fields[name].default:
            raise ValueError(
                f"evaluate.{name}: method {settings.method} draws without the control. Leave evaluate.{name} out"
            )
