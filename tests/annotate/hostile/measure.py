"""What became of hostile inputs: each is ingested as a part of one dataset, by the code that a worker runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import append_plan, make_plan, read_plan
from manifests.dataset import Dataset
from manifests.layout import DROPPED, IMAGES
from tests.annotate.hostile.case import CAPTION, PNG, SECRET, SOUND, Case, folder
from tests.annotate.hostile.pictures import with_chunk

Row = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of one hostile input.

    Attributes:
        became: what the table says of it, and the reason stored.
        neighbours: sound records of its corpus that were kept.
        unaccounted: records planned, less those kept and those dropped; None when the corpus was refused.
        said: the refusal.
    """

    became: tuple[str, str]
    neighbours: int = 0
    unaccounted: int | None = None
    said: str = ""


def write_corpora(cases: Sequence[Case], home: Path) -> list[Path]:
    """Write every input into a corpus of its own, beside which lie things that nobody must read."""
    corpora = []
    for number, case in enumerate(cases):
        corpus = home / str(number) / "corpus"
        corpus.mkdir(parents=True)
        (corpus.parent / "secret.txt").write_text(SECRET)
        (corpus.parent / "secret.json").write_text(f'{{"caption": "{SECRET}"}}')
        (corpus.parent / "secret.png").write_bytes(with_chunk(b"tEXt", b"Comment\0" + SECRET.encode()))
        (corpus.parent / "elsewhere.png").write_bytes(PNG[3])
        case.write(corpus)
        corpora.append(corpus)
    return corpora


def begin(home: Path) -> Dataset:
    """A dataset of sound records, to which corpora are appended."""
    (home / "sound").mkdir()
    folder({})(home / "sound")
    dataset = make_plan(home / "dataset", find_corpus(str(home / "sound")))
    make(dataset)
    return dataset


def ingest(case: Case, corpus: Path, dataset: Dataset) -> Outcome:
    """Append a corpus as a part."""
    part = f"{len(dataset.corpora()):02d}"
    try:
        append_plan(dataset.root, find_corpus(str(corpus / case.words)))
    except ValueError as error:
        assert len(dataset.corpora()) == int(part), "a corpus that is refused leaves no part"
        return Outcome(("refused", shortened(str(error), corpus)), said=str(error))
    planned = len(read_plan(dataset.root, int(part)))
    make(dataset)
    images, lost = (read(dataset, family, part) for family in (IMAGES, DROPPED))
    hostile = [row for row in images if row["captions"] != [SOUND]]
    return Outcome(
        became(hostile, lost), neighbours=len(images) - len(hostile), unaccounted=planned - len(images) - len(lost)
    )


def make(dataset: Dataset) -> None:
    """Ingest the shards that are planned."""
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)


def read(dataset: Dataset, family: str, part: str) -> list[Row]:
    """Rows of one part of a family."""
    names = [name for name in dataset.shards(family) if name.startswith(f"{part}-")]
    return [row for name in names for row in dataset.read(family, name).to_pylist()]


def became(kept: Sequence[Row], lost: Sequence[Row]) -> tuple[str, str]:
    """What the table says of records, and the reason stored."""
    reasons = {row["conversion"] for row in kept} | {f"{row['stage']}: {row['reason']}" for row in lost}
    reason = "; ".join(sorted(reasons - {""}))
    if not kept and not lost:
        return "no record", ""
    if len(kept) + len(lost) > 1:
        counts = {"kept": len(kept), "dropped": len(lost)}
        return ", ".join(f"{what} {count}" for what, count in counts.items() if count), reason
    if lost:
        return "dropped", reason
    captions = kept[0]["captions"]
    quoted = "" if captions == [CAPTION] else " as " + " | ".join(ascii(caption)[1:-1] for caption in captions)
    return ("kept, converted" if reason else "kept") + quoted, reason


def shortened(message: str, corpus: Path) -> str:
    """The file that a refusal names, and its last sentence, the remedy."""
    named = message.removeprefix("corpus ").removeprefix("b'").replace(str(corpus), "CORPUS")
    return f"{named.split(': ', maxsplit=1)[0]} … {named.rsplit('. ', maxsplit=1)[-1]}"
