"""Puts trained ControlNets of single conditions together into a run that draws with all of them at once."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from manifests.manifest import Manifest, dump
from manifests.storage import replace_text
from train.control.initial import PLAIN, SETTINGS_FILE, read_settings
from train.control.weights import CONFIG_FILE, DIFFUSERS_FILE
from train.result import STEPS_FILE
from train.run_folder import COMPOSED_FILE, MANIFEST, PROVENANCE, Provenance, load_provenance, manifest_of


@dataclass(frozen=True)
class Part:
    """One of the runs."""

    run: Path
    manifest: Manifest
    provenance: Provenance


def compose(runs: Sequence[Path], out: Path) -> Path:
    """Write a run whose control is the sum of others' (diffusers' `MultiControlNetModel`), each with its condition.

    It can be evaluated, and not trained further. Its first run's condition is the one that is scored, unless
    `evaluate.scored` names another's.

    Args:
        runs: finished ones on one base and dataset, of one condition each; two or more.
        out: folder to write; nothing may be there.

    Returns:
        `out`.

    Raises:
        ValueError: A run is not finished or no plain ControlNet, or they don't fit together; names the run and why.
    """
    if len(runs) < 2:
        raise ValueError("to compose takes two runs or more. Name another run")
    if out.exists():
        raise ValueError(f"{out}: something is there already. Name another folder")
    parts = [_read(run) for run in runs]
    for part in parts[1:]:
        _check_fit(parts[0], part)
    _write(parts, out)
    return out


def _read(run: Path) -> Part:
    manifest = manifest_of(run)
    folder = run / "controlnet"
    if not (folder / DIFFUSERS_FILE).is_file():
        raise ValueError(f"{run}: it holds no finished ControlNet in diffusers' layout. Finish it: --resume")
    settings, conditions = read_settings(folder)
    if settings.kind not in PLAIN or conditions > 1:
        raise ValueError(
            f"{run}: a control of kind {settings.kind} that reads {conditions} conditions. Only a ControlNet of one "
            "condition can be summed with others"
        )
    return Part(run, manifest, load_provenance(run))


def _check_fit(first: Part, other: Part) -> None:
    pairs = {
        "kind of control": (first.manifest.control.kind, other.manifest.control.kind),
        "base": (first.manifest.base, other.manifest.base),
        "base's weights": (first.provenance.base_digest, other.provenance.base_digest),
        "dataset": (str(first.manifest.dataset), str(other.manifest.dataset)),
        "resolution": (first.manifest.resolution, other.manifest.resolution),
    }
    for name, (one, two) in pairs.items():
        if one != two:
            raise ValueError(f"{other.run}: its {name} is {two}, and that of {first.run} is {one}. Compose like runs")
    if first.manifest.condition == other.manifest.condition:
        raise ValueError(f"{other.run}: it reads {other.manifest.condition}, as {first.run} does. Name another run")


def _write(parts: Sequence[Part], out: Path) -> None:
    first, *others = parts
    folder = out / "controlnet"
    for place, part in enumerate(parts):
        target = folder / f"condition-{place + 1}" if place else folder
        target.mkdir(parents=True, exist_ok=True)
        for name in (CONFIG_FILE, DIFFUSERS_FILE):
            shutil.copyfile(part.run / "controlnet" / name, target / name)
    shutil.copyfile(first.run / "controlnet" / STEPS_FILE, folder / STEPS_FILE)
    replace_text(json.dumps([str(part.run) for part in parts], indent=2) + "\n", out / COMPOSED_FILE)
    settings, _ = read_settings(first.run / "controlnet")
    described = {**settings.model_dump(mode="json"), "joining": "sum", "conditions": len(parts)}
    replace_text(json.dumps(described, indent=2) + "\n", folder / SETTINGS_FILE)
    further = tuple(part.manifest.condition for part in others)
    manifest = first.manifest.model_copy(update={"further_conditions": further})
    replace_text(dump(manifest), out / MANIFEST)
    provenance = replace(
        first.provenance,
        manifest=manifest.model_dump(mode="json"),
        manifest_fingerprint=manifest.fingerprint,
        other_families={part.provenance.family: part.provenance.family_fingerprint for part in others},
    )
    replace_text(json.dumps(asdict(provenance), indent=2) + "\n", out / PROVENANCE)
