"""One row of a family: a condition, or why there is none, as it goes into the shard."""

from dataclasses import dataclass
from typing import Any

from annotate.annotator import Condition, Parameters
from annotate.task import Task
from manifests.condition import CELLS, encode

Row = dict[str, Any]  # the columns of manifests.record.family_schema


@dataclass(frozen=True)
class Fault:
    """Why a picture has no condition: a code for counting, the class of the exception, and what it said."""

    code: str  # decode | source | annotate | encode | crashed
    error: str
    said: str = ""  # in no column: it may hold anything of the picture, and is shown by whoever tries a sample


def finish(task: Task, key: str, condition: Condition | Fault, parameters: Parameters) -> Row:
    """Measure and encode a condition; a fault of its own becomes the row's."""
    if isinstance(condition, Fault):
        return _failed(task, key, condition)
    try:
        row = _made(task, key, condition, parameters)
    except ValueError as error:
        return _failed(task, key, Fault("encode", type(error).__name__, str(error)))
    return row


def _made(task: Task, key: str, condition: Condition, parameters: Parameters) -> Row:
    annotator = task.annotator
    height, width = condition.shape[:2]
    row: Row = {
        "key": key,
        "status": "empty" if annotator.empty(condition) else "ok",
        "code": "",
        "error": "",
        "width": width,
        "height": height,
    }
    if annotator.kind in CELLS:
        row["condition"] = encode(annotator.kind, condition)
    if annotator.parameters:
        row["parameters"] = dict(parameters)
    if annotator.stats:
        row["stats"] = annotator.measure(condition)
    return row


def _failed(task: Task, key: str, fault: Fault) -> Row:
    row: Row = {"key": key, "status": "failed", "code": fault.code, "error": fault.error}
    return row | {"condition": None, "width": None, "height": None, "said": fault.said}
