"""Corpus → dataset: read every record once, keep what is sound, and say why the rest was dropped."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from dataclasses import replace

from typer import Argument, Option

from annotate import job
from annotate.attempts import Attempts, sweep
from annotate.corpora.format import MAX_SIDE, OPTIONAL, REQUIRED
from annotate.corpus import WAYS, find_corpus, is_path
from annotate.hashes_at_ingest import begin_hashes, choose_duplicates
from annotate.ingest import count_dropped, count_provided
from annotate.ingest_worker import IngestWorker
from annotate.place import check_dataset, check_path
from annotate.plan import append_plan, make_plan, planned_rows
from annotate.pool import AUTO, Pool, parse_workers
from annotate.provided.forms import FORMS
from annotate.provided.provision import EXAMPLE, parse
from annotate.room import check_ingest_room
from manifests.catalogue import catalogue
from manifests.dataset import Dataset
from manifests.layout import IMAGES
from pipelines.entry import run

Corpus = Annotated[str, Argument(help=WAYS)]
Place = Annotated[str, Argument(help="folder to make, or to go on with")]
Workers = Annotated[str, Option(help="processes, or auto: as many as the cluster has room for")]
ImageColumn = Annotated[str, Option(help="of Parquet and Hugging Face corpora, if it isn't obvious")]
CaptionColumn = Annotated[str, Option(help="likewise; also of metadata.jsonl and .json sidecars")]
Split = Annotated[str, Option(help="of a Hugging Face dataset; all by default")]
Append = Annotated[bool, Option("--append", help="add what the dataset lacks of this corpus, as a new part")]
Seed = Annotated[int, Option(help="of a generated corpus", min=0)]
MaxSide = Annotated[int, Option(help="longer pictures are shrunk to this many pixels; 0: never", min=0)]
Provided = Annotated[
    list[str] | None,
    Option(help=f"FAMILY=FORM:FIELD, a condition that the corpus carries, as {EXAMPLE}; forms: {', '.join(FORMS)}"),
]
Alike = Annotated[
    str, Option(help="near: copies by perceptual hash share a split; exact: equal files do, as in generated corpora")
]
Wordless = Annotated[
    bool, Option("--allow-no-captions", help="keep pictures without one, for annotate.py DATASET caption")
]


def main(  # noqa: PLR0913, PLR0917  options of a command
    corpus: Corpus,
    dataset: Place,
    workers: Workers = AUTO,
    image_column: ImageColumn = "",
    caption_column: CaptionColumn = "",
    split: Split = "",
    append: Append = False,
    seed: Seed = 0,
    max_side: MaxSide = MAX_SIDE,
    provided: Provided = None,
    duplicates: Alike = "",
    allow_no_captions: Wordless = False,
) -> None:
    """Ingest a corpus: python pipelines/ingest.py /data/photos /data/photos_pairs

    On two cores about 300 photographs of half a megapixel a second. Killed and started again, it goes on where it was.
    """
    root, pool = check_dataset(dataset), Pool(parse_workers(workers))
    if is_path(corpus):
        check_path(Path(corpus), "corpus")
    carried = tuple(map(str, parse(provided or [])))
    asked = replace(find_corpus(corpus), image=image_column, caption=caption_column, split=split, seed=seed)
    asked = replace(asked, max_side=max_side, provided=carried, captions=OPTIONAL if allow_no_captions else REQUIRED)
    alike = choose_duplicates(duplicates, root, asked)
    made = append_plan(root, asked) if append else make_plan(root, asked, duplicates=alike)
    begin_hashes(made)
    check_ingest_room(made, asked)
    names = made.planned()  # other jobs may append meanwhile
    read_in(made, names, pool)
    catalogue(made)
    settle(made, names)


def read_in(dataset: Dataset, names: Sequence[str], pool: Pool) -> None:
    """Make those of these shards that are missing."""
    job.connect(pool.workers)
    sweep(dataset)
    settings = dataset.settings
    arguments = {"root": str(dataset.root), "dataset_id": settings.id, "attempts": Attempts("ingest"), "threads": 2}
    left = len(dataset.missing(IMAGES, names)) * settings.shard_rows
    goal = job.Goal("ingest", min(left, planned_rows(dataset, names)), lambda: dataset.missing(IMAGES, names))
    job.run_shards(IngestWorker, arguments, goal, pool)


def settle(dataset: Dataset, names: Sequence[str]) -> None:
    """Print the balance of these shards, and fail if it is none."""
    root, records = dataset.root, planned_rows(dataset, names)
    dropped, kept = count_dropped(dataset, names), dataset.rows(IMAGES, names)
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(dropped.items()))
    print(f"{records} records in = {kept} kept + {dropped.total()} dropped" + (f" ({reasons})" if reasons else ""))
    for family, counts in count_provided(dataset, names).items():
        ok, empty = counts.pop("ok", 0), counts.pop("empty", 0)
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
        print(f"{family}: {kept} rows in = {ok} ok + {empty} empty + {counts.total()} failed" + (why and f" ({why})"))
        if ok + empty + counts.total() != kept:
            raise ValueError(f"{root}: {family} has other rows than images/. Ingest the corpus into a new dataset")
    print(f"made {root}: images/ in {len(names)} shards" + (", the dropped in dropped/" if reasons else ""))
    if kept + dropped.total() != records or kept == 0:
        raise ValueError(f"{root}: {kept} of {records} records kept. Look into {root / 'dropped'} for the reasons")


if __name__ == "__main__":
    run(main)
