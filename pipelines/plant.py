"""Corpus → the same with faults planted into some rows, for a study of what faults cost and filters buy back."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.corpora.format import MAX_SIDE, Corpus
from annotate.corpus import WAYS, find_corpus, is_path
from annotate.hashes_at_ingest import choose_duplicates
from annotate.place import check_path
from annotate.planted.clean import read_clean
from annotate.planted.faults import GREYS, Planting, draw
from annotate.planted.write import CORPUS, FAULTS, Faulty, write_planted
from manifests.dataset import SETTINGS, Dataset, Settings
from manifests.removed import removed_pictures
from manifests.storage import locate
from pipelines.entry import run as run_command


def main(  # noqa: PLR0913, PLR0917  options of a command
    source: Annotated[str, Argument(help=f"a dataset, whose corpus is read again, or {WAYS}")],
    out: Annotated[Path, Argument(help="new folder for the corpus with its faults")],
    greys: Annotated[float, Option(help=f"share replaced by copies of {GREYS} pictures in grey", min=0, max=1)] = 0,
    jpeg: Annotated[float, Option(help="share saved as JPEG of quality 8 to 12", min=0, max=1)] = 0,
    captions: Annotated[float, Option(help="share that has another row's captions", min=0, max=1)] = 0,
    seed: Annotated[int, Option(help="from which rows are drawn: fewer are among more", min=0)] = 0,
    duplicates: Annotated[str, Option(help="as the corpus will be ingested: exact, or near; by default as there")] = "",
) -> None:
    """Plant faults: python pipelines/plant.py playroom:3000 data/playroom_greys20 --greys 0.2

    Shares are of the rows in train, which alone are harmed: held-out rows keep pictures, captions and keys, so that
    trainings on either are scored on the same. Beside the corpus faults.jsonl tells what was planted where. A generated
    corpus is drawn twice, 12 rows of the playroom a second on one core: plant nothing first, and the rest from that.
    """
    out = check_path(out, "corpus")
    corpus, settings = read_source(source, out, duplicates)
    if (out / CORPUS).exists() or (out.exists() and not out.is_dir()):
        raise ValueError(f"{out}: a corpus is there already. Name another folder, or take it away first")
    planting = Planting(greys, jpeg, captions, seed)
    clean = read_clean(corpus, near=settings.duplicates == "near", seed=seed)
    drawn = draw(clean, planting, settings)
    write_planted(Faulty(clean, planting, drawn, settings), out)
    count = Counter(harm.fault for harm in drawn.harms.values())
    print(f"{len(clean.references)} rows, {drawn.trained} of them in train, {clean.dropped} dropped")
    print(f"harmed: {', '.join(f'{fault} {rows}' for fault, rows in count.items()) or 'none'}")
    print(f"made {out}: {CORPUS}, and {FAULTS} beside it")
    print(f"ingest it: python pipelines/ingest.py {out} DATASET {' '.join(options(corpus, settings))}")


def options(corpus: Corpus, settings: Settings) -> Iterator[str]:
    """What ingest is to be told, so that it does with the unharmed rows as with those of the source."""
    yield f"--duplicates {settings.duplicates}"
    if corpus.max_side != MAX_SIDE:
        yield f"--max-side {corpus.max_side}"
    if not corpus.needs_captions:
        yield "--allow-no-captions"


def read_source(source: str, out: Path, duplicates: str) -> tuple[Corpus, Settings]:
    """The corpus that is meant, and the settings by which its splits are drawn."""
    root = locate(source)
    if not is_path(source) or not (root / SETTINGS).exists():
        if is_path(source):
            check_path(Path(source), "corpus")
        corpus = find_corpus(source)
        return corpus, Settings(duplicates=choose_duplicates(duplicates, locate(out), corpus))
    dataset = Dataset.open(root)
    parts = dataset.corpora()
    if len(parts) != 1 or removed_pictures(dataset):
        raise ValueError(
            f"{source}: a dataset of {len(parts)} parts, or with pictures taken down: its rows are not those of one "
            "corpus. Give a corpus, or a dataset made of one and left so"
        )
    corpus = Corpus.from_text(parts[0])
    choose_duplicates(duplicates, root, corpus)
    return corpus, dataset.settings


if __name__ == "__main__":
    run_command(main)
