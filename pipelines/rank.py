"""Let people rank what several runs drew, not knowing which is which: export a page, then count the votes."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import typer
from typer import Argument, Option

from annotate.place import check_path
from evaluate.ranking.analysis import analyse as count
from evaluate.ranking.export import PAGE_FILE
from evaluate.ranking.export import export as write_page
from evaluate.ranking.key import KEY_FILE, read_key
from evaluate.ranking.report import write_ranking
from evaluate.ranking.votes import read_ballots
from evaluate.ranking.words import headline, sentences
from pipelines.compare import evaluation_of
from pipelines.entry import run_app

app = typer.Typer(
    help=f"{__doc__}\n\npython pipelines/rank.py export OUT RUN RUN, then python pipelines/rank.py analyse OUT VOTES",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def export(
    out: Annotated[Path, Argument(help="folder to write")],
    runs: Annotated[list[Path], Argument(help="folders of evaluated runs, or of evaluations, made alike; 2 to 9")],
    samples: Annotated[int, Option(help="how many each rater ranks", min=1)] = 20,
    repeats: Annotated[int, Option(help="how many of them come again: do raters agree with themselves?", min=0)] = 2,
    seed: Annotated[int, Option(help="of the choice of samples and the order of pictures")] = 0,
) -> None:
    """Write the page for raters: python pipelines/rank.py export ranking runs/a runs/b

    OUT/page.html is one file of a few megabytes that needs no network: send it to the raters, who send back what it
    saves. OUT/key.json says which run drew which picture: keep it, and keep it from them. The paper had 12 people rank
    20 sketches by 5 methods.
    """
    folders = [evaluation_of(check_path(run, "run")) for run in runs]
    folder = check_path(out, "folder")
    key = write_page(folders, folder, samples=samples, repeats=repeats, seed=seed)
    if len(key.samples) < samples:
        print(f"the evaluations hold {len(key.samples)} samples; all of them are on the page")
    print(f"{folder / PAGE_FILE}: {len(key.samples)} samples of {len(key.runs)} runs; send it to the raters")
    print(f"{folder / KEY_FILE}: which run drew what; keep it from them")


@app.command()
def analyse(
    out: Annotated[Path, Argument(help="folder of the exported page and its key")],
    votes: Annotated[list[Path], Argument(help="files that raters saved, one each")],
) -> None:
    """Count the votes: python pipelines/rank.py analyse ranking votes/*.json

    Writes OUT/report.html, report.json and report.md: which run people rank first by quality and by fidelity, and
    whether so many answers can tell, whether raters agree, and whether the primary measure sees what they see.
    Twelve people on twenty samples of five runs take seconds.
    """
    folder = check_path(out, "folder")
    key = read_key(folder)
    analysis = count(read_ballots(votes, key), key)
    report = write_ranking(analysis, folder)
    for sentence in (headline(analysis), *sentences(analysis)):
        print(sentence)
    print(f"report: {report}")


if __name__ == "__main__":
    run_app(app)
