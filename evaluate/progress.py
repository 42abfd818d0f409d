"""A progress bar with rate and time left, quiet where nobody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Progress = Callable[[int, int], None]  # how many are done, of how many


@contextmanager
def bar(name: str, *, unit: str = "pictures") -> Iterator[Progress]:
    """Show a bar on a terminal.

    Yields:
        A function to be told how many are done, of how many.
    """
    with tqdm(desc=name, unit=f" {unit}", disable=None, total=0) as shown:

        def update(done: int, total: int) -> None:
            if shown.total != total:
                shown.reset(total)
                shown.initial = done
            shown.n = done
            shown.refresh()

        yield update
