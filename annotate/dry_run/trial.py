"""One process of a dry run: a worker over its share of an excerpt, timed: `python -m annotate.dry_run.trial`."""

import os
import pickle
import resource
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import torch

from annotate.ahead import helpers
from annotate.annotate_worker import pin_threads
from annotate.annotated import OUT_OF_MEMORY
from annotate.care import CAREFREE, Care, read_care
from annotate.dry_run.clock import Clock, Timed
from annotate.dry_run.outcome import Outcome, Pass, Share
from annotate.shard import Bound, bind, make_tables
from annotate.worker import keep_memory, open_same
from manifests.dataset import Dataset
from manifests.footer import write_shard

NICENESS = "RAY_worker_niceness"  # a setting of Ray, with its default
POLL = 0.005  # seconds
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes; getrusage(2)


def try_share(share: Share, care: Care) -> Outcome:
    """Annotate a share as a worker would, again and again for a few seconds."""
    pin_threads()
    keep_memory()
    order, outcome = share.order, Outcome(share.order.batch_size)
    excerpt, device = open_same(order.root, order.dataset_id), torch.device(order.device)
    began = time.perf_counter()
    bound = bind(order.tasks, device)
    outcome.loading, outcome.ready = time.perf_counter() - began, time.time()
    share.file("ready").touch()
    while care is CAREFREE and not share.go.exists():
        time.sleep(POLL)
    began = time.perf_counter()
    while not outcome.passes or time.perf_counter() - began < share.seconds:
        try:
            outcome.passes.append(_pass(excerpt, share, bound, outcome, care))
        except OUT_OF_MEMORY as error:
            _halve(outcome, error)
            torch.cuda.empty_cache()
    outcome.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    outcome.gpu_memory = torch.cuda.max_memory_reserved(device) if device.type == "cuda" else 0
    return outcome


def _pass(excerpt: Dataset, share: Share, bound: list[Bound], outcome: Outcome, care: Care) -> Pass:
    """Go through the share once, the tables written as a worker writes them."""
    clock = Clock(share.runs)
    with share.file("rows").open("ab") as progress, helpers(share.order.threads) as pool:
        began, given = time.perf_counter(), time.process_time()
        tables = make_tables(
            excerpt,
            share.name,
            [clock.timed(one) for one in bound],
            batched=partial(clock.batched, size=outcome.batch_size),
            pool=Timed(clock, pool),
            done=partial(_tell, progress) if not outcome.passes else _tell_nobody,
            care=care,
        )
        for one in bound:
            _write(excerpt, share.name, one, tables[one.task.family])
        took, had = time.perf_counter() - began, time.process_time() - given
    outcome.said = outcome.said or clock.said
    return Pass(took, had, clock.seconds())


def _tell(progress: BinaryIO, rows: int) -> None:
    progress.write(b"." * rows)
    progress.flush()


def _tell_nobody(rows: int) -> None:
    """Nobody waits for further passes."""


def _write(excerpt: Dataset, name: str, one: Bound, table: pa.Table) -> None:
    path = Path(str(excerpt.path(one.task.family, name)))
    path.parent.mkdir(exist_ok=True)
    write_shard(table, path, card=one.task.card)


def _halve(outcome: Outcome, error: BaseException) -> None:
    """Begin again with half the batch, as a worker does.

    Raises:
        ValueError: there is no half.
    """
    if outcome.batch_size == 1:
        raise ValueError(f"not even one picture fits into memory ({error}). Lower --resolution") from error
    outcome.batch_size //= 2
    outcome.passes.clear()


def main(share: Share, *care: str) -> None:
    """Try a share; with care, once it has killed its process."""
    os.nice(int(os.environ.get(NICENESS, "15")))  # what else runs here goes before Ray's workers
    if care:
        share = replace(share, order=replace(share.order, threads=0), seconds=0.0)
    outcome = try_share(share, read_care(*care) if care else CAREFREE)
    share.file("result").write_bytes(pickle.dumps(outcome))


if __name__ == "__main__":
    main(pickle.loads(Path(sys.argv[1]).read_bytes()), *sys.argv[2:])
