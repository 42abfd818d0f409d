"""Each measure once more, by a library or written out by its definition: what the measures are checked against."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.ndimage import distance_transform_cdt
from scipy.spatial import cKDTree
from scipy.spatial.distance import braycurtis
from scipy.stats import spearmanr
from torchmetrics.functional import (
    jaccard_index,
    mean_absolute_percentage_error,
    mean_squared_error,
    structural_similarity_index_measure,
)
from torchmetrics.functional.classification import binary_f1_score, multiclass_accuracy

from evaluate.adherence import ADHERENCE
from evaluate.measures.edges import EDGES, STROKES
from evaluate.measures.measure import Adherence
from evaluate.measures.people import FILLED
from manifests.body import SIGMAS
from manifests.figures import Poses, Segments
from tests.evaluate.pooled import coco_ap, crowds, maps, mmseg_miou

Pair = tuple[Any, Any]  # what was asked for, and what was drawn


@dataclass(frozen=True)
class Reference:
    """Where a measure's value comes from a second time.

    Attributes:
        by: the library and function, or where the definition is.
        value: of one pair; of a measure of a whole set, of many.
    """

    by: str
    value: Callable[..., float]


def near(one: np.ndarray, other: np.ndarray, radius: int) -> float:
    """The share of the pixels of `one` that have one of `other` within a square."""
    if not other.any():
        return 0.0
    return float((distance_transform_cdt(1 - other, metric="chessboard") <= radius)[one > 0].mean())


def f1_within(radius: int) -> Reference:
    def value(asked: np.ndarray, drawn: np.ndarray) -> float:
        precision, recall = near(drawn, asked, radius), near(asked, drawn, radius)
        return 2 * precision * recall / (precision + recall)

    return Reference("scipy.ndimage.distance_transform_cdt", value)


def chamfer(asked: np.ndarray, drawn: np.ndarray) -> float:
    one, other = np.argwhere(asked), np.argwhere(drawn)
    apart = cKDTree(one).query(other)[0].mean() + cKDTree(other).query(one)[0].mean()
    return float(apart / 2 / np.hypot(*asked.shape))


def ms_ssim(asked: np.ndarray, drawn: np.ndarray) -> float:
    """Wang et al. 2003, Eq. 7: contrast and structure at five scales, luminance at the last, each to its power."""
    one, other = (torch.from_numpy(one).float()[None, None] / 255 for one in (asked, drawn))
    value = 1.0
    for scale, power in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        if scale:
            one, other = (torch.nn.functional.avg_pool2d(one, 2) for one in (one, other))
        whole, contrast = structural_similarity_index_measure(
            one, other, data_range=1.0, return_contrast_sensitivity=True
        )
        value *= max(float(whole if scale == 4 else contrast), 0.0) ** power
    return value


def fitted(asked: np.ndarray, drawn: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Drawn inverse depth on the line that `numpy.polyfit` lays through it, and what was asked for from 0 to 1."""
    wanted = (asked.astype(float) - asked.min()) / np.ptp(asked.astype(float))
    found = np.polyval(np.polyfit(drawn.ravel().astype(float), wanted.ravel(), 1), drawn.astype(float))
    return torch.from_numpy(found), torch.from_numpy(wanted)


def farther_left_out(asked: np.ndarray, drawn: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    found, wanted = fitted(asked, drawn)
    return found[wanted >= 0.1], wanted[wanted >= 0.1]


def delta1(asked: np.ndarray, drawn: np.ndarray) -> float:
    found, wanted = farther_left_out(asked, drawn)
    ratio = torch.maximum(found / wanted, wanted / found)
    return float(((ratio < 1.25) & (found > 0)).double().mean())


def angle(asked: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    one, other = (torch.from_numpy(normals).double() / 127.5 - 1 for normals in (asked, drawn))
    return torch.rad2deg(torch.arccos(torch.cosine_similarity(one, other, dim=2).clamp(-1, 1))).numpy()


def likeness(asked: Poses, drawn: Poses) -> np.ndarray:
    """OKS of each pair, one at a time, as COCO's page on keypoints writes it."""
    table = np.zeros((len(asked.people), len(drawn.people)))
    for place, other in np.ndindex(table.shape):
        one, two = (poses.people[number].astype(float) for poses, number in ((asked, place), (drawn, other)))
        there = one[:, 2] > 0
        area = max(FILLED * np.prod(np.ptp(one[there, :2], axis=0)), 1.0)
        off = ((one - two)[:, :2] ** 2).sum(1)
        table[place, other] = np.mean((np.exp(-off / (2 * area * (2 * SIGMAS) ** 2)) * (two[:, 2] > 0))[there])
    return table


def best_sum(table: np.ndarray) -> tuple[float, list[tuple[int, int]]]:
    """The greatest sum of one-to-one pairs, by trying all."""
    few = min(table.shape)
    tries = [
        list(zip(rows, columns, strict=True))
        for rows in itertools.combinations(range(table.shape[0]), few)
        for columns in itertools.permutations(range(table.shape[1]), few)
    ]
    return max(((sum(table[pair] for pair in pairs), pairs) for pairs in tries), key=lambda one: one[0])


def oks_f1(asked: Poses, drawn: Poses) -> float:
    people = len(asked.people) + len(drawn.people)
    return 2 * best_sum(likeness(asked, drawn))[0] / people if drawn.people else 0.0


def pck(asked: Poses, drawn: Poses) -> float:
    right = 0
    for place, other in best_sum(likeness(asked, drawn))[1]:
        one, two = asked.people[place].astype(float), drawn.people[other].astype(float)
        both = (one[:, 2] > 0) & (two[:, 2] > 0)
        size = np.ptp(one[one[:, 2] > 0, :2], axis=0).max()
        right += int((np.linalg.norm((one - two)[both, :2], axis=1) <= size / 10).sum())
    return right / sum(int((one[:, 2] > 0).sum()) for one in asked.people)


def miou(asked: np.ndarray, drawn: np.ndarray) -> float:
    each = jaccard_index(
        torch.from_numpy(drawn)[asked != 255].long(),
        torch.from_numpy(asked)[asked != 255].long(),
        "multiclass",
        num_classes=150,
        average="none",
    )
    return float(each[np.unique(asked[asked != 255]).tolist()].double().mean())


def accuracy(asked: np.ndarray, drawn: np.ndarray) -> float:
    return float(
        multiclass_accuracy(
            torch.from_numpy(drawn).long(), torch.from_numpy(asked).long(), 256, average="micro", ignore_index=255
        )
    )


def near_lines(asked: Segments, drawn: Segments) -> float:
    """The largest one-to-one matching, by trying all; ends in a frame of 128 by 128, in either order."""
    height, width = asked.shape
    frame = np.array([128 / width, 128 / height] * 2)

    def apart(one: np.ndarray, other: np.ndarray) -> float:
        one, other = one[:4] * frame, other[:4] * frame
        return min(((one - other) ** 2).sum(), ((one - np.roll(other, 2)) ** 2).sum())

    table = np.array([[float(apart(one, other) <= 10) for other in drawn.lines] for one in asked.lines])
    return best_sum(table)[0]


def recall_of_lines(asked: Segments, drawn: Segments) -> float:
    return near_lines(asked, drawn) / len(asked.lines)


def precision_of_lines(asked: Segments, drawn: Segments) -> float:
    return near_lines(asked, drawn) / len(drawn.lines)


def f1_of_lines(asked: Segments, drawn: Segments) -> float:
    return 2 * near_lines(asked, drawn) / (len(asked.lines) + len(drawn.lines))


CDT = "scipy.ndimage.distance_transform_cdt"
OKS = "COCO's definition written out, all matchings tried"
LINES = "Zhou et al. 2019, section 4.2, all matchings tried"
REFERENCES: dict[str, Reference] = {
    "f1": Reference(
        "torchmetrics BinaryF1Score",
        lambda asked, drawn: float(binary_f1_score(torch.from_numpy(drawn), torch.from_numpy(asked))),
    ),
    "f1_1px": f1_within(1),
    "f1_2px": f1_within(2),
    "precision_1px": Reference(CDT, lambda asked, drawn: near(drawn, asked, 1)),
    "recall_1px": Reference(CDT, lambda asked, drawn: near(asked, drawn, 1)),
    "recall_3px": Reference(CDT, lambda asked, drawn: near(asked, drawn, 3)),
    "precision_3px": Reference(CDT, lambda asked, drawn: near(drawn, asked, 3)),
    "chamfer": Reference("scipy.spatial.cKDTree", chamfer),
    "soft_f1": Reference(
        "scipy.spatial.distance.braycurtis",
        lambda asked, drawn: 1 - braycurtis(asked.ravel() / 255, drawn.ravel() / 255),
    ),
    "ms_ssim": Reference("Wang et al. 2003, Eq. 7, over torchmetrics' SSIM of one scale", ms_ssim),
    "rmse": Reference(
        "numpy.polyfit, torchmetrics MeanSquaredError",
        lambda asked, drawn: float(mean_squared_error(*fitted(asked, drawn)) ** 0.5),
    ),
    "abs_rel": Reference(
        "numpy.polyfit, torchmetrics MeanAbsolutePercentageError",
        lambda asked, drawn: float(mean_absolute_percentage_error(*farther_left_out(asked, drawn))),
    ),
    "delta1": Reference("numpy.polyfit, Eigen et al. 2014 written out", delta1),
    "spearman": Reference(
        "scipy.stats.spearmanr", lambda asked, drawn: float(spearmanr(asked.ravel(), drawn.ravel()).statistic)
    ),
    "angle": Reference("torch.cosine_similarity", lambda asked, drawn: float(angle(asked, drawn).mean())),
    **{
        f"within_{name}": Reference(
            "torch.cosine_similarity", lambda asked, drawn, bound=bound: float((angle(asked, drawn) < bound).mean())
        )
        for name, bound in (("11_25", 11.25), ("22_5", 22.5), ("30", 30))
    },
    "oks_f1": Reference(OKS, oks_f1),
    "oks_ap": Reference("pycocotools COCOeval, over all pictures at once", coco_ap),
    "pck": Reference("its definition written out, all matchings tried", pck),
    "count_error": Reference("its definition", lambda asked, drawn: float(abs(len(drawn.people) - len(asked.people)))),
    "miou": Reference("torchmetrics JaccardIndex, over the classes asked for", miou),
    "miou_all": Reference("mmseg IoUMetric written out, over all pictures at once", mmseg_miou),
    "pixel_accuracy": Reference("torchmetrics MulticlassAccuracy, micro, ignore_index=255", accuracy),
    "line_f1": Reference(LINES, f1_of_lines),
    "line_precision": Reference(LINES, precision_of_lines),
    "line_recall": Reference(LINES, recall_of_lines),
}


def pairs_of(annotator: str) -> list[Pair]:
    """Conditions of an annotator's kind, asked for and drawn, drawn at random but always the same."""
    generator = np.random.default_rng(12)
    adherence: Adherence = ADHERENCE[annotator]
    if annotator == "openpose":
        return [(asked, drawn) for asked, drawn in crowds(generator) if asked.people]
    if annotator == "segmentation":
        return list(maps(generator))
    if annotator == "mlsd":
        return [_lines(generator) for _ in range(8)]
    if adherence in (EDGES, STROKES):
        return [_edges(generator) for _ in range(8)]
    if annotator == "normal":
        return [tuple(_smooth(generator, (2, 48, 64, 3), 0.2)) for _ in range(8)]
    if annotator == "depth":
        return [tuple(_smooth(generator, (2, 48, 64), 0.5).astype(np.float32)) for _ in range(8)]
    return [tuple(_smooth(generator, (2, 192, 200), 0.3)) for _ in range(8)]


def _edges(generator: np.random.Generator) -> Pair:
    asked = (generator.random((48, 64)) < 0.05).astype(np.uint8)
    drawn = np.roll(asked, generator.integers(-2, 3, 2), (0, 1)) | (generator.random(asked.shape) < 0.01)
    return asked, drawn.astype(np.uint8)


def _smooth(generator: np.random.Generator, shape: tuple[int, ...], apart: float) -> np.ndarray:
    """Two maps, the second like the first but for a part: uint8."""
    whole = generator.random(shape)
    whole[1] = (1 - apart) * whole[0] + apart * whole[1]
    return (40 + 200 * whole).astype(np.uint8)


def _lines(generator: np.random.Generator) -> Pair:
    asked = np.column_stack([generator.uniform(0, 200, (5, 4)), np.ones(5)])
    drawn = asked[:4] + np.column_stack([generator.normal(0, 2, (4, 4)), np.zeros(4)])
    drawn[::2, :4] = np.roll(drawn[::2, :4], 2, axis=1)  # the ends the other way round
    return tuple(Segments((200, 300), lines.astype(np.float32)) for lines in (asked, drawn))
