"""A second look at an evaluation's pictures by the judges and the arithmetic of ControlNet++, defects included."""

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import torch

from annotate.weights import describe
from evaluate.anchors import ORACLE
from evaluate.cnpp.judge import Judge
from evaluate.cnpp.registry import rules_of
from evaluate.cnpp.similarity import LEAST
from evaluate.scores import SCHEMA, score_rows
from evaluate.second_look import PANEL_OF, Drawn, Looking
from evaluate.spec import Spec

NAME = "cnpp"
ADE20K = 150  # classes
WITH_SSIM = ("hed", "softedge", "lineart")  # annotators
VERSION = 1  # bump when any value can change


@dataclass(frozen=True)
class Cnpp:
    """What ControlNet++ would publish of these pictures; rows are those of scores.parquet, without seeds.

    Attributes:
        annotator: whose conditions the pictures were asked to obey.
    """

    annotator: str

    def __post_init__(self) -> None:
        rules_of(self.annotator)

    @property
    def name(self) -> str:
        """Of the file: cnpp.parquet."""
        return NAME

    @property
    def identity(self) -> dict[str, Any]:
        """Version, measure, the judge's weights, and the packages whose arithmetic decides."""
        rules = rules_of(self.annotator)
        return {
            "version": VERSION,
            "measure": rules.measure.name,
            "weights": [found.model_dump() for name in rules.weights for found in describe(name)],
            "packages": {package: version(package) for package in rules.packages},
        }

    def load(self, device: torch.device) -> Looking:
        """Put the judge's network on `device`."""
        rules = rules_of(self.annotator)
        return partial(judge_drawn, judge=rules.load(device), measure=rules.measure.name)


def cnpp_look(spec: Spec) -> Cnpp:
    """The look at an evaluation.

    Raises:
        ValueError: ControlNet++ has no measure of its conditions, or none of these classes.
    """
    annotator = spec.protocol.annotator
    if annotator == "segmentation" and spec.classes != ADE20K:
        raise ValueError(
            f"{spec.run}: its {spec.protocol.condition} has {spec.classes} classes, and ControlNet++ measures ADE20K's "
            f"{ADE20K}. Leave cnpp out"
        )
    if annotator in WITH_SSIM and spec.protocol.resolution < LEAST:
        raise ValueError(
            f"{spec.run}: the SSIM of ControlNet++ needs pictures of {LEAST} pixels, and these have "
            f"{spec.protocol.resolution}. Leave cnpp out"
        )
    return Cnpp(annotator)


def judge_drawn(drawn: Drawn, *, judge: Judge, measure: str) -> pa.Table:
    """Rows of every picture in four arms: controlled, floor, ceiling and oracle.

    Args:
        measure: name of what `judge` scores.
    """
    if not drawn.keys:
        return SCHEMA.empty_table()
    found = {arm: judge.find(drawn.pictures[panel]) for arm, panel in PANEL_OF.items()}
    asked = judge.ask(drawn.pictures["condition"], found[ORACLE])
    rows = [
        row
        for arm, maps in found.items()
        for key, draw, one, other in zip(drawn.keys, drawn.draws, asked, maps, strict=True)
        for row in score_rows({measure: judge.score(one, other)}, key=key, draw=draw, seed=0, arm=arm)
    ]
    unseeded = [row | {"seed": None} for row in rows]  # scores.parquet says from which noise each was drawn
    return pa.Table.from_pylist(unseeded, schema=SCHEMA)
