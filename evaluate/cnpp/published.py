"""The published table of ControlNet++, each number with how it was made, as far as anybody has said."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).with_name("published.yaml")

Evidence = Literal["read", "recalled"]


class Way(BaseModel):
    """How pictures were drawn; names are those of an evaluation's protocol and settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    base: str
    resolution: int  # pixels
    geometry: str
    draws: int
    scheduler: str
    steps: int
    guidance: float
    negative_prompt: str
    precision: str


@dataclass(frozen=True)
class Published:
    """One number of the table.

    Attributes:
        value: as it is printed.
        evidence: whether it was read in the table, or is recalled and must be checked before it is quoted.
        dataset: whose validation split was drawn, of the Hub's limingcv.
        samples: how many pictures that is, as recalled.
        hints: what the pictures were asked to obey: an annotator of ours, or in words.
        judge: the network that judges, by the name under which we load it or in words; "" for none.
        way: None where the method is run by no code of theirs.
        note: what else is known to be wrong with it.
    """

    method: str
    measure: str
    value: float
    evidence: Evidence
    dataset: str
    samples: int
    hints: str
    judge: str
    way: Way | None
    note: str


class _Measure(BaseModel):
    model_config = ConfigDict(extra="forbid")
    set: str
    hints: str
    judge: str = ""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    method: str
    way: Way | None = None
    note: str = ""
    read: dict[str, float] = {}
    recalled: dict[str, float] = {}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")
    measures: dict[str, _Measure]
    sets: dict[str, int]
    ways: dict[str, Way]
    rows: list[_Row]


def as_settings() -> list[str]:
    """How its ControlNets drew, as settings of an evaluation: "evaluate.field=value" each; base and resolution stay."""
    way = _read().ways["controlnet"].model_dump(exclude={"base", "resolution"})
    return [f"evaluate.{field}={value}" for field, value in way.items()]


@cache
def published() -> tuple[Published, ...]:
    """The whole table, in its order, what was read before what is recalled."""
    table = _read()
    each = [
        _published(table, row, measure, evidence)
        for evidence in ("read", "recalled")
        for row in table.rows
        for measure in getattr(row, evidence)
    ]
    return tuple(each)


def published_of(measure: str) -> tuple[Published, ...]:
    """The rows of one measure."""
    return tuple(row for row in published() if row.measure == measure)


def _read() -> _Table:
    return _Table.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def _published(table: _Table, row: _Row, measure: str, evidence: Evidence) -> Published:
    said = table.measures[measure]
    values = row.read if evidence == "read" else row.recalled
    return Published(
        method=row.method,
        measure=measure,
        value=values[measure],
        evidence=evidence,
        dataset=said.set,
        samples=table.sets[said.set],
        hints=said.hints,
        judge=said.judge,
        way=row.way,
        note=row.note,
    )
