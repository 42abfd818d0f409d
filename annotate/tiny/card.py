"""The tiny detectors' card, written from what is measured on held-out pictures."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from annotate.registry import build
from annotate.tiny import depth, pose_network, segmentation
from annotate.tiny.augment import degrade
from annotate.tiny.data import Pictures
from annotate.tiny.judge import (
    DepthAccuracy,
    SegmentationAccuracy,
    judge_depth,
    judge_segmentation,
)
from annotate.tiny.judge_pose import PoseAccuracy, judge_people, true_people
from manifests.condition import Condition

HERE = Path(__file__).parent
FOLDERS = {"depth": depth.FOLDER, "segmentation": segmentation.FOLDER, "openpose": pose_network.FOLDER}
MODELS = {"depth": "tiny/depth", "segmentation": "tiny/segmentation", "openpose": "tiny"}  # settings of the annotators
TOGETHER = 50  # pictures


@dataclass(frozen=True)
class Accuracy:
    """What was measured, on each kind of pictures."""

    depth: DepthAccuracy
    segmentation: SegmentationAccuracy
    openpose: PoseAccuracy


def measure(pictures: Pictures) -> Accuracy:
    """Every detector on the pictures."""
    depths, classes, poses = (find(name, pictures.images) for name in ("depth", "segmentation", "openpose"))
    return Accuracy(
        depth=judge_depth(np.stack(depths), pictures.depth),
        segmentation=judge_segmentation(np.stack(classes), pictures.classes),
        openpose=judge_people([list(found.people) for found in poses], true_people(pictures.people)),
    )


def find(name: str, images: NDArray[np.uint8]) -> list[Condition]:
    """What a job's annotator finds with its tiny detector in pictures [N, H, W, 3] uint8 RGB."""
    annotate = build(name, {"model": MODELS[name]}, name).load(torch.device("cpu"))
    parts = (images[start : start + TOGETHER] for start in range(0, len(images), TOGETHER))
    return [condition for some in parts for condition in annotate(some, [{}] * len(some))]


def unrelated(pictures: Pictures) -> Accuracy:
    """What one would score who gave every picture the truth of the one before it."""
    people = true_people(pictures.people)
    return Accuracy(
        depth=judge_depth(np.roll(pictures.depth, 1, axis=0), pictures.depth),
        segmentation=judge_segmentation(np.roll(pictures.classes, 1, axis=0), pictures.classes),
        openpose=judge_people([*people[-1:], *people[:-1]], people),
    )


def write_card(pictures: Pictures, *, seed: int) -> str:
    """Measure the detectors that lie here, write README.md, and return it."""
    rng = np.random.default_rng(seed)
    degraded = replace(pictures, images=np.stack([degrade(image, rng) for image in pictures.images]))
    template = jinja2.Template((HERE / "card.md.j2").read_text(), keep_trailing_newline=True, trim_blocks=True)
    card = template.render(
        exact=measure(pictures),
        degraded=measure(degraded),
        unrelated=unrelated(pictures),
        constant=judge_depth(np.full_like(pictures.depth, pictures.depth.mean()), pictures.depth),
        count=len(pictures),
        training={name: read_training(folder) for name, folder in FOLDERS.items()},
        millions={name: weights(folder) for name, folder in FOLDERS.items()},
        megabytes={name: megabytes(folder) for name, folder in FOLDERS.items()},
    )
    (HERE / "README.md").write_text(card)
    return card


def read_training(folder: Path) -> list[dict[str, Any]]:
    """How the detector in `folder` was trained, as make.py noted it: stretches, one after another."""
    training: list[dict[str, Any]] = json.loads((folder / "training.json").read_text())
    return training


def weights(folder: Path) -> float:
    """Millions of numbers in its safetensors."""
    return sum(tensor.numel() for tensor in load_file(folder / "model.safetensors").values()) / 1e6


def megabytes(folder: Path) -> float:
    """Size of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
