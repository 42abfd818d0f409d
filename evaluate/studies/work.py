"""A study's cells as work: each training once, with all the evaluations that are asked of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.remote_function import RemoteFunction

from annotate.job import connect, reason_of
from annotate.pool import Pool
from evaluate.job import evaluate
from evaluate.plan import plan_evaluation
from evaluate.progress import bar
from manifests.manifest import Manifest, dump, load_manifest
from manifests.storage import replace_text
from manifests.study import Cell, Study, cells
from manifests.subset import resolve
from manifests.training_set.prepared import prepared
from manifests.training_set.training_set import ensure_training_set
from train.budget import steps_under
from train.launch import ensure_trained, is_finished

FAILURES = (ValueError, RuntimeError, OSError, RayError)  # of one training, which stop no other
OF_NO_SET = {"rows", "base", "resolution", "control", "train", "watch", "evaluate"}  # decide no training set
MANIFESTS = "manifests"  # folder of a study's manifests, one for each training
Failed = Mapping[str, str]  # name of a cell → why it has no score


@dataclass(frozen=True)
class Judged:
    """One evaluation of a training.

    Attributes:
        place: of the cell among all of the study.
        manifest: of the training, with the cell's own evaluate section.
        folder: of the evaluation.
    """

    place: int
    cell: Cell
    manifest: Manifest
    folder: Path


@dataclass(frozen=True)
class Work:
    """One training and all its evaluations.

    Attributes:
        name: of the training.
        source: its manifest as YAML, which any node can read.
        run: its folder.
        manifest: the same as `source`.
    """

    name: str
    source: Path
    run: Path
    manifest: Manifest
    judged: tuple[Judged, ...]

    @property
    def apart(self) -> list[Judged]:
        """Its evaluations, those in one folder once, in the place of the first of them."""
        return list({one.folder: one for one in reversed(self.judged)}.values())[::-1]

    def fails(self, why: str) -> Failed:
        """All its cells, for one reason."""
        return {one.cell.name: why for one in self.judged}


@dataclass(frozen=True)
class Share:
    """What each training has of a cluster while it runs: cores, and GPUs or a part of one."""

    cores: float
    gpus: float


def share_of(cores: float | None, gpus: float | None) -> Share | None:
    """What a user asks for each training to have; None where nothing is said: all of this machine.

    Raises:
        ValueError: GPUs are not spoken of, and the cluster has some.
    """
    if cores is None and gpus is None:
        return None
    if gpus is None:
        connect()
        there = ray.cluster_resources().get("GPU", 0.0)
        if there:
            raise ValueError(
                f"--cores {cores:g}: the cluster has {there:g} GPUs too. Add --gpus 1, --gpus 0.5 for two trainings on "
                "each, or --gpus 0 for none"
            )
    return Share(cores or 1.0, gpus or 0.0)


def as_task(function: Callable[..., Any], share: Share) -> RemoteFunction:
    """A Ray task with a share of the cluster; without a GPU in its share it sees none, whatever its node has."""
    hidden = {} if share.gpus else {"CUDA_VISIBLE_DEVICES": ""}
    return ray.remote(num_cpus=share.cores, num_gpus=share.gpus, max_retries=0, runtime_env={"env_vars": hidden})(
        function
    )


def works_of(study: Study, folder: Path, overrides: Sequence[str]) -> list[Work]:
    """Put the cells of a study together by training; nothing is written.

    Args:
        folder: of the study.
        overrides: "section.field=value", for every run.

    Raises:
        ValueError: A cell's manifest is none, its budget leaves it nothing, or an override is of what is varied.
    """
    for override in overrides:
        if (field := override.partition("=")[0]) in study.varied:
            raise ValueError(f"--set {override}: the study varies {field}. Change its axes, in a copy of its file")
    study = study.model_copy(update={"overrides": (*study.overrides, *overrides)})
    base = load_manifest(study.manifest, study.overrides)
    found: dict[str, list[Judged]] = {}  # by what is trained
    first: Manifest | None = None
    for place, cell in enumerate(cells(study, seed=base.seed, train_seed=base.train.seed)):
        manifest = load_manifest(study.manifest, cell.overrides)
        first = first or manifest
        steps = steps_under(cell.budget, manifest, like=first)
        manifest = manifest.model_copy(update={"train": manifest.train.model_copy(update={"steps": steps})})
        trained = found.setdefault(manifest.model_dump_json(exclude={"evaluate"}), [])
        trained.append(Judged(place, cell, manifest, _home(folder, cell, manifest, trained)))
    return [
        Work(
            name=one.cell.training,
            source=folder / MANIFESTS / f"{one.cell.training}.yaml",
            run=folder / one.cell.training,
            manifest=one.manifest,
            judged=(one, *others),
        )
        for one, *others in found.values()
    ]


def _home(folder: Path, cell: Cell, manifest: Manifest, before: Sequence[Judged]) -> Path:
    """Folder of a cell's evaluation, beside those of the same training; that of the first which judges alike."""
    if not before:
        return folder / cell.training / "evaluation"
    alike = [one.folder for one in before if one.manifest.evaluate == manifest.evaluate]
    return alike[0] if alike else before[0].folder.with_name(f"evaluation-{cell.name}")


def write_manifests(works: Sequence[Work]) -> None:
    """Write what each training is, so that it can be trained by hand too, on several GPUs or another machine."""
    for work in works:
        work.source.parent.mkdir(parents=True, exist_ok=True)
        replace_text(dump(work.manifest), work.source)


def gather_largest(works: Sequence[Work], say: Callable[[str], None]) -> None:
    """Make the training sets that several sizes share, each once and for the largest of them, before anything trains.

    A larger one would otherwise take the place of a smaller one while a training reads it. What goes wrong here goes
    wrong again in those trainings alone that need it.

    Args:
        say: told what is read and written, and what goes wrong.
    """
    sharing: dict[str, list[Work]] = {}
    for work in works:
        sharing.setdefault(work.manifest.model_dump_json(exclude=OF_NO_SET), []).append(work)
    for group in sharing.values():
        manifest = max((work.manifest for work in group), key=lambda manifest: manifest.rows)
        if len({work.manifest.rows for work in group}) == 1:
            continue
        try:
            if not all(is_finished(work.run, work.manifest) for work in group):
                ensure_training_set(prepared(manifest) or resolve(manifest), manifest, say=say)
        except FAILURES as error:
            say(f"no training set of {manifest.rows:,} rows: {reason_of(error)}")


def on_cluster(works: Sequence[Work], share: Share) -> Iterator[tuple[Work, Failed]]:
    """Do the works as Ray tasks, as many at once as the cluster has room for; they come as they end.

    Args:
        share: what each of them gets.

    Raises:
        ValueError: There is no cluster, or it has room for none.
    """
    at_once(share)
    task = as_task(carry_out, share)
    waiting = {task.remote(work, cores=max(1, int(share.cores)), actors=0): work for work in works}
    while waiting:
        (done,), _ = ray.wait(list(waiting))
        work = waiting.pop(done)
        try:
            yield work, ray.get(done)
        except RayError as error:  # its process was killed, as by a machine out of memory
            yield work, work.fails(reason_of(error))


def at_once(share: Share) -> int:
    """How many works the cluster has room for at a time.

    Raises:
        ValueError: There is no cluster, or it has room for none.
    """
    connect()
    has = ray.cluster_resources()
    cores, gpus = has.get("CPU", 0.0), has.get("GPU", 0.0)
    room = Pool(None, share.gpus).room(int(cores / share.cores), gpus)
    if not room:
        raise ValueError(
            f"a training takes {share.cores:g} cores and {share.gpus:g} GPUs, and the cluster has {cores:g} cores and "
            f"{gpus:g} GPUs. Ask for less by --cores and --gpus, or add nodes"
        )
    return room


def carry_out(work: Work, *, cores: int | None = None, actors: int | None = None) -> Failed:
    """Train, as far as that is not done, and evaluate in every way that is asked for; tells what failed of it.

    What a training says is kept beside its manifest. What the base draws alone is drawn once for the whole study.

    Args:
        cores: for training; all by default.
        actors: for evaluating, as `evaluate.job.evaluate` takes them.
    """
    try:
        ensure_trained(work.source, work.run, cores=cores, log=work.source.with_suffix(".log"))
    except FAILURES as error:
        return work.fails(reason_of(error))
    failed = dict[str, str]()
    for one in work.apart:
        try:
            others = sorted(work.run.parent.glob("*/evaluation*"))
            task = plan_evaluation(work.run, one.folder, one.manifest, among=others)
            with bar(f"evaluate {one.cell.name}") as progress:
                evaluate(task, progress=progress, actors=actors)
        except FAILURES as error:
            failed |= {alike.cell.name: reason_of(error) for alike in work.judged if alike.folder == one.folder}
    return failed
