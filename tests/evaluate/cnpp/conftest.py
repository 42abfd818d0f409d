"""Real pictures for all tests of the folder: photographs where there are some, and the playroom."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from annotate.corpora import playroom

SIDE = 192  # pixels: what the five scales of MS-SSIM need, and some
PHOTOS = sorted((Path(__file__).parents[4] / "shared/data/photos").glob("*.jpg"))[:4]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", params=["photographs", "playroom"])
def pictures(request: pytest.FixtureRequest) -> np.ndarray:
    """Four pictures: [4, H, W, 3] uint8 RGB."""
    if request.param == "playroom":
        return _rooms()
    if not PHOTOS:
        pytest.skip("no photographs here")
    return np.stack([_square(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)) for path in PHOTOS])


@pytest.fixture(scope="session")
def playrooms() -> np.ndarray:
    """Four pictures of the playroom: [4, H, W, 3] uint8 RGB."""
    return _rooms()


def _rooms() -> np.ndarray:
    return np.stack([_square(playroom.record(7, row).image) for row in range(4)])


def _square(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
