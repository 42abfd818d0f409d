"""Alignment: a condition lies upright over its picture, neither mirrored nor beside it."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from evaluate.audit.evidence import Evidence, Pair
from evaluate.audit.likeness import LIKENESS, TO_THE_PIXEL, explains
from evaluate.audit.of_rows import compared, verdict_of
from evaluate.audit.verdict import Verdict, skipped
from evaluate.page.panel import drawn
from manifests.condition import Condition, Kind
from manifests.figures import Poses, Segments
from manifests.geometry import crop, flip, moved

FARTHEST = 1 / 8  # of the short side: how far off a condition is looked for
SEEN = 1e-3  # a smaller difference is not worth a search
CONSENSUS = 0.5  # of the rows that a stand-in made again must lie the same way off
TOLERANT = 2  # pixels: a stand-in may lie less far off by its nature
BETTER = 0.75  # of the difference may be left where a stand-in is compared


@dataclass(frozen=True)
class Lie:
    """How a condition lies over its picture: turned so, then moved down and to the right by pixels."""

    turn: str = ""
    down: int = 0
    right: int = 0

    def __str__(self) -> str:
        """As `mirrored, 3 px to the right`."""
        ways = [
            f"{abs(self.right)} px to the {'right' if self.right > 0 else 'left'}" if self.right else "",
            f"{abs(self.down)} px {'down' if self.down > 0 else 'up'}" if self.down else "",
        ]
        return ", ".join(part for part in (self.turn, *ways) if part)


def turned(kind: Kind, condition: Condition) -> Iterator[tuple[str, Condition]]:
    """A condition in every other orientation that its shape allows, with the word for each."""
    yield "mirrored", flip(kind, condition)
    if isinstance(condition, Poses | Segments):
        height, width = condition.shape
        yield "mirrored", moved(condition, condition.shape, lambda x, y: (width - 1 - x, y))
        yield "upside down", moved(condition, condition.shape, lambda x, y: (x, height - 1 - y))
        yield "turned by a half", moved(condition, condition.shape, lambda x, y: (width - 1 - x, height - 1 - y))
        return
    if kind == "normal":
        yield "mirrored", condition[:, ::-1]
    yield "upside down", condition[::-1]
    yield "turned by a half", condition[::-1, ::-1]
    if condition.shape[0] == condition.shape[1]:
        yield "turned by a quarter", np.rot90(condition)
        yield "turned by a quarter", np.rot90(condition, 3)
        yield "transposed", condition.swapaxes(0, 1)


def find_alignment(kind: Kind, stored: Condition, again: Condition, *, turns: bool) -> Lie:
    """How a stored condition lies, where that explains what its annotator finds; `Lie()` where it does not.

    Args:
        turns: whether other orientations are looked for, beside shifts.
    """
    alike = TO_THE_PIXEL[kind]
    plain = alike(stored, again)
    if 1 - plain < SEEN:
        return Lie()
    lie, best = best_lie(kind, stored, again, alike, turns=turns)
    return lie if explains(best, plain) else Lie()


def find_alignment_of_many(kind: Kind, pairs: Sequence[Pair]) -> Lie:
    """How most rows lie, where they were made again by a stand-in; `Lie()` where they don't agree on any."""
    alike = LIKENESS[kind]
    votes: Counter[Lie] = Counter()
    for pair in pairs:
        lie, best = best_lie(kind, pair.stored, pair.again, alike, turns=True)
        far = lie.turn or max(abs(lie.down), abs(lie.right)) >= TOLERANT
        if far and explains(best, alike(pair.stored, pair.again), by=BETTER, least=0.0):
            votes[lie] += 1
    lie, count = votes.most_common(1)[0] if votes else (Lie(), 0)
    return lie if count > CONSENSUS * len(pairs) else Lie()


def best_lie(
    kind: Kind, stored: Condition, again: Condition, alike: Callable[[Any, Any], float], *, turns: bool
) -> tuple[Lie, float]:
    """The orientation and shift in which a condition made again is most like the stored one, and how like it is."""
    best, found = Lie(), -1.0
    for word, other in [("", again), *(turned(kind, again) if turns else ())]:
        down, right = shift_between(raster(kind, stored), raster(kind, other))
        if not (word or down or right):
            continue
        value = alike(*_overlap(stored, other, down, right))
        if value > found:
            best, found = Lie(word, down, right), value
    return best, found


def shift_between(there: NDArray[np.float32], here: NDArray[np.float32]) -> tuple[int, int]:
    """By how many pixels (down, right) `here` is to be moved over `there`, both [H, W]: where they correlate most."""
    height, width = there.shape
    reach = max(1, int(min(height, width) * FARTHEST))
    size = [fft.next_fast_len(side + reach, real=True) for side in (height, width)]  # nothing comes round
    spectra = [fft.rfft2(one - one.mean(), s=size) for one in (there, here)]
    surface = fft.irfft2(spectra[0] * np.conj(spectra[1]), s=size)
    ways = np.arange(-reach, reach + 1)
    near = surface[np.ix_(ways % size[0], ways % size[1])]
    down, right = np.unravel_index(int(near.argmax()), near.shape)
    return int(ways[down]), int(ways[right])


def raster(kind: Kind, condition: Condition) -> NDArray[np.float32]:
    """What of a condition is looked for elsewhere: [H, W], edges of what has regions, figures as they are drawn."""
    if isinstance(condition, Poses | Segments):
        return drawn(kind, condition).max(axis=2).astype(np.float32)
    array = np.asarray(condition, np.float32)
    if kind in ("binary", "soft"):
        return array
    planes = array if array.ndim == 3 else array[..., None]
    down, right = (np.abs(np.diff(planes, axis=axis)).sum(axis=2) for axis in (0, 1))
    steps = down[:, :-1] + right[:-1]
    return np.asarray(np.pad(steps > 0 if kind == "classes" else steps, ((0, 1), (0, 1))), np.float32)


def check_alignment(evidence: Evidence) -> Iterator[Verdict]:
    """Every family whose conditions lie over pictures."""
    for name, family in evidence.families.items():
        if family.card.kind not in LIKENESS:
            continue
        findings = evidence.findings[name]
        done = compared(findings)
        if not done:
            yield skipped(
                "alignment", name, family.again if isinstance(family.again, str) else "no row could be compared"
            )
            continue
        remedy = (
            f"pictures or conditions of {name} were turned, cut or moved by themselves. Make it again: "
            f"{family.card.command(evidence.dataset.root, refresh=True)}, or ingest the corpus anew"
        )
        yield verdict_of("alignment", family, findings, of=len(done), what="lie beside their pictures", remedy=remedy)


def _overlap(stored: Condition, other: Condition, down: int, right: int) -> tuple[Condition, Condition]:
    """Those windows of both in which a condition that is moved by so much still lies over the other."""
    height, width = stored.shape[:2]
    size = (height - abs(down), width - abs(right))
    return (
        crop(stored, (max(down, 0), max(right, 0)), size),
        crop(other, (max(-down, 0), max(-right, 0)), size),
    )
