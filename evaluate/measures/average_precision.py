"""Average precision of people: COCO's, over matches that pycocotools makes picture by picture."""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluate.measures.measure import Evidence, Pooled, Weights
from manifests.body import JOINTS, NECK, OPENPOSE_OF_COCO

FILLED = 0.53  # of the box around the joints of a person, in COCO, is the person
NOWHERE = -1e6  # pixels: the place of a joint that was not drawn, which is like none that can be asked for
THRESHOLDS = 10  # similarities from 0.5 to 0.95, at each of which a match counts
BLOCK = 32  # resamples at a time
RECALLS = np.linspace(0, 1, 101)  # at which precision is read off

Body = NDArray[np.float64]  # [18, 3] x, y, score
Person = Mapping[str, Any]  # an annotation of COCO: keypoints, num_keypoints, bbox, area, iscrowd


@dataclass(frozen=True)
class Matches:
    """People drawn, as COCO matches them with those asked for.

    Attributes:
        sure: [D] float64, the score of each person drawn.
        right: [D, 10] float64 in {0, 1}, whether each has a match at each threshold.
        counted: [D, 10] float64 in {0, 1}; 0 where the match is with somebody who isn't asked for.
        asked: how many people are asked for.
    """

    sure: NDArray[np.float64]
    right: NDArray[np.float64]
    counted: NDArray[np.float64]
    asked: float

    @property
    def evidence(self) -> Evidence:
        """As scores.parquet keeps it."""
        return {
            "sure": self.sure,
            "right": self.right.ravel(),
            "counted": self.counted.ravel(),
            "people": np.array([self.asked]),
        }


def match(asked: Sequence[Person], drawn: Sequence[Body], *, most: int | None = None) -> Matches:
    """Match the people of one picture as pycocotools does: the surest first, each with the most similar one left.

    Args:
        asked: as COCO's annotations have them.
        drawn: of anybody with a joint that COCO has. How sure one is: the mean of the scores of the joints it has.
        most: how many of them count, the surest ones; all by default.
    """
    found = [person for person in drawn if joints(person).any()]
    sure = np.array([person[person[:, 2] > 0, 2].mean() for person in found])
    wanted = float(sum(bool(person["num_keypoints"]) and not person["iscrowd"] for person in asked))
    if not found:
        return Matches(sure, np.empty((0, THRESHOLDS)), np.empty((0, THRESHOLDS)), wanted)
    results = [
        {**annotation(person, elsewhere=NOWHERE), "score": score} for person, score in zip(found, sure, strict=True)
    ]
    with redirect_stdout(io.StringIO()):  # it tells how long everything takes
        judge = COCOeval(_coco(asked), _coco(results), "keypoints")
        judge.params.imgIds, judge.params.catIds, judge.params.maxDets = [1], [1], [most or len(found)]
        judge.params.areaRng, judge.params.areaRngLbl = judge.params.areaRng[:1], ["all"]
        judge.evaluate()
    (matches,) = judge.evalImgs
    ignored = np.asarray(matches["dtIgnore"], bool)
    right = (np.asarray(matches["dtMatches"]) > 0) & ~ignored
    return Matches(
        np.asarray(matches["dtScores"], np.float64), right.T.astype(float), (~ignored).T.astype(float), wanted
    )


def precisions(people: Matches) -> NDArray[np.float64]:
    """Average precision at each of the ten thresholds, read off at 101 recalls: [10]; 0 where nobody is asked for.

    Args:
        people: of one picture or of many, one after the other.
    """
    return weighted_precisions(people, np.ones((1, len(people.sure))), np.array([people.asked]))[0]


def weighted_precisions(people: Matches, times: Weights, asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same if some people were there more than once, or not at all.

    Args:
        times: [R, D] float64, how often each person drawn is there.
        asked: [R] float64, how many people are asked for.

    Returns:
        [R, 10] float64.
    """
    order = np.argsort(-people.sure, kind="stable")
    right, counted = people.right[order].T, people.counted[order].T
    read = np.zeros((len(times), THRESHOLDS))
    for start in range(0, len(times), BLOCK):  # what is in the processor's cache is done many times faster
        block = slice(start, start + BLOCK)
        each = times[block, order]
        for at in range(THRESHOLDS):
            read[block, at] = _read(each, right[at] > 0, counted[at], asked[block])
    return read


def _read(
    times: Weights, right: NDArray[np.bool_], counted: NDArray[np.float64], asked: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean precision at all recalls, of people from the surest on: [r]."""
    hits = np.cumsum(times[:, right], axis=1)  # precision is highest, and recall rises, only where somebody is right
    if not hits.size:
        return np.zeros(len(times))
    precision = hits / np.maximum(np.cumsum(times * counted, axis=1)[:, right], 1)
    best_beyond = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = hits / np.maximum(asked, 1)[:, None]
    places = np.stack([np.searchsorted(row, RECALLS) for row in recall])
    reached = np.take_along_axis(best_beyond, np.minimum(places, hits.shape[1] - 1), axis=1)
    return np.asarray(np.where(places < hits.shape[1], reached, 0).mean(axis=1))


def together(pictures: Sequence[Matches]) -> Matches:
    """The people of many pictures."""
    return Matches(
        np.concatenate([picture.sure for picture in pictures]),
        np.concatenate([picture.right for picture in pictures]),
        np.concatenate([picture.counted for picture in pictures]),
        sum(picture.asked for picture in pictures),
    )


def pool_precision(rows: pa.Table) -> Pooled:
    """Average precision (AP of COCO) of a set of pictures, whose people are ranked together.

    Args:
        rows: N rows of scores.parquet, of `oks_ap`.
    """
    pictures = [_of_evidence(dict(evidence)) for evidence in rows["evidence"].to_pylist()]
    people, asked = together(pictures), np.array([picture.asked for picture in pictures])
    of = np.repeat(np.arange(len(pictures)), [len(picture.sure) for picture in pictures])

    def pooled(weights: Weights) -> NDArray[np.float64]:
        return weighted_precisions(people, weights[:, of], weights @ asked).mean(axis=1)

    return pooled


def _of_evidence(evidence: Mapping[str, list[float]]) -> Matches:
    right, counted = (np.array(evidence[name]).reshape(-1, THRESHOLDS) for name in ("right", "counted"))
    return Matches(np.array(evidence["sure"]), right, counted, evidence["people"][0])


def joints(person: Body) -> NDArray[np.bool_]:
    """[18]: which joints of COCO are there; it has no neck."""
    return (person[:, 2] > 0) & (np.arange(len(JOINTS)) != NECK)


def annotation(person: Body, *, elsewhere: float = 0.0) -> Person:
    """Somebody as COCO's annotations have it; the area is that of the box around the joints x 0.53.

    Args:
        person: with a joint that COCO has.
        elsewhere: both coordinates of joints that are not there.
    """
    there = person[joints(person), :2]
    (left, top), (width, height) = there.min(axis=0), np.ptp(there, axis=0)
    seen = np.where(person[:, 2] > 0, 2.0, 0.0)  # labelled and visible, in COCO's words
    places = np.where(seen[:, None] > 0, person[:, :2], elsewhere)
    return {
        "keypoints": np.column_stack([places, seen])[list(OPENPOSE_OF_COCO)].ravel().tolist(),
        "num_keypoints": len(there),
        "bbox": [left, top, width, height],
        "area": max(FILLED * width * height, 1.0),  # pixels; one joint alone has none
        "iscrowd": 0,
    }


def _coco(annotations: Sequence[Person]) -> COCO:
    """A data set of one picture."""
    data = COCO()
    numbered = [{**each, "id": 1 + place, "image_id": 1, "category_id": 1} for place, each in enumerate(annotations)]
    data.dataset = {"images": [{"id": 1}], "categories": [{"id": 1}], "annotations": numbered}
    data.createIndex()
    return data
