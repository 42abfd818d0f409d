"""Agreement of a run's processes: what one of them cannot do, all refuse alike, so that none waits for ever."""

from collections.abc import Callable
from typing import TypeVar

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
