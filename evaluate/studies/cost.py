"""What a training cost, from its own log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from train.lines import read_lines
from train.run_folder import LOG


@dataclass(frozen=True)
class Cost:
    """One training, without its start.

    Attributes:
        seconds: spent on its steps.
        samples: seen.
        teraflop: counted, 10^12 FLOP.
        bytes: of its folder, evaluation and all.
    """

    seconds: float
    samples: int
    teraflop: float
    bytes: int


def cost_of(run: Path, *, batch_size: int) -> Cost:
    """Read the cost of a run.

    Args:
        batch_size: samples of a step.
    """
    steps = read_lines(run / LOG)
    each = [batch_size / step["images_per_second"] for step in steps]
    return Cost(
        seconds=sum(each),
        samples=batch_size * len(steps),
        teraflop=sum(seconds * step["tflops"] for seconds, step in zip(each, steps, strict=True)),
        bytes=sum(path.stat().st_size for path in run.rglob("*") if path.is_file()),
    )


NOTHING = Cost(seconds=0.0, samples=0, teraflop=0.0, bytes=0)  # of a picture that no training took part in


def mean_cost(costs: Sequence[Cost]) -> Cost:
    """Of several trainings."""
    count = len(costs)
    return Cost(
        seconds=sum(cost.seconds for cost in costs) / count,
        samples=sum(cost.samples for cost in costs) // count,
        teraflop=sum(cost.teraflop for cost in costs) / count,
        bytes=sum(cost.bytes for cost in costs) // count,
    )
