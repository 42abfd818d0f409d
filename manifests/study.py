"""A study: one manifest trained again and again with some of its fields varied, each way as often as is asked."""

import difflib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

ROWS = "rows"  # the axis of sizes, whose smaller subsets are prefixes of the larger
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  # of a label: it is part of a folder's name

Fields = dict[str, Any]  # "section.field" → value
Axis = list[Any] | dict[str, Fields]  # values of the field of the axis's name; or label → fields


class Study(BaseModel):
    """What a study file says. Paths in it are relative to its own folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str  # of the folder under runs/
    manifest: Path
    axes: dict[str, Axis]  # what is varied; every value of each axis meets every value of the others
    repeats: PositiveInt = 1  # trainings of each way, each on another draw of the subset and from another seed
    overrides: tuple[str, ...] = ()  # "section.field=value", for every run


@dataclass(frozen=True)
class Cell:
    """One training of a study.

    Attributes:
        name: of its folder.
        labels: by axis.
        repeat: 0, 1, …
        overrides: "section.field=value".
    """

    name: str
    labels: Mapping[str, str]
    repeat: int
    overrides: tuple[str, ...]


def load_study(path: Path) -> Study:
    """Read a study.

    Raises:
        ValueError: Names the file, the field, the value and the nearest valid name.
    """
    if not path.is_file():
        raise ValueError(f"{path}: there is no such study. Some lie in manifests/studies/, as size_quickstart.yaml")
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"{path}: a study is a mapping of {', '.join(Study.model_fields)}")
    if isinstance(fields.get("manifest"), str):
        fields["manifest"] = str((path.parent / fields["manifest"]).resolve())
    try:
        study = Study.model_validate(fields)
    except ValidationError as error:
        raise ValueError("\n".join(_explain(path, problem) for problem in error.errors())) from error
    _check(path, study)
    return study


def cells(study: Study, *, seed: int, train_seed: int) -> list[Cell]:
    """All trainings: the ways in the order of the axes, each once before any is repeated.

    Args:
        seed: of the manifest's draw of a subset; repeat r draws with seed + r.
        train_seed: of its training; likewise.
    """
    axes = [list(_ways(name, axis)) for name, axis in study.axes.items()]
    found = []
    for repeat in range(study.repeats):
        for way in itertools.product(*axes):
            labels = dict(zip(study.axes, (label for label, _ in way), strict=True))
            words = [f"{field}={json.dumps(value)}" for _, fields in way for field, value in fields.items()]
            if study.repeats > 1:
                words += [f"seed={seed + repeat}", f"train.seed={train_seed + repeat}"]
            name = "_".join(f"{axis}-{_padded(label)}" for axis, label in labels.items())
            name = name if study.repeats == 1 else f"{name}_repeat-{repeat}"
            found.append(Cell(name, labels, repeat, (*study.overrides, *words)))
    return found


def _ways(name: str, axis: Axis) -> Iterator[tuple[str, Fields]]:
    """Label and fields of each value of an axis; sizes ascend."""
    if isinstance(axis, dict):
        yield from axis.items()
        return
    for value in sorted(axis) if name == ROWS else axis:
        yield str(value), {name: value}


def _padded(label: str) -> str:
    """A number with zeros before it, so that names sort as numbers do."""
    return f"{int(label):06d}" if label.isdigit() else label


def _check(path: Path, study: Study) -> None:
    if Path(study.name).name != study.name or study.name in ("", ".", ".."):
        raise ValueError(f"{path}: name = {study.name!r}: it names a folder under runs/. Leave out slashes and dots")
    if not study.axes:
        raise ValueError(f"{path}: axes: nothing is varied. Name a field with its values, as rows: [100, 1000]")
    for name, axis in study.axes.items():
        labels = [label for label, _ in _ways(name, axis)]
        if len(set(labels)) < 2 or len(set(labels)) < len(labels):
            raise ValueError(f"{path}: axes.{name} = {labels}: it takes two different values or more. Add one")
        for label in (name, *labels):
            if not PLAIN.fullmatch(label):
                raise ValueError(
                    f"{path}: axes.{name}: {label!r} can't be part of a folder's name. Give the values labels: "
                    f"{name}: {{label: {{{name}: value}}}}"
                )


def _explain(path: Path, problem: Any) -> str:
    where = ".".join(str(step) for step in problem["loc"])
    if problem["type"] != "extra_forbidden":
        given = "" if problem["type"] == "missing" else f" = {problem['input']!r}"
        return f"{path}: {where}{given}: {problem['msg']}"
    near = difflib.get_close_matches(where, Study.model_fields, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{path}: {where}: no such field.{hint} Fields are {', '.join(Study.model_fields)}"
