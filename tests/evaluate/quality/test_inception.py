"""Features are torch-fidelity's own, of the weights that lie here alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from annotate.weights import Missing
from evaluate.quality.inception import PUBLISHED, Inception
from tests.evaluate.quality.untrained import write_inception


def test_features_are_those_of_torch_fidelity(weights: Path) -> None:
    write_inception(weights)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    seen = Inception().load(torch.device("cpu"))(pictures, ["", ""])
    network = FeatureExtractorInceptionV3("theirs", ["2048"], str(weights / PUBLISHED.file)).eval()
    (theirs,) = network(torch.from_numpy(pictures.transpose(0, 3, 1, 2)))
    assert np.array_equal(seen.features, theirs.numpy())
    assert seen.features.shape == (2, 2048)
    assert seen.features.std() > 0.01, "features that are all alike would prove nothing"
    assert seen.values == [None, None]


def test_weights_in_torchs_cache_are_found(weights: Path, tmp_path: Path) -> None:
    cache = tmp_path / "torch/hub/checkpoints"
    cache.mkdir(parents=True)
    torch.save({}, cache / PUBLISHED.file)
    assert [each.file for each in Inception().weights()] == [PUBLISHED.file]


def test_nothing_is_downloaded_and_it_is_said_where_to_get_it(weights: Path) -> None:
    with pytest.raises(Missing, match=r"Download https://github\.com/toshas/torch-fidelity"):
        Inception().load(torch.device("cpu"))


def test_weights_of_another_network_are_refused(weights: Path) -> None:
    torch.save(torch.nn.Linear(8, 1).state_dict(), weights / PUBLISHED.file)
    with pytest.raises(ValueError, match="weights of another network"):
        Inception().load(torch.device("cpu"))
