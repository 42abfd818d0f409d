"""Who does a job, and who of them can try it on this machine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Crew:
    """Who does a job, and who tries it here.

    Attributes:
        workers: of the job.
        room: workers that this machine has room for.
        gpus: that each worker takes.
        elsewhere: whether a cluster runs them, and so more of them than fit here.
    """

    workers: int
    room: int
    gpus: float = 0.0
    elsewhere: bool = False

    @property
    def here(self) -> int:
        """Processes that try it."""
        return max(1, min(self.workers, self.room))

    @property
    def slowdown(self) -> float:
        """By how much a worker is slower than a process here: cores have to be shared."""
        return 1.0 if self.elsewhere else self.workers / self.here

    def device(self, kind: str, number: int) -> str:
        """Of a process: those that share a GPU go to the same one."""
        if kind == "cpu":
            return kind
        return (
            f"{kind}:{number // int(1 / self.gpus + 1e-9)}" if self.gpus <= 1 else f"{kind}:{number * int(self.gpus)}"
        )
