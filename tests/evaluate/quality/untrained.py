"""Networks of picture quality with random weights, in a folder as PAIRMILL_WEIGHTS names one."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from evaluate.quality.aesthetic import PUBLISHED as HEAD
from evaluate.quality.aesthetic import Aesthetic
from evaluate.quality.clip import ClipPictures, ClipScore
from evaluate.quality.inception import PUBLISHED as INCEPTION
from evaluate.quality.look import Networks
from tests.annotate import random_models


def small(folder: Path) -> Networks:
    """Networks in a folder by their paths: Ray's workers know no variable that was set after they started."""
    model = str(folder / "clip")
    head = replace(HEAD, file=str(folder / HEAD.file))
    return Networks(ClipScore(model), ClipPictures(model), aesthetic=Aesthetic(model, head))


class Untrained(FeatureExtractorInceptionV3):
    """torch-fidelity's network as it is drawn at random, whatever file it is told to load."""

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> None:
        """Load nothing."""


def write_clip(folder: Path) -> None:
    """A small CLIP, `clip`, of 16 features and 16 tokens."""
    torch.manual_seed(7)  # some of its scores are below 0
    random_models.clip(folder / "clip")


def write_head(folder: Path) -> None:
    """The layer on it that rates pictures, under the published name."""
    torch.manual_seed(1)
    torch.save(torch.nn.Linear(16, 1).state_dict(), folder / HEAD.file)


@torch.no_grad()
def write_inception(folder: Path) -> None:
    """The network of FID, of full size, under the published name."""
    torch.manual_seed(2)
    torch.save({}, folder / "nothing.pth")
    network = Untrained("untrained", ["2048"], str(folder / "nothing.pth"))
    for weights in network.parameters():
        if weights.ndim == 4:  # as initialised, features shrink from layer to layer to nothing
            weights.normal_(0, (2 / weights[0].numel()) ** 0.5)
    torch.save(network.state_dict(), folder / INCEPTION.file)
