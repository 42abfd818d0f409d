"""Classes as ControlNet++ scores them: Mask2Former's, areas added up over all pictures, as mmseg's IoUMetric does."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.pretrained import load_model, load_part, read_config
from annotate.segmentation import Way, annotate, of_masks
from evaluate.cnpp.judge import Judge, Map, Pictures, Rules
from evaluate.measures.classes import pool_overlap, score_classes
from evaluate.measures.measure import SHARE, Evidence, Measure, Score
from manifests.condition import NO_CLASS
from train.palette import ADE20K, COLOURS

Raster = NDArray[np.uint8]

MODEL = "facebook/mask2former-swin-large-ade-semantic"  # its authors' weights; OpenMMLab's own, published there, differ
_CODES = (COLOURS.astype(np.int64) << np.array([16, 8, 0])).sum(axis=1)
SHARED = tuple(int(each) for each in np.flatnonzero((_CODES[:, None] == _CODES).sum(axis=1) > 1))  # road, skyscraper
_CLASSES = {int(code): NO_CLASS if index in SHARED else index for index, code in enumerate(_CODES)}


def load(device: torch.device) -> Judge:
    """Put Mask2Former on `device`.

    Raises:
        ValueError: It can't be had, or does not tell ADE20K's 150 classes apart.
    """
    from transformers import AutoImageProcessor, AutoModelForUniversalSegmentation  # they take seconds

    said = read_config(MODEL)
    if said.get("model_type") != "mask2former" or len(said.get("id2label", {})) != len(ADE20K):
        raise ValueError(
            f"{MODEL}: what lies there is a {said.get('model_type')!r} of {len(said.get('id2label', {}))} classes, and "
            f"seg_miou@cnpp-ade is of ADE20K's {len(ADE20K)}. Put the published model there"
        )
    network = load_model(AutoModelForUniversalSegmentation, MODEL, device)
    # mmlab/mmseg/mask2former_swin-l….py:579-582 brings the short side to 512: pictures of 512 stay as they are.
    prepare = load_part(AutoImageProcessor, MODEL, do_resize=False)

    def find(pictures: Pictures) -> list[Raster]:
        """B maps [H, W] uint8 in 0..149, of square pictures; masks are enlarged to their size first, as mmseg does."""
        way = Way(partial(of_masks, side=pictures.shape[1]))
        return annotate(pictures, [{}] * len(pictures), network=network, prepare=prepare, way=way, task={})

    return Judge(find=find, ask=ask, score=class_areas)


def ask(hints: Pictures, real: Sequence[Map]) -> list[Raster]:
    """The classes that hints show: B maps [H, W] uint8."""
    return [read_classes(hint) for hint in hints]


def read_classes(hint: NDArray[np.uint8]) -> Raster:
    """Classes by the colours of a hint.

    They count from 0, `NO_CLASS` being none: what `reduce_zero_label` makes of ADE20K's labels (…:583). Road and
    skyscraper have one colour, so where it is nothing is asked for. A hint does not say what its classes are called:
    those of the playroom have the first colours of ADE20K's, and nothing here can tell.

    Args:
        hint: [H, W, 3] uint8 RGB, as `train.hints.draw_classes` draws it.

    Returns:
        [H, W] uint8, indices from 0.

    Raises:
        ValueError: A colour is no class's, or the class is none of ADE20K's.
    """
    codes = (hint.astype(np.int64) << np.array([16, 8, 0])).sum(axis=2)
    found, places = np.unique(codes, return_inverse=True)
    strange = [code for code in found.tolist() if len(ADE20K) <= _CLASSES.get(code, len(ADE20K)) < NO_CLASS]
    if strange:
        raise ValueError(
            f"cnpp: colour #{strange[0]:06x} of a hint is no class of ADE20K's, and seg_miou@cnpp-ade is of no other. "
            "Take this measure of conditions of ADE20K's classes alone"
        )
    return np.asarray([_CLASSES[code] for code in found.tolist()], np.uint8)[places].reshape(codes.shape)


def class_areas(asked: Raster, drawn: Raster) -> Score:
    """Areas of the classes of one picture, and their mean IoU in it, but for road and skyscraper.

    Args:
        asked: [H, W] uint8, indices from 0, `NO_CLASS` where nothing is asked for.
        drawn: [H, W] uint8.
    """
    areas = score_classes(asked, drawn)["miou_all"].evidence
    kept = ~np.isin(areas["class"], SHARED)
    evidence = {name: values[kept] for name, values in areas.items()}
    return Score(_overlap(evidence), evidence=evidence)


def _overlap(areas: Evidence) -> float:
    """Mean of intersection by union over the classes that are there; 0 if none is."""
    union = areas["asked"] + areas["drawn"] - areas["both"]
    return float((areas["both"] / union).mean()) if len(union) else 0.0


SEGMENTATION = Rules(
    measure=Measure(
        name="seg_miou@cnpp-ade",
        title="mean IoU of ADE20K's classes as ControlNet++ has it",
        unit=SHARE,
        higher_is_better=True,
        primary=True,
        meaning="Areas added up over all draws of all pictures: it grows with their number.",
        pool=pool_overlap,
    ),
    factor=100,
    weights=(MODEL,),
    packages=("transformers",),
    load=load,
)
