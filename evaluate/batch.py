"""One batch of an evaluation: drawn in every arm, annotated again, scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from evaluate.adherence import ADHERENCE
from evaluate.anchors import BLANK, CEILING, CONTROLLED, FLOOR, ORACLE, SPAN, SWAPPED, TRUTH
from evaluate.beside import accompanied
from evaluate.floors import Floors, load_floors
from evaluate.measures.measure import Score
from evaluate.page.panel import drawn
from evaluate.pictures import Panels
from evaluate.plan import Task
from evaluate.prompts import prompted
from evaluate.reannotate import Reannotator, load_reannotator
from evaluate.retrieval import ASKED_OF, RETRIEVAL, retrieve, rivals
from evaluate.samples import Sample, Wanted, read_samples
from evaluate.scores import SCHEMA, score_rows
from evaluate.true_condition import as_asked, truth_of
from manifests.condition import Condition
from manifests.dataset import Dataset
from manifests.evaluate_settings import EvaluateSettings
from train.base import Base, load_base, place
from train.control.control import Control
from train.control.registry import load_control
from train.digest import check_base
from train.engine import PRECISIONS
from train.further import draw_hints
from train.hints import as_picture
from train.round_trip import round_trip
from train.sampler import Hints, Pictures, Sampling, draw, first_noise, sample_seed
from train.sdedit import edit

Place = tuple[int, int]  # position among the test samples, which draw


@dataclass(frozen=True)
class Setup:
    """Everything loaded that a batch needs."""

    dataset: Dataset
    wanted: Wanted  # conditions of further families are shown beside the first, and not scored
    settings: EvaluateSettings
    base: Base
    control: Control | None  # None where the method needs none
    reannotator: Reannotator
    sampling: Sampling
    floors: Floors | None  # of an evaluation that has drawn the same without control


def load_setup(task: Task, device: torch.device) -> Setup:
    """Load the base, the ControlNet if pictures are drawn by it, and the annotator of the scored conditions."""
    manifest = task.manifest
    dataset, base = Dataset.open(manifest.dataset), load_base(manifest.base)
    check_base(base, manifest.base, digest=task.base_digest)
    dtype = PRECISIONS[manifest.evaluate.precision]
    place(base, device=device, dtype=dtype)
    return Setup(
        dataset=dataset,
        wanted=Wanted(
            manifest.scored,
            manifest.resolution,
            manifest.beside,
            manifest.captions,
            manifest.evaluate.geometry,
            truth_of(dataset, dataset.card(manifest.scored)),
            manifest.conditions.index(manifest.scored),
        ),
        settings=manifest.evaluate,
        base=base,
        control=_load_control(task, base, dtype) if manifest.evaluate.method == "control" else None,
        reannotator=load_reannotator(dataset, manifest.scored, fingerprint=task.family_fingerprint, device=device),
        sampling=task.sampling,
        floors=load_floors(task.floors) if task.floors else None,
    )


def _load_control(task: Task, base: Base, dtype: torch.dtype) -> Control:
    control = load_control(task.run / "controlnet", base.unet)
    torch.nn.Module.to(control, device=base.unet.device, dtype=dtype)
    return control


def run_batch(setup: Setup, places: pa.Table, batch: Sequence[Place]) -> tuple[list[Panels], pa.Table]:
    """Draw, annotate again and score one batch.

    Args:
        places: of all test samples: key, shard, row.
        batch: which of them, and which draw of each.

    Returns:
        What was drawn, and rows of scores.parquet. Samples that ask for nothing at this crop are in neither.
    """
    read = _read(setup, places, [number for number, _ in batch])
    kept = [(number, draw) for number, draw in batch if number in read]
    if not kept:
        return [], SCHEMA.empty_table()
    others = [_others(read, place, samples=len(places)) for place, _ in kept]
    samples = [
        prompted(
            accompanied(read[place], setup.settings.beside, others=rival),
            setup.settings.prompts,
            other=next(iter(rival), None),
        )
        for (place, _), rival in zip(kept, others, strict=True)
    ]
    draws = [draw for _, draw in kept]
    pictures = draw_arms(setup, samples, draws)
    conditions = _annotate(setup, samples, pictures)
    rows, panels = [], []
    for index, number in enumerate(draws):
        sample, found = samples[index], {arm: each[index] for arm, each in conditions.items()}
        seed = sample_seed(setup.settings.seed, key=sample.key, draw=number)
        rival = [other.condition for other in others[index]]
        scored = score_arms(setup, sample.condition, rival, found) | score_truth(setup, sample, found)
        for arm, scores in scored.items():
            rows += score_rows(scores, key=sample.key, draw=number, seed=seed, arm=arm)
        panels.append(
            _panels(setup, sample, number, {arm: drawn[index] for arm, drawn in pictures.items()}, found[CONTROLLED])
        )
    return panels, pa.Table.from_pylist(rows, schema=SCHEMA)


def _annotate(setup: Setup, samples: Sequence[Sample], pictures: Mapping[str, Pictures]) -> dict[str, list[Condition]]:
    """The conditions found in each arm's pictures, and in grey ones."""
    keys, parameters = [sample.key for sample in samples], [sample.parameters for sample in samples]
    grey = np.full_like(pictures[ORACLE], 127)
    return {arm: setup.reannotator(shown, keys, parameters) for arm, shown in {**pictures, BLANK: grey}.items()}


def _read(setup: Setup, places: pa.Table, numbers: Sequence[int]) -> dict[int, Sample]:
    """Samples of these places and their rivals, by place; those that ask for nothing at this crop are left out."""
    wanted = sorted({other for number in numbers for other in (number, *rivals(number, samples=len(places)))})
    read = read_samples(setup.dataset, setup.wanted, places.take(wanted))
    return {
        place: sample
        for place, sample in zip(wanted, read, strict=True)
        if not setup.reannotator.annotator.empty(sample.condition)
    }


def _others(read: Mapping[int, Sample], place: int, *, samples: int) -> list[Sample]:
    """The samples that ask for something among the rivals of one."""
    return [read[other] for other in rivals(place, samples=samples) if other in read]


def score_arms(
    setup: Setup, asked: Condition, others: Sequence[Condition], found: Mapping[str, Condition]
) -> dict[str, dict[str, Score]]:
    """Score what was found in each arm, by measure.

    Args:
        asked: the condition that was asked for.
        others: those of other samples; the first is the swapped one.
        found: arm → the condition found in its picture.
    """
    adherence = ADHERENCE[setup.reannotator.card.annotator]
    scores = {arm: adherence.score(asked, condition) for arm, condition in found.items()}
    for arm in ASKED_OF:
        scores[arm][RETRIEVAL.name] = retrieve(adherence.likeness, asked, others, found[arm])
    if others:
        scores[SWAPPED] = adherence.score(others[0], found[CONTROLLED])
    return scores


def score_truth(setup: Setup, sample: Sample, found: Mapping[str, Condition]) -> dict[str, dict[str, Score]]:
    """Score what was found in the pictures against what is true of the sample, where that is known and not empty."""
    if sample.truth is None:
        return {}
    truth = as_asked(setup.reannotator.card.kind, sample.truth, of=setup.dataset.card(setup.wanted.truth).kind)
    if setup.reannotator.annotator.empty(truth):
        return {}
    score = ADHERENCE[setup.reannotator.card.annotator].score
    return {TRUTH + arm: score(truth, found[arm]) for arm in (*SPAN, ORACLE)}


def draw_arms(setup: Setup, samples: Sequence[Sample], draws: Sequence[int]) -> dict[str, Pictures]:
    """Pictures of every arm that has its own: each [B, H, W, 3] uint8 RGB."""
    captions = [sample.caption(number) for sample, number in zip(samples, draws, strict=True)]
    seeds = [
        sample_seed(setup.settings.seed, key=sample.key, draw=number)
        for sample, number in zip(samples, draws, strict=True)
    ]
    noise = first_noise(setup.base, seeds, resolution=setup.sampling.resolution)
    real = np.stack([sample.image for sample in samples])
    known = [(sample.key, number) for sample, number in zip(samples, draws, strict=True)]
    floor = setup.floors.read(known) if setup.floors else None
    if floor is None:
        floor = draw(setup.base, None, captions, None, noise=noise, sampling=setup.sampling)
    return {
        CONTROLLED: _controlled(setup, captions, hints_of(setup, samples), noise),
        FLOOR: floor,
        CEILING: round_trip(setup.base.vae, real),
        ORACLE: real,
    }


def _controlled(setup: Setup, captions: Sequence[str], hints: Hints, noise: torch.Tensor) -> Pictures:
    """The pictures of this arm, by whatever method they are made."""
    if setup.settings.method == "control":
        assert setup.control is not None
        return draw(setup.base, setup.control, captions, hints, noise=noise, sampling=setup.sampling)
    asked = hints.drawn[:, setup.wanted.place]
    if setup.settings.method == "sdedit":
        return edit(setup.base, captions, asked, noise=noise, sampling=setup.sampling)
    return np.stack([as_picture(hint) for hint in asked])


def hints_of(setup: Setup, samples: Sequence[Sample]) -> Hints:
    """What each picture shall obey: its condition and the further ones that its row has, in the trained order."""
    wanted, size = setup.wanted, setup.sampling.resolution
    kinds = [setup.dataset.card(family).kind for family in wanted.in_order(wanted.family, wanted.further)]
    each = [draw_hints(kinds, wanted.in_order(sample.condition, sample.further), resolution=size) for sample in samples]
    return Hints(torch.stack([drawn for drawn, _ in each]), torch.stack([present for _, present in each]))


def _panels(
    setup: Setup, sample: Sample, number: int, pictures: dict[str, NDArray[np.uint8]], reannotated: Condition
) -> Panels:
    kind = setup.reannotator.card.kind
    return Panels(
        key=sample.key,
        draw=number,
        caption=sample.caption(number),
        pictures={
            "condition": drawn(kind, sample.condition),
            "real": sample.image,
            "drawn": pictures[CONTROLLED],
            "reannotated": drawn(kind, reannotated),
            "floor": pictures[FLOOR],
            "ceiling": pictures[CEILING],
        },
    )
