"""A seal: what a checkpoint says of itself, written last into it, by which a torn one is told from a whole one."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manifests.storage import replace_text
from train.span import Span

FILE = "checkpoint.json"
NAME = re.compile(r"step-(\d+)")
FORMAT = 1  # another number: an older Pairmill cannot go on from it


class Torn(ValueError):
    """A checkpoint that must not be loaded; says why."""


@dataclass(frozen=True)
class Position:
    """How far a run is, and how it got there."""

    step: int  # optimiser steps done
    samples: int  # read so far, over all processes: the number of the next one
    stage: int  # of the manifest's `train.stages`, from 0; their count stands for what comes after them
    processes: int
    micro_batch: int  # samples of one process's forward pass, at most


@dataclass(frozen=True)
class Origin:
    """Which run a checkpoint is of."""

    manifest_fingerprint: str
    identity: dict[str, Any]  # as `train.run_folder.Provenance.identity`: subset, families, base and settings
    versions: dict[str, str]  # of packages


@dataclass(frozen=True)
class Seal:
    """Everything that a checkpoint says of itself."""

    position: Position
    origin: Origin
    sharding: str  # "whole" weights and optimiser, or "fsdp" or "deepspeed", which write them in pieces
    files: dict[str, int]  # bytes of every other file, by its path within the checkpoint
    format: int = FORMAT


def position_of(span: Span, *, step: int, stage: int = 0) -> Position:
    """Say where a run of this span is after `step` steps."""
    return Position(
        step=step,
        samples=step * span.batch_size,
        stage=stage,
        processes=span.processes,
        micro_batch=span.micro_batch,
    )


def write_seal(folder: Path, seal: Seal) -> None:
    """Seal a checkpoint whose other files are all on the disk."""
    replace_text(json.dumps(asdict(seal), indent=2) + "\n", folder / FILE)


def read_seal(folder: Path) -> Seal:
    """Read what a checkpoint says of itself, if it is whole: every file there, each of the size it was saved with.

    The bytes themselves are not read again: a file that was synced before the seal was written does not change by a
    crash.

    Raises:
        Torn: It is not; names what is missing.
    """
    seal = _parsed(folder)
    for name, size in seal.files.items():
        path = folder / name
        found = path.stat().st_size if path.is_file() else None
        if found is None:
            raise Torn(f"{folder}: {name} is missing")
        if found != size:
            raise Torn(f"{folder}: {name} has {found:,} bytes, and {size:,} were saved")
    return seal


def checkpoints(folder: Path) -> list[Path]:
    """List the whole checkpoints, oldest first."""
    return [checkpoint for checkpoint in named(folder) if _is_whole(checkpoint)]


def step_of(checkpoint: Path) -> int:
    """Read the number of steps done from a checkpoint's name."""
    match = NAME.fullmatch(checkpoint.name)
    assert match, checkpoint
    return int(match[1])


def named(folder: Path) -> list[Path]:
    """List what is named as a checkpoint, whole or torn, oldest first."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if NAME.fullmatch(path.name)), key=step_of)


def _is_whole(checkpoint: Path) -> bool:
    try:
        read_seal(checkpoint)
    except Torn:
        return False
    return True


def _parsed(folder: Path) -> Seal:
    path = folder / FILE
    if not path.is_file():
        raise Torn(f"{folder}: it has no {FILE}: it was torn, or saved by a Pairmill that wrote none")
    try:
        record = json.loads(path.read_text())
        if record["format"] != FORMAT:
            raise Torn(f"{folder}: it is of format {record['format']}, and this Pairmill reads {FORMAT}")
        position, origin = Position(**record.pop("position")), Origin(**record.pop("origin"))
        return Seal(position, origin, **record)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise Torn(f"{folder}: its {FILE} cannot be read: {error}") from error
