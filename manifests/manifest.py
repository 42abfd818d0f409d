"""A manifest: the YAML that names a subset of a dataset, how to train on it, and how to judge what comes out."""

import difflib
import hashlib
import re
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    PlainSerializer,
    PlainValidator,
    PositiveInt,
    ValidationError,
)
from upath import UPath

from manifests.control import ControlSettings
from manifests.evaluate_settings import EvaluateSettings
from manifests.storage import locate
from manifests.train_settings import EngineSettings, TrainSettings, WatchSettings
from manifests.yaml_file import read_mapping

FROZEN = ConfigDict(frozen=True, extra="forbid")


class Manifest(BaseModel):
    """One subset, one training, one evaluation. Paths in the YAML are relative to its own folder."""

    model_config = FROZEN
    dataset: Annotated[UPath, PlainValidator(locate), PlainSerializer(str)]  # a folder, or s3://bucket/prefix
    condition: str  # a family of the dataset
    further_conditions: tuple[str, ...] = ()  # families shown beside it, where a row has them
    captions: str = ""  # a family of words that replace the corpus's captions; "": the corpus's own
    where: str = ""  # one SQL expression over the index, as "edge_density BETWEEN 0.02 AND 0.20"
    rows: PositiveInt
    seed: int = 0  # of the draw; the same seed and where: n rows are a prefix of m rows
    parts: tuple[NonNegativeInt, ...] | None = None  # ingests to draw from; all by default
    base: str  # a folder, or a name on the Hugging Face Hub
    resolution: PositiveInt = 512  # pixels; pictures and hints are cropped to this square
    latents: str = ""  # a family of encoded pictures; "": they are encoded while training
    control: ControlSettings = ControlSettings()
    train: TrainSettings = TrainSettings()
    engine: EngineSettings = EngineSettings()
    watch: WatchSettings = WatchSettings()
    evaluate: EvaluateSettings = EvaluateSettings()

    @property
    def scored(self) -> str:
        """The family whose conditions an evaluation scores."""
        return self.evaluate.scored or self.condition

    @property
    def conditions(self) -> tuple[str, ...]:
        """All families that a control is shown, in the order in which it is trained."""
        return (self.condition, *self.further_conditions)

    @property
    def beside(self) -> tuple[str, ...]:
        """The families that an evaluation shows and does not score, in the same order."""
        return tuple(family for family in self.conditions if family != self.scored)

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the sha256 of what it says, paths and all."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def load_manifest(path: Path, overrides: Sequence[str] = ()) -> Manifest:
    """Read a manifest.

    Args:
        overrides: "field=value" or "section.field=value", values as YAML; paths given so are relative to the working
            directory.

    Raises:
        ValueError: Names the file, the field, the value and the nearest valid name.
    """
    fields = read_mapping(
        path,
        absent="there is no such manifest. Some lie in manifests/, as manifests/quickstart.yaml",
        otherwise="a manifest is a mapping of fields, as manifests/quickstart.yaml",
    )
    fields = with_paths(fields, path.parent)
    for override in overrides:
        fields = _override(fields, override, path)
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        raise ValueError("\n".join(_explain(path, problem) for problem in error.errors())) from error


def dump(manifest: Manifest) -> str:
    """The manifest as YAML with every field, which `load_manifest` reads back to the same."""
    return yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False)


def with_paths(fields: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Paths made absolute against a folder; `base` only if it leads to something there, for it may be a Hub name."""
    fields = dict(fields)
    if isinstance(fields.get("dataset"), str) and "://" not in fields["dataset"]:
        fields["dataset"] = str((folder / fields["dataset"]).resolve())
    if isinstance(fields.get("base"), str) and (fields["base"].startswith(".") or (folder / fields["base"]).exists()):
        fields["base"] = str((folder / fields["base"]).resolve())
    control = fields.get("control")
    if isinstance(control, dict) and isinstance(control.get("initial"), str) and (folder / control["initial"]).exists():
        initial = str((folder / control["initial"]).resolve()) if control["initial"] else ""
        fields["control"] = {**control, "initial": initial}
    return fields


def _override(fields: dict[str, Any], override: str, path: Path) -> dict[str, Any]:
    name, separator, text = override.partition("=")
    if not separator:
        raise ValueError(f"{path}: --set {override!r} is not of the form field=value")
    section, dot, field = name.partition(".")
    try:
        value = yaml.safe_load(text) if text else ""
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: --set {override!r}: the value is not YAML: {error}") from error
    if not dot:
        return {**fields, **with_paths({section: value}, Path.cwd())}
    inner = fields.get(section) or {}
    return {**fields, section: {**inner, field: value} if isinstance(inner, dict) else inner}


def _explain(path: Path, problem: Any) -> str:
    """One validation error as `file: field 'x' … Did you mean 'y'?`."""
    where = ".".join(str(step) for step in problem["loc"])
    if problem["type"] != "extra_forbidden":
        given = "" if problem["type"] == "missing" else f" = {problem['input']!r}"
        return f"{path}: {where}{given}: {problem['msg']}{_nearest(problem)}"
    valid = _fields_at(problem["loc"][:-1])
    near = difflib.get_close_matches(str(problem["loc"][-1]), valid, 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{path}: {where} = {problem['input']!r}: no such field. {hint}Fields are {', '.join(valid)}"


def _nearest(problem: Any) -> str:
    """Which of the listed values was meant, if one is near."""
    if problem["type"] != "literal_error":
        return ""
    near = difflib.get_close_matches(str(problem["input"]), re.findall(r"'([^']*)'", problem["ctx"]["expected"]), 1)
    return f". Did you mean {near[0]!r}?" if near else ""


def _fields_at(location: Sequence[int | str]) -> list[str]:
    model: Any = Manifest
    for step in location:
        if isinstance(step, int):  # a place in a list, whose entries are all of one model
            continue
        annotation = model.model_fields[step].annotation
        nested = get_origin(annotation) in (Union, types.UnionType, tuple)
        model = get_args(annotation)[0] if nested else annotation
    return list(model.model_fields)
