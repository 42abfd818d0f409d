"""Refuses to put evaluations side by side that were not made alike."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Protocol, Spec
from manifests.difference import differences

CONDITION = ("condition", "annotator", "annotator_fingerprint", "measures_version", "truth", "further", "keys_sha256")
DECIDES = {  # field of a manifest → what of the protocol follows from it; evaluate.NAME decides the setting NAME too
    "dataset": ("dataset", "truth"),
    "condition": CONDITION,
    "evaluate.scored": CONDITION,
    "further_conditions": ("further",),
    "captions": ("captions",),
    "parts": ("keys_sha256",),
    "base": ("base",),
    "resolution": ("resolution",),
    "evaluate.samples": ("keys_sha256",),
    "evaluate.seed": ("keys_sha256",),
    "evaluate.split": ("keys_sha256",),
}
CROP = {"resolution", "evaluate.geometry"}  # outside it may lie all of a condition: such a sample isn't scored


def one_protocol(runs: Sequence[tuple[Spec, Path]], *, varied: Collection[str] = ()) -> Protocol:
    """The protocol that all evaluations share; that of the first, where some of it is varied.

    Args:
        varied: fields of the manifest in which they may differ, as "evaluate.prompts".

    Raises:
        ValueError: There are fewer than two, or they differ; names the fields.
    """
    if len(runs) < 2:
        raise ValueError("a comparison needs two evaluations or more. Evaluate another run")
    first, home = runs[0]
    for spec, folder in runs[1:]:
        there, here = (_but_for(varied, protocol) for protocol in (first.protocol, spec.protocol))
        if here != there:
            fields = "; ".join(differences(there, here))
            raise ValueError(f"{home} and {folder} were not evaluated alike: {fields}. Evaluate one of them again")
    return first.protocol


def _but_for(varied: Collection[str], protocol: Protocol) -> dict[str, Any]:
    """The protocol without what follows from some fields of the manifest."""
    identity = protocol.identity
    decided = {part for field in varied for part in DECIDES.get(field, ())}
    settings = {f"evaluate.{name}": value for name, value in identity.pop("settings").items()}
    kept = {name: value for name, value in identity.items() if name not in decided}
    return kept | {name: value for name, value in settings.items() if name not in varied}


def may_score_others(varied: Collection[str]) -> bool:
    """Whether evaluations that differ in these fields may have scored other samples."""
    return any("keys_sha256" in DECIDES.get(field, ()) or field in CROP for field in varied)


def same_samples(folders: Sequence[Path]) -> list[pa.Table]:
    """The scores of evaluations of the same samples.

    Raises:
        ValueError: They scored different ones, as when one of them is not finished.
    """
    tables = [read_scores(folder / SCORES_FILE) for folder in folders]
    keys = [table["key"].unique().sort() for table in tables]
    for folder, own in zip(folders, keys, strict=True):
        if not own.equals(keys[0]):
            raise ValueError(f"{folder}: it scored other samples than {folders[0]}. Evaluate one of them again")
    return tables
