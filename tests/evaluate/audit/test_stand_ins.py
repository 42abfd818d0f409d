"""Conditions that came with the corpus are held against a detector that stands in for the annotator they never had."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from evaluate.audit.again import StandIns
from evaluate.audit.audit import Audit
from manifests.dataset import Dataset
from tests.evaluate.audit import plant
from tests.evaluate.audit.test_families import INVERTED, TRUTH, shifted, states

Run = Callable[..., Audit]
STAND_INS = {
    "truth_edges": StandIns(("truth_edges=canny",)),
    "truth_depth": StandIns(("truth_depth=depth",), ("truth_depth.model=tiny/depth",)),
    "truth_openpose": StandIns(("truth_openpose=openpose",), ("truth_openpose.model=tiny",)),
    "truth_segmentation": StandIns(
        ("truth_segmentation=segmentation",), ("truth_segmentation.model=tiny/segmentation",)
    ),
}


@pytest.mark.parametrize("family", TRUTH)
def test_truth_passes_beside_a_detector_that_stands_in(sound_room: Dataset, run: Run, family: str) -> None:
    found = run(sound_room, family, stand_ins=STAND_INS[family])
    assert not states(found)
    assert {(check, family) for check in ("alignment", "pairing", "agreement")} <= states(found, "pass")


ASIDE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "truth_depth": ("polarity", lambda depth: -depth),
    "truth_edges": ("alignment", lambda edges: np.ascontiguousarray(edges[:, ::-1])),
    "truth_segmentation": ("alignment", lambda classes: shifted(classes, 0, 6)),
}


@pytest.mark.parametrize("family", ASIDE)
def test_truth_that_is_turned_round_is_found_by_a_stand_in(room: Dataset, run: Run, family: str) -> None:
    check, change = ASIDE[family]
    plant.conditions(room, family, change)
    assert states(run(room, family, stand_ins=STAND_INS[family])) == {(check, family)}


@pytest.mark.parametrize("family", TRUTH)
def test_truth_of_other_rows_is_found_by_a_stand_in(room: Dataset, run: Run, family: str) -> None:
    plant.rewrite(room, family, plant.rolled)
    assert states(run(room, family, stand_ins=STAND_INS[family])) == {("pairing", family)}


def test_negatives_are_found_without_a_stand_in(room: Dataset, run: Run) -> None:
    plant.conditions(room, "truth_edges", INVERTED["canny"])
    assert states(run(room, "truth_edges")) == {("polarity", "truth_edges")}
