"""The probe: held-out conditions drawn by the weights of now, and scored; which weights are best, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from manifests.manifest import Manifest
from train.engine import Engine
from train.grid import Picture, Strip, grid, save_grid
from train.hints import as_picture
from train.legs import legs
from train.watch.course import read_course, reason_to_stop
from train.watch.drift import Drift, Looks, drift
from train.watch.judge import Judge, load_judge
from train.watch.observe import DIVERGED, Findings
from train.watch.probe_set import ProbeSet, Seen
from train.watch.samples import validation_rows


@dataclass(frozen=True)
class Anchors:
    """What probes are held against: the same rows drawn without control, and as well as the base can draw them."""

    floor: list[Seen]
    ceiling: list[Seen]


class Probe:
    """An observer that draws the same held-out conditions again and again, and has them scored if there is a judge."""

    def __init__(self, engine: Engine, manifest: Manifest, run: Path) -> None:
        """Read nothing before the first step, unless the manifest can't do without scores.

        Raises:
            ValueError: It stops or exports by the probes' score, and there will be none; says why.
        """
        self._engine = engine
        self._manifest = manifest
        self._run = run
        self._set: ProbeSet | None = None
        self._anchors: Anchors | None = None
        self._trouble = ""  # why there is no score, until it is said
        decides = manifest.watch.patience is not None or manifest.watch.export == "best"
        if decides:
            self._check_probed()
            self._set, self._trouble = _open(engine, manifest)
        if decides and self._trouble:
            raise ValueError(f"watch.patience and watch.export = best go by the probes' score, and {self._trouble}")

    def due(self, step: int) -> bool:
        """Every `watch.probe_every` steps and at the end; never if that or `watch.probe_rows` is 0."""
        watch = self._manifest.watch
        if not watch.probe_every or not watch.probe_rows:
            return False
        return step % watch.probe_every == 0 or step == self._manifest.train.steps

    def __call__(self, step: int) -> Findings:
        """Draw the rows with the weights that are the result and score them; the first process keeps a grid as a PNG.

        Returns:
            In the first process what was found, in the others nothing.
        """
        device = self._engine.accelerator.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            if self._set is None:
                self._set, self._trouble = _open(self._engine, self._manifest)
            if self._set is None:
                return Findings(warnings=(self._trouble,))
            if self._anchors is None:
                self._anchors = Anchors(self._set.drawn(None), self._set.through_autoencoder())
            with self._engine.result_weights() as control:
                seen = self._set.drawn(control)
        if not self._engine.accelerator.is_main_process:
            return Findings()
        return self._findings(step, seen, self._set, self._anchors)

    def _findings(self, step: int, seen: list[Seen], drawn_from: ProbeSet, anchors: Anchors) -> Findings:
        """Put together what was found, and keep the pictures."""
        picture = _picture(self._manifest, drawn_from, seen)
        save_grid(picture, self._run / "samples" / f"step-{step:06d}.png")
        drifted = _drift(drawn_from.real, seen, anchors.floor)
        warnings = [*_broken(seen), *drifted.warnings, *([self._trouble] if self._trouble else [])]
        self._trouble = ""
        numbers = dict(drifted.numbers)
        best, stop = None, ""
        if drawn_from.judge:
            numbers |= _scores(drawn_from.judge, seen, anchors)
            best, stop = self._course(step, drawn_from.judge, numbers)
        if not all(each.finite for each in seen):
            best = None
        return Findings(numbers, {"probe": picture}, tuple(warnings), best=best, stop=stop)

    def _course(self, step: int, judge: Judge, numbers: dict[str, float]) -> tuple[float | None, str]:
        """The score, if it is the best so far, and why to stop, by this probe and those that the run logged."""
        name = _name(judge)
        if name not in numbers:
            return None, ""
        course = read_course(self._run, name, higher_is_better=judge.higher_is_better).then(step, numbers[name])
        last = legs(self._manifest)[-1]  # a stage that stands still is no reason to leave out what comes after it
        patience = self._manifest.watch.patience if last.start < step < last.stop else None
        best = numbers[name] if course.ends_in_best else None
        return best, reason_to_stop(course, measure=judge.measure, patience=patience)

    def _check_probed(self) -> None:
        watch = self._manifest.watch
        if not watch.probe_every or not watch.probe_rows:
            raise ValueError(
                f"watch.patience and watch.export = best go by the probes' score, and watch.probe_every = "
                f"{watch.probe_every}, watch.probe_rows = {watch.probe_rows} means none. Raise them"
            )


def _open(engine: Engine, manifest: Manifest) -> tuple[ProbeSet | None, str]:
    """Read the rows and load their judge.

    Returns:
        None where there are no rows, without a judge where there is none; and why, in a sentence.
    """
    rows = validation_rows(manifest, rows=manifest.watch.probe_rows)
    if not len(rows):
        return None, (
            f"no probe is drawn: the validation split of {manifest.dataset} has no row with an ok "
            f"'{manifest.condition}'. Ingest more pictures"
        )
    judge, trouble = _agreed_judge(engine.accelerator, manifest, rows)
    said = f"probes are drawn and not scored: {trouble}" if trouble else ""
    return ProbeSet(engine, manifest, rows, judge), said


def _agreed_judge(accelerator: Accelerator, manifest: Manifest, rows: pa.Table) -> tuple[Judge | None, str]:
    """The judge, in every process or in none; and what was wrong in the first process that could not load it."""
    judge, trouble = None, ""
    with accelerator.main_process_first():  # it may have to fetch weights
        try:
            judge = load_judge(manifest, rows, accelerator.device)
        except ValueError as error:
            trouble = str(error)
    troubles = [each for each in gather_object([trouble]) if each]
    return (None, troubles[0]) if troubles else (judge, "")


def _name(judge: Judge) -> str:
    return f"probe/{judge.measure}"


def _scores(judge: Judge, seen: Sequence[Seen], anchors: Anchors) -> dict[str, float]:
    """Mean scores of the rows that ask for something, and where between its anchors the control lies (0 to 1).

    None of what is no number: there may be no such row, and floor may meet ceiling.
    """
    drawn, floor, ceiling = (_mean(each) for each in (seen, anchors.floor, anchors.ceiling))
    name = _name(judge)
    way = (drawn - floor) / (ceiling - floor) if ceiling != floor else nan
    found = {name: drawn, f"{name}_floor": floor, f"{name}_ceiling": ceiling, "probe/floor_to_ceiling": way}
    return {name: value for name, value in found.items() if isfinite(value)}


def _mean(seen: Sequence[Seen]) -> float:
    scores = [each.score for each in seen if isfinite(each.score)]
    return sum(scores) / len(scores) if scores else nan


def _drift(real: Looks, seen: Sequence[Seen], floor: Sequence[Seen]) -> Drift:
    """Of the rows that could be drawn both with and without control."""
    kept = [place for place, pair in enumerate(zip(seen, floor, strict=True)) if all(each.finite for each in pair)]
    if not kept:
        return Drift({}, ())
    drawn, alone = (np.stack([each[place].looks for place in kept]) for each in (seen, floor))
    return drift(drawn, real[kept], alone)


def _broken(seen: Sequence[Seen]) -> list[str]:
    count = sum(not each.finite for each in seen)
    if not count:
        return []
    return [f"{count} of {len(seen)} pictures could not be drawn: their latents are not finite. {DIVERGED}"]


def _picture(manifest: Manifest, drawn_from: ProbeSet, seen: Sequence[Seen]) -> Picture:
    """The first rows: hints, real, drawn, and re-annotated where there is a judge."""
    titles = [*manifest.conditions, "real", "drawn"]
    strips = []
    for pair, each in zip(drawn_from.pairs, seen, strict=True):
        if each.picture is not None:
            again = [] if each.found is None else [each.found]
            strips.append(Strip(pair.caption, [*map(as_picture, pair.hints), pair.image, each.picture, *again]))
    return grid([*titles, "re-annotated"] if drawn_from.judge else titles, strips)
