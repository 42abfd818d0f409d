"""Where the training sets of a dataset lie, and what tells one from another."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from upath import UPath

from manifests.dataset import Dataset
from manifests.families import Cards
from manifests.manifest import Manifest

MARKER = "complete.json"  # written last
LAYOUT = 2  # sets of the first do not say what they were gathered from, and so not whether it is still there


def training_set_path(manifest: Manifest, cards: Cards) -> Path:
    """Folder of the training set, the same for every `rows` of one dataset, `where`, seed, parts and families."""
    identity: list[Any] = [cards.condition.fingerprint, manifest.condition]
    identity += [manifest.where, manifest.seed, manifest.parts]
    if cards.words:
        identity += [cards.words.fingerprint, manifest.captions]
    if cards.further:
        identity.append({"further": [[card.family, card.fingerprint] for card in cards.further]})
    if cards.latents:
        encode = manifest.engine.encode  # with "cached" a set has no pictures
        identity.append({"latents": [cards.latents.family, cards.latents.fingerprint, encode]})
    return training_folder(manifest.dataset) / f"{manifest.condition}-{digest(identity)}"


def training_folder(dataset: UPath) -> Path:
    """Folder of a dataset's training sets: memory-mapped, and so local, wherever the dataset lies."""
    if isinstance(dataset, Path):
        return dataset / "training_sets"
    cache = Path(os.environ.get("PAIRMILL_CACHE", "~/.cache/pairmill")).expanduser()
    return cache / "training_sets" / Dataset.open(dataset).settings.id


def digest(identity: list[Any]) -> str:
    """First 12 hex digits of the sha256 of a list as JSON."""
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]


def is_complete(path: Path) -> bool:
    """Whether a whole training set of this layout lies at `path`."""
    marker = path / MARKER
    return marker.exists() and json.loads(marker.read_text()).get("layout") == LAYOUT
