"""Put ControlNets that were trained on single conditions together, to draw with all of them at once."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument

from annotate.place import check_path
from pipelines.entry import run as run_command
from train.compose import compose


def main(
    out: Annotated[Path, Argument(help="folder to write; nothing may be there")],
    runs: Annotated[list[Path], Argument(help="finished runs of one condition each; the first one's is scored")],
) -> None:
    """Compose runs, whose residuals are then summed: python pipelines/compose.py runs/both runs/canny runs/depth

    It copies weights, in seconds. Evaluate the result as any run: python pipelines/evaluate.py runs/both; and, to score
    another's condition: --set evaluate.scored=depth.
    """
    composed = compose([check_path(run, "run") for run in runs], check_path(out, "folder"))
    print(f"run: {composed}")


if __name__ == "__main__":
    run_command(main)
