"""A run's folder: which run it holds, so that no other one writes into it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from manifests.account import Account, account_from
from manifests.control import ControlSettings
from manifests.manifest import Manifest, dump, load_manifest
from manifests.provenance import git_revision, versions
from manifests.storage import PARTIAL, replace_text
from manifests.subset import Subset
from manifests.train_settings import TrainSettings
from manifests.training_set.prepared import Prepared
from train.seal import Origin, checkpoints

MANIFEST = "manifest.yaml"
PROVENANCE = "provenance.json"
LOG = "log.jsonl"
COMPOSED_FILE = "composed.json"  # in a run that was put together from others: which these were
WEIGHTS = "base's weights"  # not known of a run begun before they were recorded


@dataclass(frozen=True)
class Provenance:
    """Where a ControlNet comes from, written before its first step."""

    manifest: dict[str, Any]
    manifest_fingerprint: str
    subset_fingerprint: str
    rows: int
    family: str
    family_fingerprint: str
    base: str
    overrides: list[str]
    processes: int
    versions: dict[str, str]
    git: str
    started: str  # UTC, ISO 8601
    account: Account | None = None  # why the other rows of the dataset were not drawn; None: of a run before there was
    base_digest: str = ""  # of its weights, as `train.digest.base_digest` gives it; "": not known
    other_families: dict[str, str] = field(default_factory=dict)  # fingerprints of all but `family`

    @property
    def identity(self) -> dict[str, Any]:
        """What must be equal for two runs to be the same one."""
        # Of a run begun before there was some setting: its default.
        train = _complete(TrainSettings, self.manifest["train"])
        del train["steps"]  # a run may be made longer
        control = _complete(ControlSettings, self.manifest.get("control", {}))
        return {
            "subset": self.subset_fingerprint,
            self.family: self.family_fingerprint,
            **self.other_families,
            "further_conditions": list(self.manifest.get("further_conditions", ())),
            "captions": self.manifest.get("captions", ""),
            "latents": self.manifest.get("latents", ""),
            "base": self.base,
            **({WEIGHTS: self.base_digest} if self.base_digest else {}),
            "resolution": self.manifest["resolution"],
            **{f"control.{name}": value for name, value in sorted(control.items())},
            **{f"train.{name}": value for name, value in sorted(train.items())},
        }

    @property
    def origin(self) -> Origin:
        """What the run's checkpoints say of where they come from."""
        return Origin(self.manifest_fingerprint, self.identity, self.versions)


def _complete(settings: type[BaseModel], said: dict[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in said.items() if name in settings.model_fields}
    return settings(**known).model_dump(mode="json")


def provenance_of(
    manifest: Manifest, subset: Subset | Prepared, *, overrides: list[str], processes: int, base_digest: str = ""
) -> Provenance:
    """Gather the provenance of a run that is about to start."""
    return Provenance(
        manifest=manifest.model_dump(mode="json"),
        manifest_fingerprint=manifest.fingerprint,
        subset_fingerprint=subset.fingerprint,
        rows=manifest.rows,
        family=manifest.condition,
        family_fingerprint=subset.card.fingerprint,
        base=manifest.base,
        overrides=overrides,
        processes=processes,
        versions=versions(),
        git=git_revision(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        account=subset.account,
        base_digest=base_digest,
        other_families={card.family: card.fingerprint for card in subset.cards if card != subset.card},
    )


def manifest_of(run: Path, overrides: Sequence[str] = ()) -> Manifest:
    """Read the manifest of the run in a folder.

    Args:
        overrides: "section.field=value".

    Raises:
        ValueError: No run is there, or an override is refused.
    """
    if not (run / MANIFEST).is_file():
        raise ValueError(f"{run}: no run is here (it has no {MANIFEST}). Give the folder of a run")
    return load_manifest(run / MANIFEST, overrides)


def load_provenance(run: Path) -> Provenance:
    """Read the provenance of the run in a folder."""
    path = run / PROVENANCE
    if not path.is_file():
        raise ValueError(f"{run}: no run is here (it has no {PROVENANCE}). Give the folder of a run")
    record = json.loads(path.read_text())
    record.pop("resumed", None)
    account = account_from(record["account"]) if record.get("account") else None
    return Provenance(**{**record, "account": account})


def refuse_composed(run: Path, what: str) -> None:
    """Refuse what can only be asked of a run that was trained as it is.

    Args:
        what: that was asked for, in words.
    """
    if (run / COMPOSED_FILE).is_file():
        parts = ", ".join(json.loads((run / COMPOSED_FILE).read_text(encoding="utf-8")))
        raise ValueError(f"{run}: it was composed, and trained on no subset of its own; {what} of {parts}")


def claim(run: Path, manifest: Manifest, provenance: Provenance, *, resume: bool) -> None:
    """Take `run` for this run, or refuse: it may hold nothing, or, with `resume`, this very run.

    Args:
        manifest: written beside the provenance as RUN/manifest.yaml, with every override in it.
    """
    if run.is_dir() and any(not path.name.endswith(PARTIAL) for path in run.iterdir()):
        _refuse_another(run, provenance)
        if not resume:
            done = checkpoints(run / "checkpoints")
            state = f"up to {done[-1].name}" if done else "without a checkpoint yet"
            raise ValueError(
                f"{run}: this run is here already, {state}. Add --resume, or name another folder with --run"
            )
        _note_resumption(run, manifest, provenance)
    else:
        run.mkdir(parents=True, exist_ok=True)
        replace_text(json.dumps(asdict(provenance), indent=2) + "\n", run / PROVENANCE)
    replace_text(dump(manifest), run / MANIFEST)


def _refuse_another(run: Path, provenance: Provenance) -> None:
    if not (run / PROVENANCE).is_file():
        raise ValueError(f"{run}: the folder is not empty and holds no run. Name another with --run")
    there, here = load_provenance(run).identity, provenance.identity
    known = (there.keys() | here.keys()) - ({WEIGHTS} - (there.keys() & here.keys()))
    for name in sorted(known):
        if there.get(name) != here.get(name):
            drawn = " (what was appended since, `parts` leaves out; what was taken down is gone)"
            raise ValueError(
                f"{run}: another run is here: its {name} is {there.get(name)!r}, this one's is {here.get(name)!r}"
                f"{drawn if name == 'subset' else ''}. Name another folder with --run"
            )


def _note_resumption(run: Path, manifest: Manifest, provenance: Provenance) -> None:
    """Note who goes on, and by which manifest: it may say more steps, or watch otherwise."""
    path = run / PROVENANCE
    record = json.loads(path.read_text())
    now = {name: getattr(provenance, name) for name in ("started", "overrides", "processes", "versions", "git")}
    record.setdefault("resumed", []).append(now | {"manifest_fingerprint": record["manifest_fingerprint"]})
    record |= {"manifest": provenance.manifest, "manifest_fingerprint": manifest.fingerprint}
    replace_text(json.dumps(record, indent=2) + "\n", path)
