"""What made a family: the card that lies beside its shards as annotator.json, and its fingerprint."""

import difflib
import hashlib
import json
import shlex
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict
from upath import UPath

from manifests.condition import Kind
from manifests.storage import publish_text, replace_text

CARD = "annotator.json"
# How a picture is resized before it is annotated. exact: the aspect ratio is kept; aux: both sides are rounded to
# multiples of 64, as controlnet_aux 0.0.10 does (`util.resize_image`), at the price of an aspect ratio that is off by
# up to 6 %.
Profile = Literal["exact", "aux"]


class Weights(BaseModel):
    """One file of weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    file: str
    sha256: str
    licence: str
    source: str


class FamilyCard(BaseModel):
    """Everything that decides what a family's conditions are, and what describes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    family: str
    annotator: str
    version: int
    kind: Kind
    settings: dict[str, Any] = {}
    resolution: int = 0  # short side in pixels at which pictures are annotated; 0: as they are stored
    profile: Profile = "exact"
    weights: list[Weights] = []
    made_from: dict[str, str] = {}  # family → fingerprint
    packages: dict[str, str] = {}
    labels: list[str] = []  # names of classes, by index; what they are is decided by the weights
    parameters: dict[str, str] = {}  # drawn for each row: name → Arrow type
    stats: dict[str, str] = {}

    @property
    def identity(self) -> dict[str, Any]:
        """The fields whose change can change a pixel."""
        return {
            "annotator": self.annotator,
            "version": self.version,
            "settings": self.settings,
            "resolution": self.resolution,
            "profile": self.profile,
            "weights": sorted(weights.sha256 for weights in self.weights),
            "made_from": self.made_from,
        }

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the sha256 of `identity` as canonical JSON."""
        named = {name: value for name, value in self.identity.items() if (name, value) != ("profile", "exact")}
        text = json.dumps(named, sort_keys=True, separators=(",", ":"))  # as before there were profiles
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def command(self, root: UPath, *, refresh: bool = False) -> str:
        """What makes this very family in a dataset: what is missing of it, or with `refresh` what is outdated too."""
        words = [self.family if self.family == self.annotator else f"{self.family}={self.annotator}"]
        words += ["--resolution", str(self.resolution)] if self.resolution else []
        words += ["--profile", self.profile] if self.profile != "exact" else []
        for name, value in self.settings.items():
            plain = isinstance(value, str) and yaml.safe_load(value) == value
            words += ["--set", f"{self.family}.{name}={value if plain else json.dumps(value)}"]
        return shlex.join(["python", "pipelines/annotate.py", str(root), *words, *(["--refresh"] if refresh else [])])


def create_card(root: UPath, card: FamilyCard, *, refresh: bool = False) -> FamilyCard:
    """Write a family's card, or accept the one that is there if it has the same fingerprint.

    Args:
        refresh: put it in the place of another; shards made under that one are then outdated.

    Returns:
        The card on disk.

    Raises:
        ValueError: The family was begun otherwise; names both fingerprints and the fields that differ.
    """
    path = root / card.family / CARD
    path.parent.mkdir(parents=True, exist_ok=True)
    (replace_text if refresh else publish_text)(card.model_dump_json(indent=1) + "\n", path)
    return check_card(root, card)


def check_card(root: UPath, card: FamilyCard) -> FamilyCard:
    """Hold a family's card against the one that is there.

    Returns:
        The card on disk.

    Raises:
        ValueError: The family was begun otherwise; names both fingerprints and the fields that differ.
    """
    path, present = root / card.family / CARD, load_card(root, card.family)
    if present.fingerprint != card.fingerprint:
        differing = [
            f"{name}: {present.identity[name]!r} there, {card.identity[name]!r} asked for"
            for name in card.identity
            if present.identity[name] != card.identity[name]
        ]
        raise ValueError(
            f"{path}: family {card.family} has fingerprint {present.fingerprint}, not {card.fingerprint} "
            f"({'; '.join(differing)}). Give it another name, {card.family}_2={card.annotator}, "
            "or make it again with --refresh"
        )
    return present


def load_card(root: UPath, family: str) -> FamilyCard:
    """Read a family's card.

    Raises:
        ValueError: There is no such family; names the ones there are and the command that makes it.
    """
    path = root / family / CARD
    if path.exists():
        return FamilyCard.model_validate_json(path.read_text())
    present = families(root)
    near = difflib.get_close_matches(family, present, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"{root} has no condition {family!r} (it has {', '.join(present) or 'none'}).{hint} "
        f"Make it: python pipelines/annotate.py {root} {family}"
    )


def families(root: UPath) -> list[str]:
    """Names of the families of a dataset, sorted."""
    return sorted(folder.name for folder in root.iterdir() if (folder / CARD).is_file())
