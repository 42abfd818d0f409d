"""Kill jobs at random moments until they are through, and compare what they leave with an uninterrupted dataset."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import product
from pathlib import Path
from random import Random
from typing import Annotated

from typer import Option, run
from upath import UPath

from manifests.storage import locate
from tests.faults.inflict import WAYS, environment, inflict, inflict_alone, row
from tests.faults.nodes import Nodes, cluster
from tests.faults.stages import STAGES, Run, see_through
from tests.object_store import serve_s3

BLOWS = {"ingest": 3, "annotate": 4, "index": 1, "subset": 1}  # dealt to each stage, in each place, on each cluster


def main(
    seed: Annotated[int, Option(help="of the moments")] = 0,
    rounds: Annotated[int, Option(help="of 36 blows to Pairmill, and 16 to Ray Data alone", min=1)] = 1,
    alone: Annotated[bool, Option("--alone", help="deal with Ray Data alone")] = False,
) -> None:
    """Kill and compare: make faults

    Twelve minutes on two cores. Prints tables, and ends with 1 if a row or a byte of Pairmill's is amiss.
    """
    outcomes = []
    with ground() as (folder, bucket):
        wanted = make_uninterrupted(folder)
        for number, several in product(range(rounds), (False, True)):
            chance, name = Random(f"{seed} {number} {several}"), f"{number}-{several}"
            with cluster(3) if several else nullcontext() as nodes:
                for root in (folder, bucket) if not alone else ():
                    outcomes.append(inflict(wanted, locate(f"{root}/{name}/rooms"), nodes, BLOWS, chance))
                    print(row(outcomes[-1]), flush=True)
                for way in WAYS:
                    print(row(inflict_alone(wanted, folder / f"{name}-{way}", nodes, way, chance)), flush=True)
    print(f"{sum(outcome.blows for outcome in outcomes)} blows to Pairmill")
    if any(outcome.difference for outcome in outcomes):
        sys.exit(1)


@contextmanager
def ground() -> Iterator[tuple[Path, str]]:
    """A folder and a bucket to work in."""
    with tempfile.TemporaryDirectory(prefix="pairmill-faults-") as name, serve_s3() as bucket:
        os.environ["PAIRMILL_CACHE"] = f"{name}/cache"
        yield Path(name), bucket


def make_uninterrupted(folder: Path, nodes: Nodes | None = None) -> UPath:
    """A dataset to which nothing happens."""
    root = locate(folder / "uninterrupted" / "rooms")
    root.parent.mkdir()
    for stage in STAGES:
        see_through(Run(stage, root, environment(nodes), folder / "uninterrupted"), [], Random(0))
    return root


if __name__ == "__main__":
    run(main)
