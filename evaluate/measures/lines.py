"""Straight lines: how many of each set have one of the other at their place."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from evaluate.measures.measure import SHARE, Adherence, Measure, Score, f1, precision, recall, with_value
from manifests.figures import Segments

FRAME = 128  # pixels: both sides of the frame that wireframe detectors are scored in (Zhou et al. 2019, section 4.2)
NEAR = 10.0  # square pixels of that frame: the threshold of sAP10


def score_lines(asked: Segments, drawn: Segments) -> dict[str, Score]:
    """Score straight lines, matched one to one.

    Returns:
        `line_f1`, `line_precision` and `line_recall`, each in [0, 1]. The scores of the lines play no part.
    """
    matched = float(match_lines(asked, drawn))
    counts = Score(0.0, matched, float(len(drawn.lines)), matched, float(len(asked.lines)))
    return {
        "line_f1": with_value(counts, f1(counts)),
        "line_precision": with_value(counts, precision(counts)),
        "line_recall": with_value(counts, recall(counts)),
    }


def match_lines(asked: Segments, drawn: Segments) -> int:
    """The most pairs of a line asked for and one drawn that lie near each other, no line in two pairs."""
    near = distance(asked, drawn) <= NEAR
    return int(near[linear_sum_assignment(near, maximize=True)].sum())


def distance(asked: Segments, drawn: Segments) -> NDArray[np.float64]:
    """Squared distances of both ends, added, in the order of ends that makes them least: [N, M] in frame pixels²."""
    one, other = _ends(asked)[:, None], _ends(drawn)[None]
    along, across = (np.square(one - ends).sum(axis=(2, 3)) for ends in (other, other[:, :, ::-1]))
    return np.asarray(np.minimum(along, across))


def _ends(segments: Segments) -> NDArray[np.float64]:
    """[N, 2, 2] x and y of both ends, in the frame."""
    height, width = segments.shape
    ends = segments.lines[:, :4].astype(np.float64).reshape(-1, 2, 2)
    return np.asarray(ends * (FRAME / width, FRAME / height))


LINES = Adherence(
    version=2,
    score=score_lines,
    likeness=lambda asked, drawn: score_lines(asked, drawn)["line_f1"].value,
    measures=(
        Measure("line_f1", "line F1 (sAP10's match)", SHARE, True, True, "Straight lines that have both ends right."),
        Measure("line_precision", "line precision", SHARE, True, False, "Of the lines drawn, those asked for."),
        Measure("line_recall", "line recall", SHARE, True, False, "Of the lines asked for, those drawn."),
    ),
)
