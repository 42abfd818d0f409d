"""Forks processes that save checkpoints without end, for a test to kill: imports are paid for once."""

import itertools
import os
import signal
import sys
import time
from pathlib import Path

import torch
from accelerate import Accelerator

from train.best import Best, replace_best
from train.checkpoint import save_checkpoint
from train.seal import Origin, Position

NUMBERS = 50_000  # float32 of the weights: large enough that saving takes a while, in several writes
ORIGIN = Origin("0123", {"subset": "ab"}, {})


class Averaged:
    """Weights beside the model's, as averaged ones are."""

    def __init__(self, weights: torch.Tensor) -> None:
        self.weights = weights

    def state_dict(self) -> dict[str, torch.Tensor]:
        return {"weights": self.weights}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        self.weights = state["weights"]


def filled(step: int) -> torch.Tensor:
    """What every weight, moment and average is at a step, so that a mixture of two saves shows."""
    return torch.full((NUMBERS,), float(step))


class Saver:
    """A model, its optimiser and its average, all of one number."""

    def __init__(self) -> None:
        self.accelerator = Accelerator()
        self.model = torch.nn.ParameterList([torch.zeros(NUMBERS)])
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.0)
        self.average = Averaged(torch.zeros(NUMBERS))
        self.accelerator.prepare(self.model, self.optimizer)
        self.accelerator.register_for_checkpointing(self.average)
        self.model[0].grad = torch.ones(NUMBERS)
        self.optimizer.step()

    def fill(self, step: int) -> None:
        """Set everything to the step's number."""
        self.model[0].data[:] = step
        self.optimizer.state[self.model[0]]["exp_avg"][:] = step
        self.average.weights[:] = step

    def everything(self) -> list[torch.Tensor]:
        """All that is saved."""
        return [self.model[0].data, self.optimizer.state[self.model[0]]["exp_avg"], self.average.weights]

    def save(self, run: Path, step: int) -> None:
        """Save a checkpoint, and the best weights."""
        self.fill(step)
        position = Position(step=step, samples=step, stage=0, processes=1, micro_batch=1)
        save_checkpoint(self.accelerator, run / "checkpoints", position, ORIGIN, keep=2)
        replace_best(lambda folder: torch.save(filled(step), folder / "weights"), run, Best(step, step / 2))


def main() -> None:
    """Fork one process for each line of input, the step to go on from; say when it is dead."""
    run, saver = Path(sys.argv[1]), Saver()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _save_for_ever(saver, run, int(line))
        _, status = os.waitpid(child, 0)
        print("killed" if os.WTERMSIG(status) == signal.SIGKILL else "failed", flush=True)


def _save_for_ever(saver: Saver, run: Path, step: int) -> None:
    """Save the steps after this one; after the first, say this process's number and how many seconds saving took."""
    began = time.perf_counter()
    saver.save(run, step + 1)
    print(os.getpid(), time.perf_counter() - began, flush=True)
    for later in itertools.count(step + 2):
        saver.save(run, later)


if __name__ == "__main__":
    main()
