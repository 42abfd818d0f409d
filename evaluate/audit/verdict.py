"""What a check says: a state, the figure it hangs on, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["pass", "warn", "fail", "skipped"]


@dataclass(frozen=True)
class Limits:
    """What a figure of which less is better may reach: above `warn` it is worth a look, above `fail` a fault."""

    warn: float
    fail: float

    def judge(self, figure: float) -> State:
        """The state of a figure."""
        return "fail" if figure > self.fail else "warn" if figure > self.warn else "pass"

    def __str__(self) -> str:
        """In percent, as a table shows it."""
        return f"warn > {100 * self.warn:g} %, fail > {100 * self.fail:g} %"


# A row that its own annotator shows to be wrong is certainly wrong; a few may be rows that a GPU, or another version of
# a library, has decided otherwise.
ROWS = Limits(warn=0.0, fail=0.02)


@dataclass(frozen=True)
class Verdict:
    """One check of one family, or of the whole dataset.

    Attributes:
        check: its name in `CHECKS`.
        family: that it is of; "" for the dataset.
        state: pass, warn, fail, or skipped where it could not be made.
        found: what was found, or why nothing was looked for, in a sentence.
        figure: that the state hangs on; None where there is none.
        unit: of the figure.
        threshold: of the figure, in words.
        remedy: what to do; "" where there is nothing to do.
        places: of rows in the index to look at, the worst first.
    """

    check: str
    family: str
    state: State
    found: str
    figure: float | None = None
    unit: str = ""
    threshold: str = ""
    remedy: str = ""
    places: tuple[int, ...] = ()


def share_verdict(  # noqa: PLR0913  all but two of them keywords
    check: str,
    family: str,
    *,
    bad: int,
    of: int,
    found: str,
    remedy: str,
    places: tuple[int, ...],
    limits: Limits = ROWS,
) -> Verdict:
    """The verdict over a share of rows that should be nought."""
    figure = bad / of if of else 0.0
    state = limits.judge(figure)
    said = remedy if state != "pass" else ""
    return Verdict(check, family, state, found, figure, "share of rows", str(limits), said, places)


def skipped(check: str, family: str, why: str, remedy: str = "") -> Verdict:
    """A check that could not be made."""
    return Verdict(check, family, "skipped", why, remedy=remedy)
