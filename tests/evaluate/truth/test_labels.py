from pathlib import Path

import numpy as np
import pytest

from annotate.canny import Canny
from benchmarks.truth_labels import as_poses, figures, score_boundaries
from benchmarks.truth_people import read_labels
from evaluate.adherence import ADHERENCE

DATA = Path(__file__).parents[4] / "shared" / "data"
COCO = DATA / "mmpose-testdata/tests/data/coco"
BSDS = DATA / "bsds500"


@pytest.mark.skipif(not COCO.is_dir(), reason="no labelled people here")
def test_peoples_labels_adhere_perfectly_to_themselves_by_the_measures_of_models() -> None:
    pictures, labels = read_labels(COCO)
    asked = [as_poses(some, picture) for picture, some in zip(pictures, labels, strict=True)]
    found = figures("openpose", [(one, one) for one in asked])
    assert found == pytest.approx({"oks_f1": 1.0, "oks_ap": 1.0, "pck": 1.0, "count_error": 0.0})
    assert sum(len(one.people) for one in asked) == 12


@pytest.mark.skipif(not BSDS.is_dir(), reason="no labelled boundaries here")
def test_edges_are_scored_against_peoples_boundaries_as_a_models_are() -> None:
    canny = next(row for row in score_boundaries(BSDS, 2) if row.task == Canny.name)
    assert set(canny.figures) == {measure.name for measure in ADHERENCE["canny"].measures}
    assert 0 < canny.figures["f1"] < canny.figures["f1_1px"] < canny.figures["f1_2px"] < 1
    assert np.isfinite(list(canny.figures.values())).all()
