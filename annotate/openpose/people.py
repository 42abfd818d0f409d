"""From limbs to people: the greedy assembly of one picture, as controlnet_aux's `body.py` does it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from manifests.body import LIMBS
from manifests.figures import BODY

NEW = 17  # limbs that may begin a person; the two from shoulder to ear may not
FEWEST = 4  # joints of a person
LEAST = 0.4  # score of a person, per joint
FAINTEST = 1e-6  # score of a joint that is there: 0 means that there is none

Numbers = NDArray[np.int64]
Scores = NDArray[np.float64]


def assemble(joints: Scores, links: Numbers, scores: Scores) -> list[NDArray[np.float32]]:
    """Put one picture's people together: a link begins a person, lengthens one, or joins two that share no part.

    Where three people have a joint of one link, which body.py does not survive, the third is left alone.

    Args:
        joints: [N, 3] x, y, score.
        links: [M, 3] limb and the two joints (places in `joints`), sorted.
        scores: [M] of the links.

    Returns:
        For each person [18, 3] float32: x, y, score in (0, 1], or zeros where there is no joint.
    """
    parts, totals = np.full((0, BODY), -1), np.zeros((0, 2))  # joints by part, -1 for none; score and number of joints
    for limb, one, other, score in _chosen(links, scores):
        start, end = LIMBS[limb]
        found = np.flatnonzero((parts[:, start] == one) | (parts[:, end] == other))[:2]
        gain = joints[other, 2] + score
        if len(found) == 2 and not ((parts[found[0]] >= 0) & (parts[found[1]] >= 0)).any():
            keeper, gone = found
            parts[keeper] = np.maximum(parts[keeper], parts[gone])
            totals[keeper] += totals[gone] + [score, 0]
            parts, totals = np.delete(parts, gone, axis=0), np.delete(totals, gone, axis=0)
        elif len(found) == 2 or (len(found) == 1 and parts[found[0], end] != other):
            parts[found[0], end] = other
            totals[found[0]] += [gain, 1]
        elif len(found) == 0 and limb < NEW:
            person = np.full((1, BODY), -1)
            person[0, [start, end]] = one, other
            parts, totals = np.vstack([parts, person]), np.vstack([totals, [joints[one, 2] + gain, 2]])
    kept = (totals[:, 1] >= FEWEST) & (totals[:, 0] / np.maximum(totals[:, 1], 1) >= LEAST)
    return [_person(joints, person) for person in parts[kept]]


def _chosen(links: Numbers, scores: Scores) -> Iterator[tuple[int, int, int, float]]:
    """Limbs in their order, of each the best links first; a joint takes part in one link of a limb."""
    taken: set[tuple[int, int, int]] = set()  # limb, which end, joint
    for place in np.lexsort((-scores, links[:, 0])):  # stable: of equals the first stays first
        limb, one, other = links[place].tolist()
        ends = {(limb, 0, one), (limb, 1, other)}
        if taken.isdisjoint(ends):
            taken |= ends
            yield limb, one, other, float(scores[place])


def _person(joints: Scores, parts: Numbers) -> NDArray[np.float32]:
    points = np.where((parts >= 0)[:, None], joints[parts], 0.0)
    points[parts >= 0, 2] = points[parts >= 0, 2].clip(FAINTEST, 1)
    return points.astype(np.float32)
