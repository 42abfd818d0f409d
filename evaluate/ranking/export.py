"""Exports a ranking: one page that raters open, which names no run, and the key that unblinds what they say."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from evaluate.adherence import ADHERENCE
from evaluate.comparison.alike import one_protocol, same_samples
from evaluate.page.render import render
from evaluate.page.thumbnail import thumbnail
from evaluate.pictures import PICTURES_FOLDER, Found, find
from evaluate.ranking.key import KEY_FILE, Key, KeyedMeasure, KeyedRun, KeyedSample, read_key, write_key
from evaluate.ranking.questions import questions
from evaluate.report.every_sample import read_script
from evaluate.scores import first_draw
from evaluate.spec import Spec, read_spec
from manifests.storage import replace_text

PAGE_FILE = "page.html"
SCRIPT = Path(__file__).parent / "page.js"
SIDE = 512  # pixels: of the longer side of a picture, at most
MOST = 9  # runs: each has a digit on the keyboard, and nobody ranks more


def export(folders: Sequence[Path], out: Path, *, samples: int, repeats: int, seed: int) -> Key:
    """Write page.html for the raters and key.json for the experimenter.

    Args:
        folders: 2 to 9 finished evaluations, made alike.
        out: a folder; another ranking's is refused, for its votes would be lost.
        samples: how many each rater ranks; all where there are fewer.
        repeats: how many of them each rater ranks twice, to see whether they agree with themselves.
        seed: of the choice of samples and of the order of pictures.

    Raises:
        ValueError: The evaluations were not made alike, or lack pictures.
    """
    specs = [read_spec(folder) for folder in folders]
    protocol = one_protocol(list(zip(specs, folders, strict=True)))
    if len(folders) > MOST:
        raise ValueError(f"{len(folders)} runs are too many to rank. Export {MOST} or fewer")
    measure, tables = ADHERENCE[protocol.annotator].primary, same_samples(folders)
    chosen = choose(tables[0]["key"].unique().to_pylist(), samples, seed=seed)
    keyed = keyed_samples(chosen, specs, [first_draw(table, measure.name) for table in tables], seed=seed)
    data = page_data(folders, keyed, condition=protocol.condition, repeats=min(repeats, len(chosen)))
    key = Key(
        page=data["page"],
        seed=seed,
        condition=protocol.condition,
        protocol_fingerprint=protocol.fingerprint,
        repeats=data["repeats"],
        measure=KeyedMeasure(name=measure.name, title=measure.title, higher_is_better=measure.higher_is_better),
        runs=_runs(specs, folders),
        samples=keyed,
    )
    _claim(out, key)
    replace_text(as_html(data), out / PAGE_FILE)
    write_key(key, out)
    return key


def choose(keys: Sequence[str], count: int, *, seed: int) -> list[str]:
    """The `count` keys of smallest salted hash: nobody's choice, and no score is looked at."""
    return sorted(keys, key=lambda key: sha256(f"ranking:{seed}:{key}".encode()).digest())[:count]


def keyed_samples(
    keys: Sequence[str], specs: Sequence[Spec], scores: Sequence[Mapping[str, float]], *, seed: int
) -> tuple[KeyedSample, ...]:
    """Shuffle the runs within each sample.

    The order hangs on keys and fingerprints, which the page does not hold: who knows seed and code can't tell it.

    Args:
        specs: of the runs.
        scores: of each run, by key.
    """

    def place(key: str, run: int) -> bytes:
        return sha256(f"{seed}:{key}:{specs[run].fingerprint}:{run}".encode()).digest()

    return tuple(
        KeyedSample(
            key=key,
            runs=tuple(sorted(range(len(specs)), key=partial(place, key))),
            scores=tuple(known if math.isfinite(known := of_run[key]) else None for of_run in scores),
        )
        for key in keys
    )


def page_data(
    folders: Sequence[Path], samples: Sequence[KeyedSample], *, condition: str, repeats: int
) -> dict[str, Any]:
    """All that the page holds: no key, no name, no number of a run.

    Args:
        folders: of the runs, in the order that `samples` count them in.
        samples: in the order of the page.
    """
    found = [_pictures(folder, [sample.key for sample in samples]) for folder in folders]
    shown = [
        {
            "caption": found[0][sample.key].caption,
            "condition": thumbnail(found[0][sample.key].panels["condition"], side=SIDE),
            "pictures": [thumbnail(found[run][sample.key].panels["drawn"], side=SIDE) for run in sample.runs],
        }
        for sample in samples
    ]
    data = {
        "condition": condition,
        "questions": list(questions(condition).items()),
        "repeats": repeats,
        "samples": shown,
    }
    return {**data, "page": sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]}


def as_html(data: Mapping[str, Any]) -> str:
    """The page; no other script than its own runs in it, by its hash."""
    script, digest = read_script(SCRIPT)
    return render("ranking/page.html.j2", data=data, script=script, digest=digest)


def _claim(out: Path, key: Key) -> None:
    """Refuse a folder that holds the key of another page: without it, that page's votes say nothing."""
    out.mkdir(parents=True, exist_ok=True)
    if (out / KEY_FILE).is_file() and read_key(out).page != key.page:
        raise ValueError(f"{out}: it holds another ranking, whose votes need its {KEY_FILE}. Choose another folder")


def _pictures(folder: Path, keys: Sequence[str]) -> dict[str, Found]:
    found = find(folder / PICTURES_FOLDER, keys)
    missing = [key for key in keys if key not in found]
    if missing:
        raise ValueError(f"{folder}: the pictures of sample {missing[0]} are not there. Evaluate the run again")
    return found


def _runs(specs: Sequence[Spec], folders: Sequence[Path]) -> tuple[KeyedRun, ...]:
    """Runs by name; where two have one name, by the folders that tell them apart."""
    names = [spec.run for spec in specs]
    return tuple(
        KeyedRun(
            name=spec.run if names.count(spec.run) == 1 else str(folder),
            rows=spec.rows,
            steps=spec.steps,
            fingerprint=spec.fingerprint,
        )
        for spec, folder in zip(specs, folders, strict=True)
    )
