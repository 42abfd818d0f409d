"""Where the numbers of a study come from: each training's seeds, rows and code, and the packages that made it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from train.run_folder import load_provenance


@dataclass(frozen=True)
class Lineage:
    """One training.

    Attributes:
        training: its name in the study.
        seed: of the draw of its subset.
        train_seed: of the training.
        subset: fingerprint of the rows that it saw.
        started: UTC, ISO 8601.
        git: revision of the code; "" where there was no repository.
        versions: of packages.
    """

    training: str
    seed: int
    train_seed: int
    subset: str
    started: str
    git: str
    versions: dict[str, str] = field(compare=False)


def lineage_of(name: str, run: Path) -> Lineage:
    """Read where the run in a folder comes from.

    Args:
        name: of the training in its study.
    """
    said = load_provenance(run)
    return Lineage(
        training=name,
        seed=said.manifest["seed"],
        train_seed=said.manifest["train"]["seed"],
        subset=said.subset_fingerprint,
        started=said.started,
        git=said.git,
        versions=said.versions,
    )


def packages(lineages: Iterable[Lineage]) -> dict[str, str]:
    """Versions of the packages that made them; several, joined by "or", where they differ."""
    found: dict[str, dict[str, None]] = {}
    for lineage in lineages:
        for name, version in lineage.versions.items():
            found.setdefault(name, {})[version] = None
    return {name: " or ".join(each) for name, each in found.items()}


def seeds_in_words(lineages: Iterable[Lineage]) -> str:
    """The seeds of all, each pair once."""
    pairs = sorted({(lineage.seed, lineage.train_seed) for lineage in lineages})
    return f"Seeds of draw and training: {', '.join(f'{draw} and {training}' for draw, training in pairs)}."
