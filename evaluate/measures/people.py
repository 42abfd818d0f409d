"""People: object keypoint similarity of those asked for and those drawn, matched one to one."""

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from evaluate.measures.average_precision import FILLED, Body, annotation, joints, match, pool_precision, precisions
from evaluate.measures.measure import SHARE, SIMILARITY, Adherence, Measure, Score, f1, recall, with_value
from manifests.body import SIGMAS
from manifests.figures import BODY, Poses

NEAR = 0.1  # of the longer side of the box around a person: how far a correct joint may be off


def score_people(asked: Poses, drawn: Poses) -> dict[str, Score]:
    """Score bodies; hands and faces are left out.

    Args:
        asked: at least one person, as a rule.
        drawn: in the same pixels.

    Returns:
        `oks_f1`: F1 of the people, each counted by its similarity (OKS of COCO, the area being that of the box around
        the joints asked for x 0.53) to the one it is matched with, such that the sum is greatest; `oks_ap`: COCO's
        average precision, the keypoints beside it as evidence; `pck`: the share of the joints asked for that are within
        a tenth of the person's size in the match of `oks_f1`; `count_error`: how many people too many or too few.
    """
    wanted, found = _bodies(asked), _bodies(drawn)
    pairs, shared = _matched(wanted, found)
    people = Score(0.0, shared, float(len(found)), shared, float(len(wanted)))
    near = sum(_near(wanted[row], found[column]) for row, column in pairs)
    points = Score(0.0, None, None, float(near), float(sum(np.count_nonzero(one[:, 2]) for one in wanted)))
    return {
        "oks_f1": with_value(people, f1(people)),
        "oks_ap": _ranked(wanted, found),
        "pck": with_value(points, recall(points)),
        "count_error": Score(float(abs(len(found) - len(wanted))), drawn=float(len(found)), asked=float(len(wanted))),
    }


def people_likeness(asked: Poses, drawn: Poses) -> float:
    """F1 of the people by their similarity, in [0, 1]; 0 where there is nobody."""
    wanted, found = _bodies(asked), _bodies(drawn)
    return 2 * _matched(wanted, found)[1] / max(len(wanted) + len(found), 1)


def _bodies(poses: Poses) -> list[Body]:
    return [person[:BODY].astype(np.float64) for person in poses.people]


def _matched(asked: Sequence[Body], drawn: Sequence[Body]) -> tuple[list[tuple[int, int]], float]:
    """The one-to-one pairs whose similarities have the greatest sum, and that sum."""
    table = np.array([[similarity(one, other) for other in drawn] for one in asked]).reshape(len(asked), len(drawn))
    rows, columns = linear_sum_assignment(table, maximize=True)
    return list(zip(rows.tolist(), columns.tolist(), strict=True)), float(table[rows, columns].sum())


def _ranked(asked: Sequence[Body], drawn: Sequence[Body]) -> Score:
    """Average precision of one picture, with what that of many is made from, and all keypoints [people * 18 * 3]."""
    people = match([annotation(person) for person in asked if joints(person).any()], drawn)
    keypoints = {"asked": np.array(asked).ravel(), "drawn": np.array(drawn).ravel()}
    return Score(float(precisions(people).mean()), evidence={**people.evidence, **keypoints})


def similarity(asked: Body, drawn: Body) -> float:
    """Object keypoint similarity in [0, 1]: mean over the joints asked for of exp(-d² / 2 s² k²); 0 for one missing."""
    there = asked[:, 2] > 0
    area = max(FILLED * float(np.prod(_box(asked))), 1.0)  # pixels; one joint alone has none
    squared = ((asked[:, :2] - drawn[:, :2]) ** 2).sum(1)
    each = np.exp(-squared / (2 * area * (2 * SIGMAS) ** 2)) * (drawn[:, 2] > 0)
    return float(each[there].mean()) if there.any() else 0.0


def _near(asked: Body, drawn: Body) -> int:
    """How many of the joints asked for are drawn where they should be."""
    both = (asked[:, 2] > 0) & (drawn[:, 2] > 0)
    off = np.hypot(*(asked[:, :2] - drawn[:, :2]).T)
    return int(np.count_nonzero(both & (off <= NEAR * _box(asked).max())))


def _box(person: Body) -> NDArray[np.float64]:
    """Width and height of the box around the joints that are there; zeros if none is."""
    points = person[person[:, 2] > 0, :2]
    return np.ptp(points, axis=0) if len(points) else np.zeros(2)


PEOPLE = Adherence(
    version=2,
    score=score_people,
    likeness=people_likeness,
    measures=(
        Measure("oks_f1", "pose OKS F1", SIMILARITY, True, True, "People asked for and drawn, as far as alike."),
        Measure(
            "oks_ap", "pose AP (OKS, COCO)", SHARE, True, False, "People of all pictures, ranked.", pool=pool_precision
        ),
        Measure("pck", "joints within 0.1 of the person", SHARE, True, False, "Of the joints asked for, in place."),
        Measure(
            "count_error", "people too many or too few", "people", False, False, "Off by so many.", span=(0.0, inf)
        ),
    ),
)
