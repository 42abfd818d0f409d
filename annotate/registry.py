"""Which annotators there are, and how settings become one: from a user's words or from a family's card."""

import dataclasses
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter, ValidationError

from annotate.annotator import Annotator
from annotate.canny import Canny
from annotate.caption import Caption
from annotate.caption_quality import CaptionQuality
from annotate.clip_score import ClipScore
from annotate.corpus import AT_INGEST
from annotate.depth import Depth
from annotate.hed import Hed
from annotate.latents import Latents
from annotate.lineart import Lineart
from annotate.mlsd import Mlsd
from annotate.normal import Normal
from annotate.openpose.annotator import OpenPose
from annotate.phash import Phash
from annotate.quality.annotator import Quality
from annotate.scribble import Scribble
from annotate.segmentation import Segmentation
from annotate.softedge import SoftEdge
from annotate.weights import describe
from manifests.family import FamilyCard, Profile
from manifests.provenance import versions

ANNOTATORS: dict[str, type[Annotator]] = {
    "canny": Canny,
    "hed": Hed,
    "softedge": SoftEdge,
    "scribble": Scribble,
    "depth": Depth,
    "normal": Normal,
    "mlsd": Mlsd,
    "lineart": Lineart,
    "openpose": OpenPose,
    "segmentation": Segmentation,
    "caption": Caption,
    "phash": Phash,
    "quality": Quality,
    "caption_quality": CaptionQuality,
    "clip_score": ClipScore,
    "latents": Latents,
}


def build(name: str, settings: Mapping[str, Any], where: str) -> Annotator:
    """An annotator with the settings given, the rest at their defaults.

    Args:
        where: what the user wrote, for errors.

    Raises:
        ValueError: no such annotator, no such setting, or a value that can't be.
    """
    if name in AT_INGEST:
        raise ValueError(
            f"{where}: its conditions come with the corpus, and no detector makes them. Ingest a corpus that carries "
            "them, with --provided; see docs/provided.md"
        )
    if name not in ANNOTATORS:
        raise ValueError(
            f"{where}: no annotator {name!r}{nearest(name, ANNOTATORS)}. There are {', '.join(ANNOTATORS)}"
        )
    known = {field.name for field in dataclasses.fields(ANNOTATORS[name])}
    for setting in settings:
        if setting not in known:
            raise ValueError(
                f"{where}: {name} has no setting {setting!r}{nearest(setting, known)}. "
                f"It has {', '.join(sorted(known)) or 'none'}"
            )
    try:
        built: Annotator = TypeAdapter(ANNOTATORS[name]).validate_python(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "its settings"
        raise ValueError(
            f"{where}: {name}: {field}: {first['msg']}, not {first['input']!r}. Mend the setting"
        ) from error
    return built


def make_card(
    annotator: Annotator, family: str, *, made_from: Mapping[str, str], resolution: int, profile: Profile = "exact"
) -> FamilyCard:
    """The card of a family that `annotator` makes; asks for the weights, so that a missing file is known at once."""
    return FamilyCard(
        family=family,
        annotator=annotator.name,
        version=annotator.version,
        kind=annotator.kind,
        settings=TypeAdapter(type(annotator)).dump_python(annotator, mode="json"),
        resolution=resolution,
        profile=profile,
        weights=[found for name in annotator.weights for found in describe(name)],
        made_from=dict(made_from),
        packages=versions(),
        labels=annotator.labels,
        parameters={name: str(kind) for name, kind in annotator.parameters.items()},
        stats={name: str(kind) for name, kind in annotator.stats.items()},
    )


def from_card(card: FamilyCard) -> Annotator:
    """The very annotator that made a family.

    Raises:
        ValueError: it can't be had here: unknown, of another version, or its weights are other ones.
    """
    where = f"family {card.family}"
    annotator = build(card.annotator, card.settings, where)
    here = make_card(annotator, card.family, made_from=card.made_from, resolution=card.resolution, profile=card.profile)
    if here.fingerprint != card.fingerprint:
        differing = [name for name in card.identity if card.identity[name] != here.identity[name]]
        raise ValueError(
            f"{where}: made by {card.annotator} {card.fingerprint}, but here it is {here.fingerprint}: "
            f"{', '.join(differing)} differ. Use the version and weights that its annotator.json names"
        )
    return annotator


def check_weights(card: FamilyCard, annotator: Annotator) -> None:
    """Make sure that this machine has the weights that a family's card names: a model on the Hub may have moved on.

    Raises:
        ValueError: it has others.
    """
    here = {(found.file, found.sha256) for name in annotator.weights for found in describe(name)}
    there = {(weights.file, weights.sha256) for weights in card.weights}
    if here != there:
        files = ", ".join(sorted({file for file, _ in here ^ there}))
        raise ValueError(f"family {card.family}: other weights on this machine ({files}). Copy those of the first one")


def nearest(name: str, known: Collection[str]) -> str:
    """Which of the known names was meant, for an error; "" if none is near."""
    near = get_close_matches(name, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
