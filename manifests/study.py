"""A study: one manifest trained again and again with some of its fields varied, each way as often as is asked."""

import difflib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from manifests.manifest import with_paths
from manifests.yaml_file import read_mapping

Budget = Literal["steps", "samples", "flops"]
BUDGET = "budget"  # the axis of budgets, where there are several
JUDGED = "evaluate."  # fields that change no training
SEEDS = ("seed", "train.seed")  # of the draw and of the training: each repeat's own
ROWS = "rows"  # the axis of sizes, whose smaller subsets are prefixes of the larger
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")  # of a label: it is part of a folder's name

Fields = dict[str, Any]  # "section.field" → value
Axis = list[Any] | dict[str, Fields]  # values of the field of the axis's name; or label → fields
Against = dict[str, str | tuple[str, str]]  # axis → label that its others are compared with; or label, and with which


class Study(BaseModel):
    """What a study file says. Paths in it are relative to its own folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str  # of the folder under runs/
    manifest: Path
    axes: dict[str, Axis]  # what is varied; every value of each axis meets every value of the others
    without: tuple[dict[str, str], ...] = ()  # ways left out: those with all labels of a line, axis → label
    against: tuple[Against, ...] = ()  # which ways are compared, all else being equal; none: each axis's first label
    budget: Budget | tuple[Budget, ...] = "steps"  # what all trainings have as much of as the first; several: an axis
    repeats: PositiveInt = 1  # trainings of each way, each on another draw of the subset and from another seed
    overrides: tuple[str, ...] = ()  # "section.field=value", for every run

    @property
    def varied(self) -> frozenset[str]:
        """The fields that any axis sets."""
        return frozenset(
            field for name, axis in self.axes.items() for _, fields in _ways(name, axis) for field in fields
        )


@dataclass(frozen=True)
class Cell:
    """One way of training and judging, once.

    Attributes:
        name: of its evaluation.
        training: name of its training, which cells that are only judged otherwise share.
        labels: by axis.
        repeat: 0, 1, …
        overrides: "section.field=value".
        budget: what its training has as much of as the study's first.
    """

    name: str
    training: str
    labels: Mapping[str, str]
    repeat: int
    overrides: tuple[str, ...] = ()
    budget: Budget = "steps"


def load_study(path: Path) -> Study:
    """Read a study.

    Raises:
        ValueError: Names the file, the field, the value and the nearest valid name.
    """
    fields = read_mapping(
        path,
        absent="there is no such study. Some lie in manifests/studies/, as size_quickstart.yaml",
        otherwise=f"a study is a mapping of {', '.join(Study.model_fields)}",
    )
    if isinstance(fields.get("manifest"), str):
        fields["manifest"] = str((path.parent / fields["manifest"]).resolve())
    try:
        study = Study.model_validate(fields)
    except ValidationError as error:
        raise ValueError("\n".join(_explain(path, problem) for problem in error.errors())) from error
    _check(path, study)
    return study.model_copy(
        update={"axes": {name: _with_paths(axis, path.parent) for name, axis in study.axes.items()}}
    )


def _with_paths(axis: Axis, folder: Path) -> Axis:
    """The axis with paths where the study's own folder says they are."""
    if not isinstance(axis, dict):
        return axis
    return {label: with_paths(fields, folder) for label, fields in axis.items()}


def cells(study: Study, *, seed: int, train_seed: int) -> list[Cell]:
    """All cells: the ways in the order of the axes, each once before any is repeated.

    Args:
        seed: of the manifest's draw of a subset; repeat r draws with seed + r.
        train_seed: of its training; likewise.
    """
    axes = [[(name, label, fields) for label, fields in _ways(name, axis)] for name, axis in study.axes.items()]
    budgets: tuple[Budget, ...] = (study.budget,) if isinstance(study.budget, str) else study.budget
    judged = {name for name, axis in study.axes.items() if _only_judged(name, axis)}
    found = []
    for repeat in range(study.repeats):
        for way, budget in itertools.product(itertools.product(*axes), budgets):
            labels = {name: label for name, label, _ in way}
            if len(budgets) > 1:
                labels[BUDGET] = budget
            if any(left_out.items() <= labels.items() for left_out in study.without):
                continue
            words = [f"{field}={json.dumps(value)}" for _, _, fields in way for field, value in fields.items()]
            again = f"_repeat-{repeat}" if study.repeats > 1 else ""
            if again:
                words += [f"{name}={own + repeat}" for name, own in zip(SEEDS, (seed, train_seed), strict=True)]
            trained = {name: label for name, label in labels.items() if name not in judged}
            found.append(
                Cell(
                    name=_named(labels) + again,
                    training=(_named(trained) or study.name) + again,
                    labels=labels,
                    repeat=repeat,
                    overrides=(*study.overrides, *words),
                    budget=budget,
                )
            )
    return found


def _named(labels: Mapping[str, str]) -> str:
    return "_".join(f"{axis}-{_padded(label)}" for axis, label in labels.items())


def _only_judged(name: str, axis: Axis) -> bool:
    """Whether an axis changes nothing but how a training is evaluated."""
    return all(field.startswith(JUDGED) for _, fields in _ways(name, axis) for field in fields)


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
    if isinstance(study.budget, tuple) and (not study.budget or len(set(study.budget)) < len(study.budget)):
        raise ValueError(f"{path}: budget = {list(study.budget)}: name each once, of steps, samples, flops")
    sizes = study.axes.get(ROWS, [1])
    if not isinstance(sizes, list) or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(f"{path}: axes.{ROWS} = {sizes}: it takes whole numbers. Write rows: [100, 1000]")
    if study.repeats > 1 and study.varied & set(SEEDS):
        raise ValueError(f"{path}: axes vary a seed, which each repeat has its own of. Leave repeats or the axis out")
    if BUDGET in study.axes:
        raise ValueError(f"{path}: axes.{BUDGET}: a study's budgets are its own field. Write budget: [samples, flops]")
    _check_labels(path, study)
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
    if len({tuple(cell.labels.items()) for cell in cells(study, seed=0, train_seed=0)}) < 2:
        raise ValueError(f"{path}: without: it leaves fewer than two ways to compare. Leave some of its lines out")


def _check_labels(path: Path, study: Study) -> None:
    """Refuse a line of `without` or of `against` that names what there is not."""
    said: dict[str, tuple[Mapping[str, str | tuple[str, str]], ...]] = {
        "without": study.without,
        "against": study.against,
    }
    for field, lines in said.items():
        for number, (name, labels) in ((number, one) for number, line in enumerate(lines) for one in line.items()):
            budgets = study.budget if name == BUDGET and isinstance(study.budget, tuple) else ()
            there = [*budgets, *(known for known, _ in _ways(name, study.axes.get(name, {})))]
            for label in [labels] if isinstance(labels, str) else labels:
                if label not in there:
                    known = f"labels of {name} are {', '.join(there)}" if there else f"axes are {', '.join(study.axes)}"
                    raise ValueError(f"{path}: {field}.{number}: {name}: {label}: there is no such label; {known}")


def _explain(path: Path, problem: Any) -> str:
    where = ".".join(str(step) for step in problem["loc"])
    if problem["type"] != "extra_forbidden":
        given = "" if problem["type"] == "missing" else f" = {problem['input']!r}"
        return f"{path}: {where}{given}: {problem['msg']}"
    near = difflib.get_close_matches(where, Study.model_fields, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{path}: {where}: no such field.{hint} Fields are {', '.join(Study.model_fields)}"
