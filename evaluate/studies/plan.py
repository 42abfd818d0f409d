"""What a study will take: hours and bytes of each training, from counted FLOPs and a short trial on this machine."""

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from shutil import rmtree

import ray
from ray.exceptions import RayTaskError

from annotate.job import connect
from evaluate.job import evaluate
from evaluate.plan import plan_evaluation
from evaluate.spec import OF_CONTROL
from evaluate.studies.work import Judged, Share, Work, as_task
from manifests.control import ControlSettings
from manifests.manifest import Manifest, load_manifest
from manifests.storage import replace_text
from train.budget import base_of, flops_of
from train.flops import Cost, count
from train.launch import ensure_trained, is_finished
from train.legs import legs
from train.lines import read_lines
from train.run_folder import LOG
from train.watch.fixed_rows import BINS

STEPS, SETTLED = 8, 4  # of the trial; its first steps are slower
BATCHES = 4  # of pictures in the trial
OPTIMISED = 3  # times the weights in a checkpoint: they themselves, and AdamW's two moments
WEIGHT = 4  # bytes, float32
QUIET = (
    *("train.stages=[]", "watch.monitor_every=0", "watch.probe_every=0", "watch.patience=null", "watch.export=last"),
    *("watch.log_every=1", "watch.tracker=''"),
)


@dataclass(frozen=True)
class Pace:
    """What a trial of the first training measured.

    Attributes:
        start: seconds before a training's first step and after its last.
        flops: FLOP a second of its steps.
        first_picture: seconds of an evaluation beside those of its pictures.
        picture_flops: FLOP a second of drawing and judging.
        picture_bytes: of a picture with its panels and scores.
    """

    start: float
    flops: float
    first_picture: float
    picture_flops: float
    picture_bytes: float


@dataclass(frozen=True)
class Estimate:
    """What one training and all its evaluations take.

    Attributes:
        training, judging: seconds; 0 where that is done.
        bytes: that they leave, done or not.
        flops: of the steps of training.
    """

    training: float
    judging: float
    bytes: int
    flops: float


def estimates(works: Sequence[Work], pace: Pace) -> list[Estimate]:
    """Estimate each work; what the base draws alone is drawn by the first evaluation that asks for it."""
    apart = [work.apart for work in works]
    missing = [one for every in apart for one in every if not (one.folder / "report.json").is_file()]
    firsts = {_floor(one.manifest): one.place for one in reversed(missing)}
    judging = {one.place: _judging(one, pace, floor=firsts[_floor(one.manifest)] == one.place) for one in missing}
    return [
        _estimate(work, pace, sum(judging.get(one.place, 0.0) for one in every))
        for work, every in zip(works, apart, strict=True)
    ]


def _floor(manifest: Manifest) -> str:
    """What decides the pictures that the base draws alone, as `Protocol.floor` has it."""
    settings = manifest.evaluate.model_dump_json(exclude=OF_CONTROL)
    return f"{manifest.dataset} {manifest.scored} {manifest.base} {manifest.resolution} {manifest.captions} {settings}"


def _estimate(work: Work, pace: Pace, judging: float) -> Estimate:
    manifest = work.manifest
    steps = sum((leg.stop - leg.start) * flops_of(manifest, leg.control) for leg in legs(manifest))
    flops = float(steps * manifest.train.batch_size)
    trained = is_finished(work.run, manifest)
    return Estimate(
        training=0.0 if trained else pace.start + flops / pace.flops + _watched(manifest, pace),
        judging=judging,
        bytes=_bytes(work, pace),
        flops=flops,
    )


def _watched(manifest: Manifest, pace: Pace) -> float:
    """Seconds of a training's monitor and probes."""
    watch, steps, seconds = manifest.watch, manifest.train.steps, 0.0
    if watch.monitor_every:
        passes = watch.monitor_rows * BINS * (1 + 2 * -(-steps // watch.monitor_every))  # and once without control
        seconds += passes * forward_flops(manifest, manifest.control) / pace.flops
    if watch.probe_every and watch.probe_rows:
        seconds += -(-steps // watch.probe_every) * watch.probe_rows * picture_flops(manifest) / pace.picture_flops
    return seconds


def _judging(one: Judged, pace: Pace, *, floor: bool) -> float:
    settings = one.manifest.evaluate
    flops = picture_flops(one.manifest, floor=floor)
    return pace.first_picture + settings.samples * settings.draws * flops / pace.picture_flops


def _bytes(work: Work, pace: Pace) -> int:
    manifest = work.manifest
    kept = min(manifest.watch.keep, -(-manifest.train.steps // manifest.watch.checkpoint_every))
    weights = counted(manifest, manifest.control).parameters * WEIGHT * (1 + OPTIMISED * kept)
    pictures = sum(one.manifest.evaluate.samples * one.manifest.evaluate.draws for one in work.apart)
    return round(weights + pictures * pace.picture_bytes)


def forward_flops(manifest: Manifest, control: ControlSettings) -> int:
    """FLOPs of one forward pass of one sample."""
    cost = counted(manifest, control)
    return cost.control_forward + cost.encoder_forward + cost.decoder_forward


def picture_flops(manifest: Manifest, *, floor: bool = True) -> float:
    """FLOPs of drawing one picture with control, or as else is asked for.

    Args:
        floor: whether it is drawn once more without.
    """
    settings, plain = manifest.evaluate, counted(manifest, ControlSettings())
    alone = plain.encoder_forward + plain.decoder_forward
    shares = {"control": forward_flops(manifest, manifest.control), "sdedit": alone * settings.strength, "hint": 0}
    twice = 2 if settings.guidance > 1 else 1
    return float(settings.steps * twice * (alone * floor + shares[settings.method]))


def counted(manifest: Manifest, control: ControlSettings) -> Cost:
    """Count a control on the manifest's base."""
    return _counted(manifest.base, control, manifest.resolution, len(manifest.conditions))


@cache
def _counted(name: str, control: ControlSettings, resolution: int, conditions: int) -> Cost:
    base = base_of(name)
    cells, tokens = base.latent_shape(resolution)[1], base.tokenizer.model_max_length
    return count(base.unet, control, cells=cells, tokens=tokens, conditions=conditions)


def pace_of(work: Work, folder: Path, share: Share | None) -> Pace:
    """The pace of a work on this machine, or on a part of the cluster.

    Args:
        work: whose manifest is written.
        folder: of the study.
        share: what each training will have; None: all of this machine.

    Raises:
        ValueError: The trial failed; says why.
    """
    if share is None:
        return try_out(work, folder / "trial", cores=None, actors=None)
    home = folder / f"trial-{share.cores:g}-{share.gpus:g}"
    connect()
    task = as_task(try_out, share)
    try:
        return ray.get(task.remote(work, home, cores=max(1, int(share.cores)), actors=0))
    except RayTaskError as error:
        raise ValueError(f"{work.name}: {error.cause}") from error


def try_out(work: Work, folder: Path, *, cores: int | None, actors: int | None) -> Pace:
    """Train a few steps of a work and evaluate a few pictures, and measure both; what was measured here before is read.

    Args:
        work: whose manifest is written.
        folder: for the trial.
        cores: as its training will have.
        actors: as its evaluation will have.
    """
    measured, where = folder / "pace.json", [platform.node(), work.manifest.fingerprint]
    known = json.loads(measured.read_text(encoding="utf-8")) if measured.is_file() else {}
    if known.pop("where", None) == where:
        return Pace(**known)
    rmtree(folder, ignore_errors=True)  # a trial that was cut short measures nothing
    start, rate = _try_training(work, folder / "run", cores)
    settings = work.manifest.evaluate
    words = [f"train.steps={STEPS}", *QUIET, f"evaluate.samples={BATCHES * settings.batch_size}", "evaluate.draws=1"]
    manifest = load_manifest(work.source, words)
    task = plan_evaluation(folder / "run", folder / "run" / "evaluation", manifest)
    times, began = list[tuple[float, int]](), time.perf_counter()
    evaluate(task, progress=lambda done, _: times.append((time.perf_counter() - began, done)), actors=actors)
    (first, before), (last, after) = times[1], times[-1]
    each = (last - first) / (after - before) if after > before else first / after
    pictures = sum(path.stat().st_size for path in task.folder.rglob("*") if path.is_file())
    pace = Pace(
        start=start,
        flops=flops_of(manifest, manifest.control) * rate,
        first_picture=max(0.0, time.perf_counter() - began - each * after),
        picture_flops=picture_flops(manifest) / each,
        picture_bytes=pictures / after,
    )
    replace_text(json.dumps(asdict(pace) | {"where": where}) + "\n", measured)
    return pace


def _try_training(work: Work, run: Path, cores: int | None) -> tuple[float, float]:
    """Seconds that a training takes beside its steps, and its images a second."""
    began = time.perf_counter()
    ensure_trained(work.source, run, [f"train.steps={STEPS}", *QUIET], cores=cores, log=run.with_suffix(".log"))
    seconds = time.perf_counter() - began
    rates = [line["images_per_second"] for line in read_lines(run / LOG)]
    batch = work.manifest.train.batch_size
    settled = batch * (STEPS - SETTLED) / sum(batch / rate for rate in rates[SETTLED:])
    return max(0.0, seconds - STEPS * batch / settled), settled
