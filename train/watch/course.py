"""The course of a run: the scores of its probes so far, which of them is the best, and whether it goes on rising."""

from dataclasses import dataclass
from pathlib import Path

from train.lines import read_lines
from train.watch.observe import OBSERVED_FILE


@dataclass(frozen=True)
class Course:
    """Scores by the step after which they were taken, ascending."""

    scores: tuple[tuple[int, float], ...]
    higher_is_better: bool

    @property
    def best(self) -> tuple[int, float]:
        """The best of them, the first where several are equal."""
        return (max if self.higher_is_better else min)(self.scores, key=lambda each: each[1])

    @property
    def ends_in_best(self) -> bool:
        """Whether the last one is better than all before it."""
        return bool(self.scores) and self.best == self.scores[-1]

    @property
    def since_best(self) -> int:
        """How many came after the best."""
        return len(self.scores) - 1 - self.scores.index(self.best) if self.scores else 0

    def then(self, step: int, score: float) -> "Course":
        """This course with one more score, and without those of this step and later ones."""
        earlier = tuple(each for each in self.scores if each[0] < step)
        return Course((*earlier, (step, score)), self.higher_is_better)


def read_course(run: Path, name: str, *, higher_is_better: bool) -> Course:
    """Read what a run observed up to now, which its log cuts back where it goes on from an earlier step.

    Args:
        name: of the number that holds the score, as "probe/f1_1px".
    """
    lines = read_lines(run / OBSERVED_FILE)
    scores = {int(line["step"]): float(line[name]) for line in lines if name in line}
    return Course(tuple(sorted(scores.items())), higher_is_better)


def reason_to_stop(course: Course, *, measure: str, patience: int | None) -> str:
    """Say why training should end after the last score; "" where it should go on.

    Args:
        patience: scores in a row without a better one; None: without end.
    """
    if patience is None or course.since_best < patience:
        return ""
    step, score = course.best
    return f"{course.since_best} probes without a better {measure} than {score:.4f}, that of step {step:,}"
