"""Measures of a whole set of pictures are those of the libraries that define them, on any resample of the set."""

import numpy as np
import pyarrow as pa
import pytest

from evaluate.adherence import ADHERENCE
from evaluate.measured import statistic_of
from evaluate.measures.measure import Measure
from evaluate.statistics import Array
from manifests.figures import BODY
from tests.evaluate.pooled import PICTURES, coco_ap, crowds, maps, mmseg_miou, scores_of

SEEN = np.random.default_rng(8).integers(0, 3, (4, PICTURES)).astype(float)  # resamples: how often each picture counts


def measure(annotator: str, name: str) -> Measure:
    return next(measure for measure in ADHERENCE[annotator].measures if measure.name == name)


def measured(annotator: str, name: str, scores: pa.Table, weights: Array) -> Array:
    return statistic_of(scores, measure(annotator, name), ["controlled"])[1](weights)[:, 0]


def test_average_precision_is_that_of_pycocotools_on_every_resample() -> None:
    pairs = crowds(np.random.default_rng(7))
    scores = scores_of("openpose", pairs)
    assert 0.05 < coco_ap(pairs) < 0.95
    for times in (np.ones(PICTURES), *SEEN):
        again = [pair for pair, count in zip(pairs, times, strict=True) for _ in range(int(count))]
        assert measured("openpose", "oks_ap", scores, times[None]) == pytest.approx([coco_ap(again)], abs=1e-12)


def test_keypoints_are_kept_beside_their_score() -> None:
    pairs = crowds(np.random.default_rng(7))
    scores = scores_of("openpose", pairs).filter(pa.compute.field("measure") == "oks_ap")
    for (asked, drawn), evidence in zip(pairs, scores["evidence"].to_pylist(), strict=True):
        kept = dict(evidence)
        for poses, name in ((asked, "asked"), (drawn, "drawn")):
            assert np.array_equal(np.array(kept[name]).reshape(-1, BODY, 3), np.reshape(poses.people, (-1, BODY, 3)))


def test_overlap_of_a_set_is_that_of_mmseg_on_every_resample() -> None:
    pairs = maps(np.random.default_rng(9))
    scores = scores_of("segmentation", pairs)
    for times in (np.ones(PICTURES), *SEEN):
        again = [pair for pair, count in zip(pairs, times, strict=True) for _ in range(int(count))]
        assert measured("segmentation", "miou_all", scores, times[None]) == pytest.approx([mmseg_miou(again)])


def test_overlap_of_a_set_of_one_is_the_value_kept_for_it() -> None:
    pairs = maps(np.random.default_rng(9))[:1]
    scores = scores_of("segmentation", pairs)
    (kept,) = scores.filter(pa.compute.field("measure") == "miou_all")["value"].to_pylist()
    assert measured("segmentation", "miou_all", scores, np.ones((1, 1))) == pytest.approx([kept])


@pytest.mark.parametrize(("annotator", "name"), [("segmentation", "miou_all"), ("openpose", "oks_ap")])
def test_all_draws_of_a_sample_are_resampled_with_it(annotator: str, name: str) -> None:
    generator = np.random.default_rng(10)
    pairs = maps(generator) if annotator == "segmentation" else crowds(generator)
    apart, in_pairs = scores_of(annotator, pairs), scores_of(annotator, pairs, draws=2)
    times = SEEN[:, : PICTURES // 2]
    assert np.allclose(
        measured(annotator, name, in_pairs, times), measured(annotator, name, apart, np.repeat(times, 2, axis=1))
    )
