"""Pictures and captions of ingested datasets, all of them at once: what is tiny may lie in memory."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from manifests.dataset import Dataset
from manifests.layout import IMAGES


def read(datasets: list[Path]) -> tuple[NDArray[np.uint8], list[str]]:
    """All pictures [N, 128, 128, 3] uint8 RGB and captions of some datasets, in the order of their shards."""
    pictures, captions = [], []
    for dataset in map(Dataset.open, datasets):
        for name in dataset.shards(IMAGES):
            for row in dataset.read(IMAGES, name, columns=["image", "captions"]).to_pylist():
                raw = np.frombuffer(row["image"]["bytes"], np.uint8)
                pictures.append(np.asarray(cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB), np.uint8))
                captions.append(row["captions"][0])
    return np.stack(pictures), captions
