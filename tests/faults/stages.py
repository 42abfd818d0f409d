"""The commands that are killed, and how one is seen through: started again until it ends well."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from upath import UPath

from annotate.job import ROOT

PICTURES = 1_024  # in eight shards
CORPUS = f"playroom:{PICTURES}"
PATIENCE = 240.0  # seconds for one start of a command of ours, after which it hangs


@dataclass(frozen=True)
class Stage:
    """A command of Pairmill.

    Attributes:
        watched: folder whose files show how far it is; "" for a command that has no workers.
        files: that there are in the end.
        lasts: seconds of a command whose files don't show how far it is.
        patience: seconds after which it is killed and started again, as its user would; 0: it must not hang.
    """

    name: str
    words: Sequence[str]
    watched: str = ""
    files: int = PICTURES // 128
    lasts: float = 0.0
    patience: float = 0.0


STAGES = (
    Stage("ingest", ("pipelines/ingest.py", CORPUS, "{root}", "--workers", "3"), "images"),
    Stage(
        "annotate",
        ("pipelines/annotate.py", "{root}", "canny", "soft=canny", "--set", "soft.low=50", "--workers", "3"),
        "canny",
    ),
    Stage("index", ("pipelines/index.py", "{root}"), lasts=4.0),
    Stage("subset", ("pipelines/subset.py", "{manifest}", "--set", "dataset={root}"), lasts=4.0),
)
MANIFEST = "dataset: .\ncondition: canny\nrows: 600\nseed: 1\nbase: ../tiny\nresolution: 128\n"


@dataclass
class Run:
    """One command on its way.

    Attributes:
        starts: how often it was started so far.
    """

    stage: Stage
    root: UPath
    environment: Mapping[str, str]
    folder: Path
    starts: int = 0
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        """Start it, or start it again."""
        manifest = self.folder / "manifest.yaml"
        manifest.write_text(MANIFEST)
        words = [word.format(root=self.root, manifest=manifest, cache=self.folder) for word in self.stage.words]
        with (self.folder / f"{self.stage.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env={**os.environ, **self.environment}, stdout=log, stderr=log
            )
        self.starts += 1
        self.since = time.monotonic()

    def progress(self) -> float:
        """How far it is, in [0, 1]: by its shards, or by the clock."""
        if self.stage.lasts:
            return min(1.0, (time.monotonic() - self.since) / self.stage.lasts)
        return len(list((self.root / self.stage.watched).glob("*.parquet"))) / self.stage.files


@dataclass(frozen=True)
class Blow:
    """Something that happens to a run when it is so far.

    Attributes:
        at: progress, in [0, 1).
        strike: does it; takes the run, and returns whether there was anything to strike.
    """

    what: str
    at: float
    strike: Callable[[Run], bool]


def see_through(run: Run, blows: Sequence[Blow], chance: Random) -> list[str]:
    """Run a command to its end through all that happens to it.

    Returns:
        What did happen, in order.

    Raises:
        AssertionError: it doesn't end well by itself, or hangs.
    """
    happened: list[str] = []
    left = list(blows)
    run.start()
    while True:
        if left and run.progress() >= left[0].at and run.process.poll() is None:
            time.sleep(chance.uniform(0.0, 0.5))  # anywhere within a shard
            if run.process.poll() is None and left[0].strike(run):
                happened.append(left.pop(0).what)
        code = run.process.poll()
        if code == 0 and left and run.stage.lasts:  # too late: once more, and earlier
            left[0] = replace(left[0], at=left[0].at * 0.7)
            run.start()
        elif code == 0:
            return happened
        elif code is not None:
            assert run.starts <= len(blows) + 5, f"it doesn't end well: {run.folder / run.stage.name}.log"
            run.start()
        if run.stage.patience and time.monotonic() - run.since > run.stage.patience:
            happened.append("hung, killed")
            run.process.kill()
            run.process.wait()
            continue
        assert time.monotonic() - run.since < PATIENCE, f"it hangs: {run.folder / run.stage.name}.log"
        time.sleep(0.05)
