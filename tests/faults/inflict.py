"""A dataset made under blows: Pairmill's stages one after the other, or the same edges by Ray Data alone."""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
from upath import UPath

from tests.faults.blows import draw_blows
from tests.faults.compare import Difference, compare
from tests.faults.nodes import Nodes
from tests.faults.ray_data_job import BLOCKS
from tests.faults.stages import STAGES, Run, Stage, see_through

JOB = ("-m", "tests.faults.ray_data_job")
WAYS = {  # of a user of Ray Data alone
    "write_parquet": (*JOB, "{images}", "{root}/edges"),
    "with a checkpoint": (*JOB, "{images}", "{root}/edges", "{root}/checkpoint"),
}
BLOWS_ALONE = 4


@dataclass(frozen=True)
class Outcome:
    """What became of one dataset.

    Attributes:
        who: made it, and where.
        happened: by stage, in order.
    """

    who: str
    nodes: int
    happened: Mapping[str, list[str]]
    starts: int
    seconds: float
    difference: Difference

    @property
    def blows(self) -> int:
        """How often something happened."""
        return sum(len(dealt) for dealt in self.happened.values())


def inflict(wanted: UPath, root: UPath, nodes: Nodes | None, blows: Mapping[str, int], chance: Random) -> Outcome:
    """See all stages through under so many blows each, and compare.

    Args:
        nodes: the cluster; None for one node, which each command starts by itself.
    """
    began, happened, starts = time.monotonic(), dict[str, list[str]](), 0
    with tempfile.TemporaryDirectory() as logs:
        for stage in STAGES:
            run = Run(stage, root, environment(nodes), Path(logs))
            happened[stage.name] = see_through(run, draw_blows(stage, blows.get(stage.name, 0), nodes, chance), chance)
            starts += run.starts
            if nodes:
                nodes.thaw()
    who = "Pairmill, folder" if isinstance(root, Path) else "Pairmill, S3"
    return Outcome(who, 3 if nodes else 1, happened, starts, time.monotonic() - began, compare(wanted, root))


def inflict_alone(wanted: UPath, root: Path, nodes: Nodes | None, way: str, chance: Random) -> Outcome:
    """See plain Ray Data through, and count the keys of what it leaves."""
    began = time.monotonic()
    words = [word.replace("{images}", str(wanted / "images")) for word in WAYS[way]]
    lasts = 20.0 if "checkpoint" in way else 0.0  # it hides files at first
    stage = Stage("annotate", words, "edges", BLOCKS, lasts, patience=90.0)
    root.mkdir()
    run = Run(stage, root, environment(nodes), root)
    happened = see_through(run, draw_blows(stage, BLOWS_ALONE, nodes, chance), chance)
    if nodes:
        nodes.thaw()
    left, right = _keys(wanted / "images"), _keys(root / "edges")
    difference = Difference((left - right).total(), (right - left).total(), ())
    seconds = time.monotonic() - began
    return Outcome(f"Ray Data, {way}", 3 if nodes else 1, {stage.name: happened}, run.starts, seconds, difference)


def row(outcome: Outcome) -> str:
    """An outcome as a row of a Markdown table: who, nodes, blows, what happened, rows lost, twice, files, starts, s."""
    dealt = "; ".join(f"{stage}: {', '.join(what)}" for stage, what in outcome.happened.items())
    found = outcome.difference
    figures = (found.lost, found.duplicated, len(found.files), outcome.starts, round(outcome.seconds))
    return f"| {outcome.who} | {outcome.nodes} | {outcome.blows} | {dealt} | {' | '.join(map(str, figures))} |"


def environment(nodes: Nodes | None) -> dict[str, str]:
    """What tells a command of its cluster."""
    return {"RAY_ADDRESS": nodes.address} if nodes else {}


def _keys(folder: Path | UPath) -> Counter[str]:
    tables = [pq.read_table(path, columns=["key"]) for path in folder.glob("*.parquet")]
    return Counter(key for table in tables for key in table["key"].to_pylist())
