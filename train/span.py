"""The steps that one process runs, and which samples of each are its own."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """The steps one process runs, and its share of each."""

    start: int  # steps already done
    steps: int  # steps done at the end
    batch_size: int  # samples per step, over all processes
    micro_batch: int  # samples per forward pass, at most
    process: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if self.batch_size % self.processes:
            raise ValueError(
                f"train.batch_size: {self.batch_size} samples cannot be shared equally by {self.processes} processes. "
                f"Take a multiple of {self.processes}"
            )

    @property
    def share(self) -> int:
        """Samples of a step that fall to one process."""
        return self.batch_size // self.processes

    @property
    def micro_batches(self) -> int:
        """Forward passes of one process per step; the last may be smaller."""
        return -(-self.share // self.micro_batch)

    def numbers(self) -> Iterator[list[int]]:
        """Go through the numbers of the samples, one list per forward pass."""
        for step in range(self.start, self.steps):
            first = step * self.batch_size + self.process * self.share
            for offset in range(0, self.share, self.micro_batch):
                yield list(range(first + offset, first + min(offset + self.micro_batch, self.share)))
