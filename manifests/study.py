"""A study: one manifest at several numbers of rows, whose smaller subsets are prefixes of the larger."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError


class Study(BaseModel):
    """What a study file says. Paths in it are relative to its own folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str  # of the folder under runs/
    manifest: Path
    rows: tuple[PositiveInt, ...]  # sizes to train at, in any order
    overrides: tuple[str, ...] = ()  # "section.field=value", for every run

    @property
    def sizes(self) -> list[int]:
        """The sizes, each once, from small to large."""
        return sorted(set(self.rows))


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
    if len(study.sizes) < 2:
        raise ValueError(f"{path}: rows = {list(study.rows)}: a comparison needs two sizes or more. Add one")
    if Path(study.name).name != study.name or study.name in ("", ".", ".."):
        raise ValueError(f"{path}: name = {study.name!r}: it names a folder under runs/. Leave out slashes and dots")
    return study


def _explain(path: Path, problem: Any) -> str:
    where = ".".join(str(step) for step in problem["loc"])
    if problem["type"] != "extra_forbidden":
        given = "" if problem["type"] == "missing" else f" = {problem['input']!r}"
        return f"{path}: {where}{given}: {problem['msg']}"
    near = difflib.get_close_matches(where, Study.model_fields, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{path}: {where}: no such field.{hint} Fields are {', '.join(Study.model_fields)}"
