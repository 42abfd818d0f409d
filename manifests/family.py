"""A family's card, `annotator.json`: who made its conditions, from what, with which settings."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, Field

from manifests.condition import Kind
from manifests.layout import publish
from manifests.record import family_schema, keys_digest

CARD = "annotator.json"


class Weights(BaseModel, frozen=True, extra="forbid"):
    """One file of weights that an annotator used."""

    file: str
    sha256: str
    licence: str
    source: str


class FamilyCard(BaseModel, frozen=True, extra="forbid"):
    """What every condition of a family has in common."""

    family: str  # the folder's name
    annotator: str  # the name in the registry; a family may be called otherwise
    version: int
    kind: Kind
    settings: dict[str, Any] = {}
    resolution: int = Field(default=0, ge=0)  # short side in pixels; 0: as the picture is stored
    weights: tuple[Weights, ...] = ()
    made_from: dict[str, str] = {}  # family -> its fingerprint, where the annotator reads another family
    packages: dict[str, str] = {}  # name -> version
    parameters: dict[str, str] = {}  # drawn per row: name -> Arrow type ("int32", "float", "string", ...)
    stats: dict[str, str] = {}  # measured per row: name -> Arrow type

    def identity(self) -> dict[str, Any]:
        """The fields that decide a condition's pixels. Packages do not: their effect is within the stated tolerance."""
        chosen = self.model_dump(mode="json", include={"annotator", "version", "settings", "resolution", "made_from"})
        return chosen | {"weights": [weights.sha256 for weights in self.weights]}

    @property
    def fingerprint(self) -> str:
        """16 hex digits that go into every subset, checkpoint, score and report."""
        canonical = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def schema(self) -> pa.Schema:
        """The columns of this family's shards."""
        parameters = {name: pa.type_for_alias(alias) for name, alias in self.parameters.items()}
        return family_schema(self.kind, parameters, {name: pa.type_for_alias(alias) for name, alias in self.stats.items()})

    def footer(self, keys: Iterable[str]) -> dict[str, str]:
        """What a shard's Parquet footer says of its making, so that a refresh knows what to make again."""
        return {
            "pairmill.fingerprint": self.fingerprint,
            "pairmill.keys": keys_digest(keys),
            "pairmill.made_from": json.dumps(self.made_from, sort_keys=True),
            "pairmill.packages": json.dumps(self.packages, sort_keys=True),
        }


def create_card(root: Path, card: FamilyCard) -> None:
    """Write a family's card; where there is one, it must be of the same fingerprint."""
    content = json.dumps(card.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"
    publish(lambda path: _write_text(path, content), root / card.family / CARD)
    there = load_card(root, card.family)
    if there.fingerprint != card.fingerprint:
        raise ValueError(
            f"{root / card.family}: was made with {_difference(there, card)} (fingerprint {there.fingerprint}, "
            f"asked for {card.fingerprint}). Use the same settings, or another family name: NEW={card.annotator}."
        )


def load_card(root: Path, family: str) -> FamilyCard:
    """Read the card of a family that exists."""
    path = root / family / CARD
    if not path.is_file():
        raise ValueError(f"{path}: no such file. Make the family: python pipelines/annotate.py {root} {family}")
    return FamilyCard.model_validate_json(path.read_bytes())


def _difference(there: FamilyCard, asked: FamilyCard) -> str:
    """Name the first field in which two cards of different fingerprints differ, with both values."""
    ours, theirs = asked.identity(), there.identity()
    for field in ours:
        if ours[field] == theirs[field]:
            continue
        if isinstance(ours[field], dict):
            names = sorted(set(ours[field]) | set(theirs[field]))
            name = next(name for name in names if ours[field].get(name) != theirs[field].get(name))
            return f"{field}.{name}={theirs[field].get(name)!r}, not {ours[field].get(name)!r}"
        return f"{field}={theirs[field]!r}, not {ours[field]!r}"
    raise AssertionError("equal cards have equal fingerprints")


def _write_text(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
