"""The audit of a finished run: what it was tested on and what it drew, held against what it was trained on."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from annotate.weights import VARIABLE
from evaluate.adherence import ADHERENCE
from evaluate.anchors import CONTROLLED
from evaluate.leaks.copies import Copies, find_copies
from evaluate.leaks.drawn import hash_drawn
from evaluate.leaks.gap import Gap, train_test_gap
from evaluate.leaks.leaked import Leaked, find_leaked
from evaluate.leaks.likeness import MODEL, Likeness, find_alike, find_clip, small
from evaluate.leaks.squares import hashes_of_squares
from evaluate.leaks.trained import Trained, index_hashes, trained_keys, trained_on
from evaluate.measured import measure_all
from evaluate.pictures import PICTURES_FOLDER, decode, find
from evaluate.progress import Progress
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Spec, read_spec
from evaluate.statistics import Interval
from evaluate.workers import device
from train.run_folder import load_provenance

Bar = Callable[[str], AbstractContextManager[Progress]]  # of a name: a progress bar


@dataclass(frozen=True)
class Settings:
    """What an audit looks at.

    Attributes:
        pictures: rows trained on whose pictures are read to be hashed, where the index does not have them; more are
            drawn from.
        clip: model whose embeddings are compared; "": none.
        embedded: rows trained on that are embedded; more are drawn from.
    """

    pictures: int = 200_000
    clip: str = MODEL
    embedded: int = 20_000


@dataclass(frozen=True)
class Audit:
    """All that was found of a run.

    Attributes:
        trained: how many rows it was trained on.
        all_samples, clean: the primary measure with control, of all samples, and of those that did not leak; None where
            none did, or all.
        likeness: None where it was not sought; `unlike` says why.
        gap: None where no evaluation of rows trained on was given.
    """

    spec: Spec
    folder: Path
    trained: int
    leaked: Leaked
    copies: Copies
    likeness: Likeness | None
    unlike: str
    all_samples: Interval
    clean: Interval | None
    gap: Gap | None


def audit(run: Path, folder: Path, seen: Path | None, settings: Settings, *, bar: Bar) -> tuple[Audit, Trained]:
    """Look for leaks and copies.

    Args:
        run: a finished training run.
        folder: of its evaluation.
        seen: of an evaluation of rows that it was trained on; None: there is none.

    Raises:
        ValueError: One of them is not there, or they do not belong together.
    """
    spec, trained = read_spec(folder), trained_on(run)
    _check_of_run(spec, run, folder, trained)
    gap = _gap(run, folder, seen) if seen else None  # what is wrong with it is better said before the rest is done
    hashes, pictures = index_hashes(trained.dataset), hash_drawn(folder, mirrored=trained.manifest.train.flip > 0)
    keys = sorted(set(pictures.keys.tolist()))
    leaked = find_leaked(trained, keys, hashes)
    with bar("hash what was trained on") as progress:
        places, squares = hashes_of_squares(trained, hashes, most=settings.pictures, progress=progress)
    likeness, unlike = _likeness(trained, folder, keys, settings, bar)
    everything, clean = _scores(spec, folder, leaked)
    found = Audit(
        spec=spec,
        folder=folder,
        trained=len(trained.places),
        leaked=leaked,
        copies=find_copies(pictures, squares, places, leaked.keys),
        likeness=likeness,
        unlike=unlike,
        all_samples=everything,
        clean=clean,
        gap=gap,
    )
    return found, trained


def _check_of_run(spec: Spec, run: Path, folder: Path, trained: Trained) -> None:
    if spec.protocol.dataset != trained.dataset.settings.id:
        raise ValueError(
            f"{folder}: it evaluates another dataset than {run} was trained on. Name that run's evaluation"
        )
    if spec.protocol.settings.get("geometry", "centre") != "centre":
        raise ValueError(
            f"{folder}: its pictures are squashed, and those trained on are cut, so that copies would not be found. "
            "Name an evaluation of geometry centre"
        )
    if spec.protocol.method != "control":
        raise ValueError(
            f"{folder}: its pictures were made by {spec.protocol.method}, which was trained on none. Name an "
            "evaluation of method control"
        )
    if spec.subset_fingerprint != load_provenance(run).subset_fingerprint:
        raise ValueError(f"{folder}: it is the evaluation of another run than {run}. Name its own with --evaluation")


def _likeness(
    trained: Trained, folder: Path, keys: list[str], settings: Settings, bar: Bar
) -> tuple[Likeness | None, str]:
    if not settings.clip:
        return None, "it was not asked for"
    clip = find_clip(settings.clip, device())
    if clip is None:
        return None, f"{settings.clip} is not on this machine (hf download {settings.clip}, or set {VARIABLE})"
    found = find(folder / PICTURES_FOLDER, keys)
    real = {key: small(decode(found[key].panels["real"])) for key in keys if key in found}
    with bar("embed what was trained on") as progress:
        return find_alike(clip, real, trained, most=settings.embedded, progress=progress), ""


def _scores(spec: Spec, folder: Path, leaked: Leaked) -> tuple[Interval, Interval | None]:
    """The primary measure with control: of all samples, and of those that did not leak."""
    scores, measure = read_scores(folder / SCORES_FILE), ADHERENCE[spec.protocol.annotator].primary
    everything = measure_all(scores, measure, [CONTROLLED]).interval(CONTROLLED)
    kept = scores.filter(pc.invert(pc.is_in(scores["key"], value_set=pa.array(sorted(leaked.keys), pa.string()))))
    if not leaked.keys or not len(kept):
        return everything, None
    return everything, measure_all(kept, measure, [CONTROLLED]).interval(CONTROLLED)


def _gap(run: Path, folder: Path, seen: Path) -> Gap:
    gap = train_test_gap(folder, seen)
    keys = pc.unique(read_scores(seen / SCORES_FILE)["key"])
    strange = int(pc.sum(pc.invert(pc.is_in(keys, value_set=trained_keys(run).combine_chunks()))).as_py() or 0)
    if strange:
        raise ValueError(
            f"{seen}: {run} was not trained on {strange} of its {len(keys)} samples. Evaluate rows that it was"
        )
    return gap
