"""Measured adherence, for a model card: numbers with what they are, read from an evaluation or from a run's probes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.control.weights import sha256_of_control, weights_of
from train.lines import read_lines
from train.watch.observe import OBSERVED_FILE

AS_TRAINED = {
    "split": "test",
    "method": "control",
    "beside": "own",
    "prompts": "perfect",
    "guess": "",
    "control_scale": 1.0,
    "control_start": 0.0,
    "control_end": 1.0,
}
ARMS = ("floor", "controlled", "ceiling")  # of an evaluation: control off, on, the real picture through the VAE
PROBE = "probe/"


@dataclass(frozen=True)
class Row:
    """One measure. NaN where a number is undefined.

    Attributes:
        unit: as "share" or "pixels"; "" for none.
        way: where `drawn` lies from floor (0) to ceiling (1), with the ends of its 95 % interval, or NaN.
    """

    name: str
    unit: str
    higher_is_better: bool
    floor: float
    drawn: float
    ceiling: float
    way: tuple[float, float, float] = (math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Measured:
    """Numbers, and a sentence or two on where they come from."""

    how: str
    rows: tuple[Row, ...]


def measured(run: Path, control: Path, *, step: int | None = None) -> Measured | None:
    """What is known of the adherence of a run's ControlNet: its evaluation, else its last probe, else nothing.

    Args:
        run: may hold evaluation/report.json and observed.jsonl.
        control: folder of its weights. An evaluation of other ones, or one that did not use them as they were trained,
            says nothing of them, and is passed over.
        step: after which the weights are; probes of later ones are passed over. None: they are the last.
    """
    report = run / "evaluation" / "report.json"
    if report.is_file() and weights_of(control):
        said = json.loads(report.read_text())
        if said["spec"]["controlnet_sha256"] == sha256_of_control(control) and as_trained(said):
            return of_evaluation(said)
    return of_probe(run / OBSERVED_FILE, step=step)


def as_trained(report: Mapping[str, Any]) -> bool:
    """Whether an evaluation is of test pictures, drawn by all of the control from all that it was trained to read."""
    settings = report["spec"]["protocol"]["settings"]
    return all(settings.get(name, value) == value for name, value in AS_TRAINED.items())


def of_evaluation(report: Mapping[str, Any]) -> Measured:
    """Numbers of an evaluation's report.json, the primary measure first."""
    settings = report["spec"]["protocol"]["settings"]
    measures = sorted(report["measures"].items(), key=lambda item: not item[1]["primary"])
    rows = tuple(_row(name, of) for name, of in measures if {*ARMS} <= of["arms"].keys())
    split = settings.get("split", "test")
    how = (
        f"{report['headline']} On {report['samples']:,} {split} pictures ({settings['scheduler']}, {settings['steps']} "
        f"steps, guidance {settings['guidance']:g}); evaluation {report['fingerprint']}, protocol "
        f"{report['protocol_fingerprint']}."
    )
    return Measured(how, rows)


def of_probe(observed: Path, *, step: int | None = None) -> Measured | None:
    """Numbers of the last probe of a run up to a step, of few held-out pictures; None if there was none."""
    lines = read_lines(observed)
    probes = [line for line in lines if any(name.startswith(PROBE) and name.endswith("_floor") for name in line)]
    probes = [line for line in probes if step is None or line["step"] <= step]
    if not probes:
        return None
    last = probes[-1]
    names = [name.removesuffix("_floor") for name in last if name.startswith(PROBE) and name.endswith("_floor")]
    rows = []
    for name in names:
        floor, drawn, ceiling = (_number(last.get(name + end)) for end in ("_floor", "", "_ceiling"))
        way = (drawn - floor) / (ceiling - floor) if ceiling != floor else math.nan
        rows.append(
            Row(name.removeprefix(PROBE), "", ceiling >= floor, floor, drawn, ceiling, (way, math.nan, math.nan))
        )
    how = (
        f"By the last probe, after step {last['step']:,}: a few pictures of the validation split, drawn while training "
        "ran. A rough sign: python pipelines/evaluate.py RUN measures it."
    )
    return Measured(how, tuple(rows))


def _row(name: str, of: Mapping[str, Any]) -> Row:
    floor, drawn, ceiling = (_number(of["arms"][arm]["value"]) for arm in ARMS)
    low, high = (_number(of["normalised"].get(end)) for end in ("low", "high"))
    way = (_number(of["normalised"]["value"]), low, high)
    return Row(name, of["unit"], of["higher_is_better"], floor, drawn, ceiling, way)


def _number(said: float | None) -> float:
    return math.nan if said is None else float(said)
