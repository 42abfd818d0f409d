"""How to go through a shard that has killed its worker: step by step, noting each, until the deadly rows are known."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEATHS = 2  # of a process over one row by itself, after which the row has crashed
Note = Callable[[Sequence[int]], None]


def unnoted(rows: Sequence[int]) -> None:
    """Take no note: nothing has died yet."""


@dataclass(frozen=True)
class Care:
    """What is known of a shard's deadly rows.

    Attributes:
        crashed: rows that are given up; they count as failed.
        alone: rows whose batch is gone through one by one; the shape of all other batches stays as it was.
        note: told which rows the next step works on.
    """

    crashed: frozenset[int] = frozenset()
    alone: frozenset[int] = frozenset()
    note: Note = field(default=unnoted, compare=False)


CAREFREE = Care()


def go_through(module: str, words: Sequence[str], journal: Path) -> Care:
    """Run `python -m MODULE WORDS JOURNAL CRASHED ALONE` until it no longer dies.

    Args:
        module: notes rows in the journal, one step to a line, and ends with exit code 0 when the shard is made.

    Returns:
        What came out about the rows.

    Raises:
        ValueError: it failed otherwise, was killed from outside, or died before its first step or after its last.
    """
    care, deaths = Care(), Counter[int]()
    while True:
        journal.unlink(missing_ok=True)
        given = [*words, str(journal), _written(care.crashed), _written(care.alone)]
        command = [sys.executable, "-m", module, *given]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return care
        rows = _last(journal)
        if done.returncode == -signal.SIGKILL:  # no row's doing: pictures end a process by SEGV, ABRT, BUS, FPE or ILL
            over = f"over row {' '.join(map(str, rows))}" if rows else "beside its rows"
            raise ValueError(f"killed {over} when by itself too, as by a system that lacks memory. Try fewer workers")
        if done.returncode > 0 or not rows:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ValueError(f"by itself too: {said[-1]}")
        if len(rows) > 1:
            care = replace(care, alone=care.alone | set(rows))
        else:
            deaths.update(rows)
            care = replace(care, crashed=frozenset(row for row, times in deaths.items() if times >= DEATHS))


def read_care(journal: str, crashed: str, alone: str) -> Care:
    """The last three words of a module's command line."""
    file = open(journal, "w", encoding="ascii")  # noqa: SIM115  until the process ends, one way or the other

    def note(rows: Sequence[int]) -> None:
        file.write(" ".join(map(str, rows)) + "\n")
        file.flush()

    return Care(_read(crashed), _read(alone), note)


def _last(journal: Path) -> list[int]:
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [int(word) for word in lines[-1].split()] if lines else []


def _written(rows: frozenset[int]) -> str:
    return ",".join(map(str, sorted(rows))) or "-"


def _read(text: str) -> frozenset[int]:
    return frozenset() if text == "-" else frozenset(map(int, text.split(",")))
