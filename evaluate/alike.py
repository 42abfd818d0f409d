"""Refuses to put evaluations side by side that were not made alike."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Protocol, Spec
from manifests.difference import differences


def one_protocol(runs: Sequence[tuple[Spec, Path]]) -> Protocol:
    """The protocol that all evaluations share.

    Raises:
        ValueError: There are fewer than two, or they differ; names the fields.
    """
    if len(runs) < 2:
        raise ValueError("a comparison needs two evaluations or more. Evaluate another run")
    first, home = runs[0]
    for spec, folder in runs[1:]:
        if spec.protocol.fingerprint != first.protocol.fingerprint:
            fields = "; ".join(differences(asdict(first.protocol), asdict(spec.protocol)))
            raise ValueError(f"{home} and {folder} were not evaluated alike: {fields}. Evaluate one of them again")
    return first.protocol


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
