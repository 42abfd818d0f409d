"""How well people are found: COCO's keypoint precision, and the share of joints in their place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifests.body import SIGMAS

Array = NDArray[np.float64]
People = list[NDArray[np.float32]]  # of one picture: [18, 3] each; x, y in pixels, score; 0 is not there
FALLOFF = 2 * SIGMAS
BOX_TO_AREA = 0.53  # share of its box that a person covers, where COCO has no outline
THRESHOLDS = np.arange(0.50, 0.96, 0.05)
FEWEST_JOINTS = 4  # OpenPose lets go of people with fewer; one that shows fewer is neither asked for nor held false


@dataclass(frozen=True)
class PoseAccuracy:
    """More is better, but for `false_people`."""

    average_precision: float  # over OKS thresholds 0.50 to 0.95
    average_precision_50: float
    joints_in_place: float  # share of seen joints within a tenth of the person's height
    people: int
    found_people: int  # at OKS 0.5
    false_people: int


@dataclass(frozen=True)
class Matched:
    """The people found in one picture against its true ones."""

    similarity: Array  # [found, true], OKS
    scores: Array  # [found]
    asked: NDArray[np.bool_]  # [true], shows enough joints to be asked for


def judge_people(found: list[People], true: list[People]) -> PoseAccuracy:
    """Compare the people found in each picture with those that are in it."""
    pictures = [_match(some, others) for some, others in zip(found, true, strict=True)]
    at = {round(float(threshold), 2): _precision(pictures, threshold) for threshold in THRESHOLDS}
    right, wrong = _count(pictures, 0.5)
    shares = [_in_place(*pair) for pair in zip(found, true, pictures, strict=True)]
    return PoseAccuracy(
        average_precision=float(np.mean(list(at.values()))),
        average_precision_50=at[0.5],
        joints_in_place=sum(near for near, _ in shares) / max(sum(all_ for _, all_ in shares), 1),
        people=int(sum(picture.asked.sum() for picture in pictures)),
        found_people=right,
        false_people=wrong,
    )


def true_people(people: NDArray[np.float32]) -> list[People]:
    """[N, P, 18, 3] of `Pictures`, without those who are not there."""
    return [[person for person in some if (person[:, 2] > 0).any()] for some in people]


def _match(found: People, true: People) -> Matched:
    similarity = np.array([[_oks(some, other) for other in true] for some in found]).reshape(len(found), len(true))
    scores = np.array([person[person[:, 2] > 0, 2].mean() for person in found])
    return Matched(similarity, scores, np.array([(other[:, 2] > 0).sum() >= FEWEST_JOINTS for other in true], bool))


def _oks(found: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    seen = true[:, 2] > 0
    area = max(float(np.prod(np.ptp(true[seen, :2], axis=0))) * BOX_TO_AREA, 1.0)
    squared = ((found[:, :2] - true[:, :2]) ** 2).sum(axis=1)
    near = np.exp(-squared / (2 * area * FALLOFF**2)) * (found[:, 2] > 0)
    return float(near[seen].mean())


def _verdicts(picture: Matched, threshold: float) -> Array:
    """Of each person found, best first: 1 right, 0 false, NaN not to be counted."""
    free, verdicts = np.ones(len(picture.asked), bool), np.zeros(len(picture.scores))
    for number in np.argsort(-picture.scores):
        good = picture.similarity[number] >= threshold
        wanted = np.flatnonzero(good & free & picture.asked)
        if wanted.size:
            free[wanted[picture.similarity[number][wanted].argmax()]] = False
            verdicts[number] = 1
        elif (good & ~picture.asked).any():
            verdicts[number] = np.nan
    return verdicts


def _count(pictures: list[Matched], threshold: float) -> tuple[int, int]:
    verdicts = np.concatenate([_verdicts(picture, threshold) for picture in pictures])
    return int((verdicts == 1).sum()), int((verdicts == 0).sum())


def _precision(pictures: list[Matched], threshold: float) -> float:
    """Average precision at 101 recalls, as COCO has it."""
    verdicts = np.concatenate([_verdicts(picture, threshold) for picture in pictures])
    scores = np.concatenate([picture.scores for picture in pictures])
    order = np.argsort(-scores, kind="stable")
    ranked = verdicts[order][~np.isnan(verdicts[order])]
    right = np.cumsum(ranked)
    recall = right / max(sum(int(picture.asked.sum()) for picture in pictures), 1)
    precision = np.maximum.accumulate((right / (np.arange(len(right)) + 1))[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101))
    return float(np.append(precision, 0.0)[places].mean())


def _in_place(found: People, true: People, picture: Matched) -> tuple[int, int]:
    """How many seen joints are within a tenth of the person's height in the most similar person found, and how many."""
    near = asked = 0
    for number in np.flatnonzero(picture.asked):
        seen = true[number][:, 2] > 0
        asked += int(seen.sum())
        if found:
            best = found[int(picture.similarity[:, number].argmax())]
            distance = np.linalg.norm(best[:, :2] - true[number][:, :2], axis=1)
            within = distance <= 0.1 * np.ptp(true[number][seen, 1])
            near += int((seen & within & (best[:, 2] > 0)).sum())
    return near, asked
