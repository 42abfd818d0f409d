from pathlib import Path

import numpy as np

from evaluate.true_condition import as_asked, truth_of
from manifests.dataset import Dataset
from manifests.manifest import load_manifest


def test_the_truth_is_of_the_same_kind_and_of_the_same_labels(run: Path) -> None:
    dataset = Dataset.open(load_manifest(run / "manifest.yaml").dataset)
    canny = dataset.card("canny")
    assert truth_of(dataset, canny) == "truth_edges"
    assert truth_of(dataset, canny.model_copy(update={"kind": "soft", "annotator": "hed"})) == "truth_edges"
    assert truth_of(dataset, canny.model_copy(update={"annotator": "lineart"})) == ""  # drawn, not where things end
    assert truth_of(dataset, canny.model_copy(update={"kind": "depth"})) == "truth_depth"
    assert truth_of(dataset, canny.model_copy(update={"kind": "lines"})) == ""
    classes = dataset.card("truth_segmentation").model_copy(update={"annotator": "segmentation"})
    assert truth_of(dataset, classes) == "truth_segmentation"
    assert truth_of(dataset, classes.model_copy(update={"labels": ["another"]})) == ""


def test_true_edges_are_certain_where_soft_ones_are_asked_for() -> None:
    edges = np.array([[0, 1]], np.uint8)
    assert as_asked("soft", edges, of="binary").tolist() == [[0, 255]]
    assert as_asked("binary", edges, of="binary").tolist() == [[0, 1]]
