"""What was evaluated and how, hashed, so that numbers made differently are never put side by side."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from manifests.account import Account, account_from
from manifests.difference import differences
from manifests.evaluate_settings import EvaluateSettings, Method
from manifests.storage import replace_text

SPEC_FILE = "spec.json"
NEVER = object()
LATER = {  # settings that came after the first evaluations, at the values that those had
    name: EvaluateSettings.model_fields[name].default
    for name in (
        *("split", "geometry", "prompts", "guess", "control_start", "control_end"),
        *("scored", "beside", "method", "strength"),
    )
}
OF_CONTROL = {"guess", "control_scale", "control_start", "control_end", "scored", "beside", "method", "strength"}


@dataclass(frozen=True)
class Protocol:
    """Everything that two runs must share for their scores to be comparable."""

    dataset: str  # id of the dataset whose test split is drawn
    condition: str  # family that is scored
    annotator: str
    annotator_fingerprint: str
    measures_version: int
    base: str
    resolution: int  # pixels, both sides
    settings: dict[str, Any]  # evaluate section of the manifest, without the batch size, which only rounds
    keys_sha256: str  # of the keys of the test samples, in order
    captions: str = ""  # fingerprint of the family whose words are the prompts; "": they are the corpus's captions
    further: dict[str, str] = field(default_factory=dict)  # family → fingerprint, of conditions shown and not scored
    truth: dict[str, str] = field(default_factory=dict)  # family → fingerprint, of the one that is known to be right

    @property
    def identity(self) -> dict[str, Any]:
        """All fields; where nothing is made of what came later, those of the time before it came."""
        fields = {name: value for name, value in asdict(self).items() if name not in {"further", "truth"} or value}
        settings = {name: value for name, value in self.settings.items() if value != LATER.get(name, NEVER)}
        return {**fields, "settings": settings}

    @property
    def floor(self) -> dict[str, Any]:
        """What decides the pictures without control: all but what is said of the control, of truth and of measures."""
        fields = ("dataset", "condition", "base", "resolution", "keys_sha256", "captions")
        settings = {name: value for name, value in self.settings.items() if name not in OF_CONTROL}
        return {**{name: self.identity[name] for name in fields}, "settings": settings}

    @property
    def method(self) -> Method:
        """What made the pictures of the arm `controlled`; of the time before there was a choice, the control."""
        method: Method = self.settings.get("method", LATER["method"])
        return method

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over all fields."""
        return _digest(self.identity)


@dataclass(frozen=True)
class Spec:
    """One evaluation: a protocol applied to a checkpoint."""

    run: str
    rows: int  # of the training subset
    steps: int
    samples_seen: int  # while training: steps times batch size
    manifest_fingerprint: str
    subset_fingerprint: str
    controlnet_sha256: str
    asked: int  # test samples wanted
    protocol: Protocol
    versions: dict[str, str]
    classes: int = 0  # of the annotator's labels; 0: its conditions are no classes
    account: Account | None = None  # of the rows trained on, and of those kept out; None: an older run keeps none

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the protocol and the checkpoint (not its name, nor package versions)."""
        return _digest({"protocol": self.protocol.identity, "controlnet": self.controlnet_sha256})


def write_spec(spec: Spec, folder: Path) -> None:
    """Claim a folder for one evaluation; another one's folder is refused, naming what differs."""
    target = folder / SPEC_FILE
    if target.is_file():
        _refuse_another(read_spec(folder), spec, folder)
        return
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(spec), indent=2, sort_keys=True) + "\n"
    replace_text(text, target)


def read_spec(folder: Path) -> Spec:
    """Read what an evaluation folder holds."""
    path = folder / SPEC_FILE
    if not path.is_file():
        raise ValueError(f"{folder}: no evaluation here (no {SPEC_FILE}). Make one: python pipelines/evaluate.py RUN")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        account = account_from(fields["account"]) if fields.get("account") else None
        return Spec(**{**fields, "protocol": Protocol(**fields["protocol"]), "account": account})
    except (json.JSONDecodeError, KeyError, TypeError) as error:  # TypeError: a field too many or too few
        raise ValueError(
            f"{path}: not as this version of Pairmill writes it ({error}). Delete {folder}, and evaluate the run again"
        ) from error


def _refuse_another(found: Spec, wanted: Spec, folder: Path) -> None:
    if found.fingerprint == wanted.fingerprint:
        return
    fields = differences(
        {**asdict(found.protocol), "controlnet_sha256": found.controlnet_sha256},
        {**asdict(wanted.protocol), "controlnet_sha256": wanted.controlnet_sha256},
    )
    raise ValueError(
        f"{folder}: it holds another evaluation ({found.fingerprint}, not {wanted.fingerprint}); {'; '.join(fields)}. "
        "Choose another folder with --out, or delete this one"
    )


def _digest(fields: dict[str, Any]) -> str:
    return sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
