"""What an evaluation will do, checked before any model is loaded: which samples, drawn how, into which folder."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotate.corpus import AT_INGEST
from evaluate.adherence import ADHERENCE
from evaluate.floors import find_floors
from evaluate.reannotate import check_family
from evaluate.refusals import check_scale, check_settings
from evaluate.report.course import keep_course
from evaluate.spec import Protocol, Spec, write_spec
from evaluate.traits import write_traits
from evaluate.true_condition import truth_of
from manifests.dataset import Dataset
from manifests.families import word_card
from manifests.family import FamilyCard
from manifests.manifest import Manifest
from manifests.provenance import versions
from manifests.storage import sha256_of
from manifests.subset import Subset, candidates, held_out, resolve
from train.control.weights import DIFFUSERS_FILE, sha256_of_control, weights_of
from train.hints import drawing
from train.result import STEPS_FILE
from train.run_folder import Provenance, load_provenance, refuse_composed
from train.sampler import Sampling, sampling_of


@dataclass(frozen=True)
class Task:
    """One evaluation, as an actor reads it."""

    run: Path
    folder: Path  # where it writes
    manifest: Manifest
    family_fingerprint: str
    base_digest: str  # of the base trained on, as `train.digest.base_digest` gives it; "": not known
    places: pa.Table  # of the test samples: key, shard, row
    floors: Path | None = None  # an evaluation that has drawn the same without control

    @property
    def sampling(self) -> Sampling:
        """How pictures are drawn."""
        return sampling_of(self.manifest)

    @property
    def pictures(self) -> list[tuple[int, int]]:
        """(place, draw) of every picture asked for; its position here is its number."""
        return [(place, draw) for draw in range(self.manifest.evaluate.draws) for place in range(len(self.places))]


def plan_evaluation(run: Path, folder: Path, manifest: Manifest, *, among: Iterable[Path] = ()) -> Task:
    """Check what can be checked now, and claim the folder.

    Args:
        run: a finished training run.
        folder: for the evaluation; another evaluation's is refused.
        manifest: the run's, its evaluate settings perhaps overridden.
        among: evaluations from which pictures without control are taken, if one has drawn the same.
    """
    provenance = load_provenance(run)
    if not weights_of(run / "controlnet"):
        raise ValueError(
            f"{run}: no ControlNet is there yet. Finish the run: accelerate launch train/run.py "
            f"--manifest {run / 'manifest.yaml'} --run {run} --resume"
        )
    check_settings(manifest)
    dataset = Dataset.open(manifest.dataset)
    card = _check_trained(dataset, manifest.scored, provenance)
    check_measured(card, dataset=str(manifest.dataset))
    check_scale(manifest, dataset)
    further = {family: _check_shown(dataset, family, provenance, manifest.parts) for family in manifest.beside}
    places = _places(manifest, run, provenance)
    task = Task(run.resolve(), folder.resolve(), manifest, card.fingerprint, provenance.base_digest, places)
    write_spec(_spec(task, provenance, dataset, card=card, further=further), folder)
    write_traits(dataset, manifest.scored, places, folder)
    if manifest.evaluate.method == "control":
        keep_course(run, folder)
    return replace(task, floors=find_floors(task.folder, among))


def check_measured(card: FamilyCard, *, dataset: str) -> None:
    """Refuse conditions that nothing can make again from a drawn picture, or that nothing measures.

    Args:
        card: of their family.
        dataset: where it lies, for errors.
    """
    if card.annotator in AT_INGEST:
        raise ValueError(
            f"{dataset}: '{card.family}' came with the corpus, and no detector finds it again in what a run draws. To "
            f"have scores, train on a detector's family (of kind {card.kind}, to compare): "
            f"python pipelines/annotate.py {dataset} ANNOTATOR"
        )
    if card.annotator not in ADHERENCE:
        raise ValueError(
            f"{dataset}: nothing measures conditions of annotator '{card.annotator}' (there are measures for "
            f"{', '.join(ADHERENCE)}). Add one to evaluate/adherence.py"
        )


def _places(manifest: Manifest, run: Path, provenance: Provenance) -> pa.Table:
    """The samples to draw: columns key, shard, row; of the test split, or the first rows of the subset trained on.

    Raises:
        ValueError: There are none, or the dataset would give another subset today.
    """
    settings = manifest.evaluate
    if settings.split == "train":
        refuse_composed(run, "evaluate the train split")
        subset = resolve(manifest)
        if subset.fingerprint != provenance.subset_fingerprint:
            raise ValueError(
                f"{manifest.dataset}: the subset that it gives now, {subset.fingerprint}, is not the one that was "
                f"trained on, {provenance.subset_fingerprint}. Leave evaluate.split at test"
            )
        return _having(subset, manifest.scored).slice(0, settings.samples)
    places = held_out(manifest, "test", samples=settings.samples, seed=settings.seed, family=manifest.scored)
    if not len(places):
        raise ValueError(
            f"{manifest.dataset}: its test split has no row with an ok '{manifest.scored}'. Ingest more pictures"
        )
    return places


def _having(subset: Subset, family: str) -> pa.Table:
    """Rows of a subset whose condition of this family is ok, in draw order."""
    if family == subset.card.family:
        return subset.rows
    eligible = candidates(subset.dataset, family, "train")
    return subset.rows.filter(pc.is_in(subset.rows["key"], value_set=eligible["key"].combine_chunks()))


def _check_shown(dataset: Dataset, family: str, provenance: Provenance, parts: Sequence[int] | None) -> str:
    """Refuse a condition that can't be shown beside the scored one as it was in training; give its fingerprint."""
    card = dataset.card(family)
    drawing(card.kind)
    missing = [name for name in dataset.missing(family) if parts is None or int(name[:2]) in parts]
    if missing:
        raise ValueError(
            f"{dataset.root}: {family} lacks {len(missing)} shards. Finish it: {card.command(dataset.root)}"
        )
    return _check_trained(dataset, family, provenance).fingerprint


def _check_trained(dataset: Dataset, family: str, provenance: Provenance) -> FamilyCard:
    """Refuse a family that is not the one trained on; of old runs only the first is recorded."""
    trained_on = {**provenance.other_families, provenance.family: provenance.family_fingerprint}
    return check_family(dataset, family, fingerprint=trained_on.get(family, dataset.card(family).fingerprint))


def trained_steps(run: Path) -> int:
    """After how many steps the weights in RUN/controlnet were taken: the best ones, or those of a run that stopped."""
    return int(json.loads((run / "controlnet" / STEPS_FILE).read_text())["steps"])


def _spec(task: Task, provenance: Provenance, dataset: Dataset, *, card: FamilyCard, further: dict[str, str]) -> Spec:
    keys = "\n".join(task.places["key"].to_pylist())
    steps = trained_steps(task.run)
    return Spec(
        run=task.run.name,
        rows=provenance.rows,
        steps=steps,
        samples_seen=steps * task.manifest.train.batch_size,
        manifest_fingerprint=provenance.manifest_fingerprint,
        subset_fingerprint=provenance.subset_fingerprint,
        controlnet_sha256=sha256_of_control(task.run / "controlnet"),
        asked=len(task.places),
        protocol=Protocol(
            dataset=dataset.settings.id,
            condition=task.manifest.scored,
            annotator=card.annotator,
            annotator_fingerprint=task.family_fingerprint,
            measures_version=ADHERENCE[card.annotator].version,
            base=describe_base(task.manifest.base, provenance.base_digest),
            resolution=task.manifest.resolution,
            settings=_settings(task.manifest),
            keys_sha256=sha256(keys.encode()).hexdigest(),
            captions=_words(task.manifest, dataset),
            further=further,
            truth=_truth(dataset, card),
        ),
        versions=versions(),
        classes=len(card.labels),
        account=provenance.account,
    )


def _words(manifest: Manifest, dataset: Dataset) -> str:
    """Fingerprint of the family whose words are the prompts; "": they are the corpus's."""
    return word_card(dataset, manifest.captions, manifest.parts).fingerprint if manifest.captions else ""


def _settings(manifest: Manifest) -> dict[str, Any]:
    """The evaluate section as a protocol has it; to name the manifest's first condition as scored is to name none."""
    scored = "" if manifest.scored == manifest.condition else manifest.scored
    return {**manifest.evaluate.model_dump(mode="json", exclude={"batch_size"}), "scored": scored}


def _truth(dataset: Dataset, card: FamilyCard) -> dict[str, str]:
    """The family that the pictures are scored against too, with its fingerprint."""
    family = truth_of(dataset, card)
    return {family: dataset.card(family).fingerprint} if family else {}


def describe_base(name_or_path: str, digest: str) -> str:
    """A base by what it is, not by where this machine keeps it: a Hub name or a folder's, and its weights.

    Args:
        digest: of all its weights and its schedule; "": not known, the U-Net's file in a folder is hashed.
    """
    folder = Path(name_or_path)
    name = "/".join(folder.parts[-2:]) if folder.is_dir() else name_or_path
    if digest:
        return f"{name}, weights {digest}"
    weights = folder / "unet" / DIFFUSERS_FILE
    return f"{name}, U-Net {sha256_of(weights)[:16]}" if weights.is_file() else name
