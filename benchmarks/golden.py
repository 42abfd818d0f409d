"""Records what an annotator makes of the golden picture here, for pipelines/doctor.py to compare with elsewhere."""

import sys
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch
from typer import Argument, Option

from annotate.chain import assemble
from evaluate.doctor.checkup import show
from evaluate.doctor.golden import card_of, record
from pipelines.entry import run


def main(
    families: Annotated[list[str], Argument(help="annotators whose weights are here, and are the published ones")],
    set_: Annotated[list[str] | None, Option("--set", help="FAMILY.setting=value, as depth.model=tiny/depth")] = None,
) -> None:
    """Record golden conditions: python benchmarks/golden.py canny

    Only where parity with the original has been tested: what is recorded here is called right everywhere. Look at it
    first: python pipelines/gallery.py evaluate/doctor/goldens/photograph.webp
    """
    annotators = assemble(families, set_ or [])
    for family in families:
        made = show(annotators, family, torch.device("cpu")).made
        print(f"made {record(card_of(annotators, family), made)}")


if __name__ == "__main__":
    run(main)
