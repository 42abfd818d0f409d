"""Pictures of people and of classes, and what the libraries that define a set's measures say of them."""

import io
from contextlib import redirect_stdout

import numpy as np
import pyarrow as pa
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluate.adherence import ADHERENCE
from evaluate.measures.average_precision import NOWHERE, annotation
from evaluate.scores import SCHEMA, gather, score_rows
from manifests.condition import Condition
from manifests.figures import BODY, Poses

PICTURES = 12


def scores_of(annotator: str, pairs: list[tuple[Condition, Condition]], *, draws: int = 1) -> pa.Table:
    """Rows of scores.parquet of one arm; picture p is sample p // draws."""
    rows = []
    for place, (asked, drawn) in enumerate(pairs):
        scores = ADHERENCE[annotator].score(asked, drawn)
        rows += score_rows(scores, key=f"{place // draws:02d}", draw=place % draws, seed=0, arm="controlled")
    return gather([pa.Table.from_pylist(rows, schema=SCHEMA)])


def crowds(generator: np.random.Generator) -> list[tuple[Poses, Poses]]:
    """People, and the same a little off, some of them missing, some joints too, and somebody who isn't there."""
    pairs = []
    for _ in range(PICTURES):
        asked = [person(generator) for _ in range(generator.integers(0, 4))]
        drawn = [_moved(one, generator) for one in asked if generator.random() < 0.8]
        drawn += [person(generator) for _ in range(generator.integers(0, 2))]
        pairs.append((Poses((300, 300), tuple(asked)), Poses((300, 300), tuple(drawn))))
    return pairs


def person(generator: np.random.Generator) -> np.ndarray:
    place = generator.uniform(0, 200, 2) + generator.uniform(0, 100, (BODY, 2))
    sure = generator.uniform(0.1, 1, BODY) * (generator.random(BODY) < 0.8)
    return np.column_stack([place, sure]).astype(np.float32)


def _moved(one: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    moved = one.copy()
    moved[:, :2] += generator.normal(0, generator.uniform(0, 6), (BODY, 2))
    moved[:, 2] = generator.uniform(0.1, 1, BODY) * (generator.random(BODY) < 0.9)
    return moved


def coco_ap(pairs: list[tuple[Poses, Poses]]) -> float:
    """AP by pycocotools over all pictures at once."""
    truth, results = COCO(), COCO()
    for data, place in ((truth, 0), (results, 1)):
        found = [
            {**annotation(one.astype(float), elsewhere=(0.0, NOWHERE)[place]), "image_id": number, "category_id": 1}
            | {"score": one[one[:, 2] > 0, 2].astype(float).mean()}
            for number, pair in enumerate(pairs)
            for one in pair[place].people
        ]
        images = [{"id": number} for number in range(len(pairs))]
        numbered = [{**one, "id": 1 + number} for number, one in enumerate(found)]
        data.dataset = {"images": images, "categories": [{"id": 1}], "annotations": numbered}
        with redirect_stdout(io.StringIO()):
            data.createIndex()
    with redirect_stdout(io.StringIO()):
        judge = COCOeval(truth, results, "keypoints")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0])


def maps(generator: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Class maps, some pixels of no class; rare classes are in few of them."""
    pairs = []
    for _ in range(PICTURES):
        asked = generator.choice([0, 1, 2, 3, 9, 149, 255], (20, 20), p=[0.4, 0.3, 0.1, 0.1, 0.02, 0.03, 0.05])
        drawn = np.where(generator.random((20, 20)) < 0.7, asked, generator.integers(0, 12, (20, 20)))
        pairs.append((asked.astype(np.uint8), drawn.astype(np.uint8)))
    return pairs


def mmseg_miou(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """`IoUMetric` of mmseg 1.2, written out: histograms of the valid pixels, summed, then nanmean over the classes."""
    both, union = np.zeros(150), np.zeros(150)
    for asked, drawn in pairs:
        label, found = asked[asked != 255], drawn[asked != 255]
        areas = [np.histogram(part, bins=150, range=(0, 149))[0] for part in (found[found == label], found, label)]
        both += areas[0]
        union += areas[1] + areas[2] - areas[0]
    with np.errstate(invalid="ignore"):
        return float(np.nanmean(both / union))
