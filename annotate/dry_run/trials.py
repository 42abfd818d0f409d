"""The processes of a dry run: as many at once as workers would be here, since they slow each other down."""

import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from annotate.care import ROOT, go_through
from annotate.dry_run.outcome import Outcome, Share

MODULE = "annotate.dry_run.trial"
POLL = 0.02  # seconds
Process = subprocess.Popen[bytes]


def try_shares(shares: Sequence[Share], done: Callable[[int], None]) -> tuple[list[Outcome], float]:
    """Try all shares at once; one that kills its process is then gone through with care.

    Args:
        done: told how many rows are through, of all shares.

    Returns:
        What came out of each, and the seconds until the last process was ready.

    Raises:
        ValueError: a process failed; says why.
    """
    began, folder = time.time(), shares[0].folder
    for share in shares:
        share.file("share").write_bytes(pickle.dumps(share))
    with _started(shares) as processes:
        while not all(share.file("ready").exists() or process.poll() is not None for share, process in processes):
            time.sleep(POLL)
        (folder / "go").touch()
        while any(process.poll() is None for _, process in processes):
            done(sum(_size(share.file("rows")) for share in shares))
            time.sleep(POLL)
        outcomes = [_outcome(share, process.returncode) for share, process in processes]
    done(sum(share.rows for share in shares))
    return outcomes, max(outcome.ready for outcome in outcomes) - began


@contextmanager
def _started(shares: Sequence[Share]) -> Iterator[list[tuple[Share, Process]]]:
    """A process for each share; none of them outlives this."""
    processes: list[tuple[Share, Process]] = []
    try:
        for share in shares:
            command = [sys.executable, "-m", MODULE, str(share.file("share"))]
            with share.file("trouble").open("wb") as trouble:
                # Sessions of their own, as Ray's workers have: Linux shares a busy machine out by session (autogroup).
                options: dict[str, Any] = {"stdout": trouble, "stderr": trouble, "start_new_session": True}
                processes.append((share, subprocess.Popen(command, cwd=ROOT, **options)))
        yield processes
    finally:
        for _, process in processes:
            process.kill()
            process.wait()


def _outcome(share: Share, code: int) -> Outcome:
    """What a process brought back, or another one in its place."""
    if code < 0:
        go_through(MODULE, [str(share.file("share"))], share.file("journal"))
    elif code:
        said = share.file("trouble").read_text(errors="replace").strip().splitlines()
        raise ValueError(f"a worker could not begin: {said[-1] if said else f'exit code {code}'}")
    outcome: Outcome = pickle.loads(share.file("result").read_bytes())
    return outcome


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder that goes when the dry run is over."""
    return tempfile.TemporaryDirectory(prefix="pairmill-dry-run-")
