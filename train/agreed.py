"""Agreement of a run's processes: what one of them cannot do, all refuse alike, so that none waits for ever."""

from collections.abc import Callable
from typing import TypeVar

from accelerate import Accelerator
from accelerate.utils import gather_object

Result = TypeVar("Result")


def agreed(act: Callable[[], Result]) -> list[Result]:
    """Do something in every process, then wait for the others.

    Args:
        act: may do something in some processes only; it must not wait for others where it can fail before it does.

    Returns:
        What it gave in each process, in their order, alike in all.

    Raises:
        ValueError: It raised one in some process; the first of them, in all.
    """
    done, problem = None, ""
    try:
        done = act()
    except ValueError as error:
        problem = str(error)
    answers = gather_object([(done, problem)])
    problems = [said for _, said in answers if said]
    if problems:
        raise ValueError(problems[0])
    return [result for result, _ in answers]


def once_per_machine(accelerator: Accelerator, act: Callable[[], Result]) -> Result:
    """Do something first in the first process, then in the first of every other machine, then in all others.

    So what it leaves is made once, whether it lies where every machine sees it or on each machine's own disk.

    Args:
        act: leaves something, unless that is there.

    Raises:
        ValueError: It raised one in some process; alike in all.
    """
    turn = 0 if accelerator.is_main_process else 1 if accelerator.is_local_main_process else 2
    turns = [agreed(act if turn == number else _wait) for number in range(3)]
    done = turns[turn][accelerator.process_index]
    assert done is not None
    return done


def _wait() -> None:
    """Leave it to others."""
