"""How well depth and classes are predicted, pixel by pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.corpora.playroom import CLASSES

FARTHEST = 20.0  # metres: no aligned prediction is taken to be farther, where a division by nothing would be


@dataclass(frozen=True)
class DepthAccuracy:
    """Less is better, but for `delta1`."""

    rmse: float  # of inverse depth, 1/m, as predicted
    abs_rel: float  # |depth - true| / true, after each picture's inverse depth is scaled and shifted for the best fit
    delta1: float  # share of pixels whose depth is then within a factor of 1.25


@dataclass(frozen=True)
class SegmentationAccuracy:
    """Shares of 1, over all pixels of all pictures; more is better."""

    mean_iou: float
    iou: dict[str, float]  # by class
    pixels: float


def judge_depth(found: NDArray[np.float32], true: NDArray[np.float32]) -> DepthAccuracy:
    """Inverse depths [N, H, W] in 1/m against the true ones."""
    aligned = np.stack([align(*pair) for pair in zip(found, true, strict=True)])
    depth, true_depth = 1 / np.maximum(aligned, 1 / FARTHEST), 1 / true.astype(np.float64)
    return DepthAccuracy(
        rmse=float(np.sqrt(np.mean((found.astype(np.float64) - true) ** 2))),
        abs_rel=float(np.mean(np.abs(depth - true_depth) / true_depth)),
        delta1=float(np.mean(np.maximum(depth / true_depth, true_depth / depth) < 1.25)),
    )


def align(found: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scale and shift [H, W] so that its squared error is least (Ranftl et al. 2020, eq. 4)."""
    columns = np.stack([found.ravel(), np.ones(found.size)], axis=1).astype(np.float64)
    weights = np.linalg.lstsq(columns, true.ravel().astype(np.float64), rcond=None)[0]
    return np.asarray((columns @ weights).reshape(found.shape))


def judge_segmentation(found: NDArray[np.uint8], true: NDArray[np.uint8]) -> SegmentationAccuracy:
    """Class indices [N, H, W] against the true ones."""
    count = len(CLASSES)
    table = np.bincount(true.ravel().astype(np.int64) * count + found.ravel(), minlength=count**2)
    table = table.reshape(count, count)
    right = np.diag(table)
    iou = right / np.maximum(table.sum(axis=0) + table.sum(axis=1) - right, 1)
    by_class = {name: float(value) for name, value in zip(CLASSES, iou, strict=True)}
    return SegmentationAccuracy(float(iou.mean()), by_class, float(right.sum() / table.sum()))
