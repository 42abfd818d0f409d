"""Test samples as several runs drew them, each picture beside its score."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluate.page.thumbnail import thumbnail
from evaluate.pictures import PICTURES_FOLDER, find
from evaluate.scores import SCORES_FILE, first_draw, read_scores

EXAMPLES = 6  # test samples in each gallery


@dataclass(frozen=True)
class Example:
    """One test sample, drawn by every run."""

    caption: str  # untrusted text, escaped by the template
    condition: str  # data URI
    real: str
    drawn: tuple[tuple[str, float], ...]  # (data URI, score), in the order of the runs
    captions: tuple[str, ...]  # likewise: what was said to each of them

    def otherwise(self, place: int) -> str | None:
        """What was said to a run; None where it is what was said to the first."""
        return self.captions[place] if self.captions[place] != self.caption else None


def scores_of_runs(folders: Sequence[Path], *, measure: str) -> tuple[list[str], NDArray[np.float64]]:
    """The N keys of the samples, and how each run's first picture of them scores: [N, runs] float64.

    Args:
        folders: evaluations of the same samples.
    """
    tables = [first_draw(read_scores(folder / SCORES_FILE), measure) for folder in folders]
    keys = list(tables[0])
    return keys, np.array([[table[key] for table in tables] for key in keys])


def examples(folders: Sequence[Path], wanted: Sequence[str], *, measure: str) -> tuple[Example, ...]:
    """Samples by their keys, in that order; one whose pictures some run lacks is left out."""
    keys, scores = scores_of_runs(folders, measure=measure)
    by_key = dict(zip(keys, scores.tolist(), strict=True))
    found = [find(folder / PICTURES_FOLDER, wanted) for folder in folders]
    return tuple(
        Example(
            found[0][key].caption,
            thumbnail(found[0][key].panels["condition"]),
            thumbnail(found[0][key].panels["real"]),
            tuple((thumbnail(run[key].panels["drawn"]), score) for run, score in zip(found, by_key[key], strict=True)),
            tuple(run[key].caption for run in found),
        )
        for key in wanted
        if all(key in run for run in found)
    )
