"""Put evaluated runs side by side: which obeys better, and whether so many samples can tell."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.place import check_path
from evaluate.comparison.compare import compare_runs
from evaluate.comparison.report import in_words, write_comparison
from evaluate.spec import SPEC_FILE
from pipelines.entry import run as run_command


def main(
    runs: Annotated[list[Path], Argument(help="folders of evaluated runs, or of evaluations; the first is the one")],
    out: Annotated[Path, Option(help="folder to write")] = Path("comparison"),
) -> None:
    """Compare runs that were evaluated alike: python pipelines/compare.py runs/a runs/b --out comparison

    Runs that were not evaluated alike are refused,
    and the fields named in which they differ.
    """
    comparison = compare_runs([evaluation_of(check_path(run, "run")) for run in runs])
    report = write_comparison(comparison, check_path(out, "folder"))
    for sentence in in_words(comparison):
        print(sentence)
    print(f"report: {report}")


def evaluation_of(folder: Path) -> Path:
    """The evaluation of a run's folder, which may be given itself."""
    return folder if (folder / SPEC_FILE).is_file() else folder / "evaluation"


if __name__ == "__main__":
    run_command(main)
