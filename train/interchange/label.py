"""What may be told of a ControlNet's origin wherever it goes: fingerprints and settings, no path of a machine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from train.run_folder import PROVENANCE, Provenance, load_provenance

LABEL = "label.json"  # beside weights that came out of a single file, in the place of provenance.json
PREFIX = "pairmill."  # in the header of a single file


def label_of(provenance: Provenance) -> dict[str, str]:
    """Name what decides a ControlNet, each as text; a mapping as JSON."""
    told = {
        "manifest": json.dumps(public_manifest(provenance.manifest), sort_keys=True),
        "manifest_fingerprint": provenance.manifest_fingerprint,
        "subset_fingerprint": provenance.subset_fingerprint,
        "condition": provenance.family,
        "condition_fingerprint": provenance.family_fingerprint,
        "rows": str(provenance.rows),
        "base": public_name(provenance.base),
        "git": provenance.git,
        "versions": json.dumps(provenance.versions, sort_keys=True),
        "started": provenance.started,
    }
    return {PREFIX + name: text for name, text in told.items()}


def label_at(folder: Path) -> dict[str, str]:
    """The label of the ControlNet in a folder; empty if nothing is known of it."""
    if (folder / PROVENANCE).is_file():
        return label_of(load_provenance(folder))
    written = folder / LABEL
    return dict(json.loads(written.read_text())) if written.is_file() else {}


def label_in(header: Mapping[str, str]) -> dict[str, str]:
    """The label in a single file's header."""
    return {name: text for name, text in header.items() if name.startswith(PREFIX)}


def public_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest that names dataset, base and initial weights without the folders they lie in."""
    named = {name: public_name(str(manifest[name])) for name in ("dataset", "base") if name in manifest}
    control = dict(manifest.get("control", {}))
    if control.get("initial"):
        control["initial"] = public_name(control["initial"])
    return {**manifest, **named, **({"control": control} if control else {})}


def public_name(where: str) -> str:
    """A name on the Hub as it is; of a path or an address the last two parts, which say what it is, not whose."""
    if is_hub_name(where):
        return where
    return "/".join([part for part in where.split("/") if part not in {"", ".", "..", "~"}][-2:])


def is_hub_name(where: str) -> bool:
    """Whether `where` is a name on the Hugging Face Hub, not a folder or file of this machine nor an address."""
    path = Path(where)
    on_disk = path.is_absolute() or where.startswith((".", "~")) or path.exists()
    return not on_disk and "://" not in where and len(path.parts) == 2
