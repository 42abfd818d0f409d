"""Classes are scored as by mmseg's IoUMetric, whose number grows with the set, and v1's does not."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional

from annotate.pretrained import load_model, load_part
from annotate.weights import VARIABLE
from evaluate.cnpp.segmentation import MODEL, SEGMENTATION, SHARED, class_areas, read_classes
from evaluate.measured import measure_all
from evaluate.measures.classes import score_classes
from evaluate.scores import SCHEMA, score_rows
from manifests.condition import NO_CLASS
from tests.annotate import random_models
from train.hints import as_picture, draw_classes

Pair = tuple[np.ndarray, np.ndarray]
CLASSES = 150
DRAWS = 4


def set_of(pictures: int) -> list[Pair]:
    """Maps of few classes, some of them rare, a fifth of the pixels drawn as any other class; no shared colour."""
    generator = np.random.default_rng(pictures)
    known = np.setdiff1d(np.arange(CLASSES), SHARED)
    often = 1 / np.arange(1, len(known) + 1)
    pairs = []
    for _ in range(pictures):
        blocks = generator.choice(known, (3, 3), p=often / often.sum())
        asked = np.kron(blocks, np.ones((8, 8), int)).astype(np.uint8)
        wrong = generator.random(asked.shape) < 0.2
        pairs.append((asked, np.where(wrong, generator.choice(known, asked.shape), asked).astype(np.uint8)))
    return pairs


def mean(pairs: list[Pair]) -> float:
    rows = [
        row
        for place, pair in enumerate(pairs)
        for row in score_rows(
            {SEGMENTATION.measure.name: class_areas(*pair)},
            key=f"{place // DRAWS:03d}",
            draw=place % DRAWS,
            seed=0,
            arm="controlled",
        )
    ]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    return float(measure_all(table, SEGMENTATION.measure, ["controlled"]).value[0])


def iou_metric(pairs: list[Pair]) -> float:
    """mmseg/evaluation/metrics/iou_metric.py: `intersect_and_union` of every picture, then the sums' ratios."""
    both, union = torch.zeros(CLASSES), torch.zeros(CLASSES)
    for asked, drawn in pairs:
        label, found = (torch.from_numpy(each[asked != NO_CLASS]).float() for each in (asked, drawn))
        areas = [torch.histc(each, CLASSES, 0, CLASSES - 1) for each in (found[found == label], found, label)]
        both, union = both + areas[0], union + areas[1] + areas[2] - areas[0]
    return float(np.nanmean((both / union).numpy()))


def test_draws_and_pictures_are_added_up_as_by_mmseg() -> None:
    pairs = set_of(24)
    pairs[0][0][:4] = NO_CLASS
    assert mean(pairs) == pytest.approx(iou_metric(pairs), abs=1e-6)


def test_a_larger_set_of_the_same_quality_scores_more_and_in_v1_it_does_not() -> None:
    sets = [set_of(pictures) for pictures in (10, 40, 160)]
    theirs = [mean(pairs) for pairs in sets]
    ours = [np.mean([score_classes(*pair)["miou"].value for pair in pairs]) for pairs in sets]
    assert theirs[0] + 0.1 < theirs[1] < theirs[2] - 0.05
    assert np.ptp(ours) < 0.02


def test_classes_are_read_from_their_colours_but_for_two_that_share_one() -> None:
    classes = np.array([[*range(CLASSES), NO_CLASS]], np.uint8)
    found = read_classes(as_picture(draw_classes(classes)))
    assert SHARED == (6, 48)
    assert np.array_equal(found, np.where(np.isin(classes, SHARED), NO_CLASS, classes))


def test_classes_that_share_a_colour_do_not_count() -> None:
    asked, drawn = np.array([[0, 0, 1, NO_CLASS]], np.uint8), np.array([[0, 6, 1, 48]], np.uint8)
    assert class_areas(asked, drawn).value == pytest.approx((1 / 2 + 1) / 2)


@pytest.mark.parametrize("colour", [(1, 2, 3), (16, 16, 80)])
def test_a_colour_that_is_no_class_of_ade20k_is_refused(colour: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=f"colour #{bytes(colour).hex()} of a hint is no class of ADE20K's"):
        read_classes(np.array([[colour]], np.uint8))


def test_classes_are_found_as_by_mmseg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, playrooms: np.ndarray) -> None:
    torch.manual_seed(0)
    folder = tmp_path / MODEL
    folder.parent.mkdir()
    random_models.mask2former(folder)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (ours,) = SEGMENTATION.load(torch.device("cpu")).find(playrooms[:1])
    assert len(np.unique(ours)) > 5
    assert (ours != by_mmseg(playrooms[0])).mean() < 1e-3  # where two classes are as likely


def by_mmseg(picture: np.ndarray) -> np.ndarray:
    """`MaskFormerHead.predict` on the picture as it is: masks enlarged, then the sum over them, then the best class."""
    from transformers import AutoImageProcessor, Mask2FormerForUniversalSegmentation

    network = load_model(Mask2FormerForUniversalSegmentation, MODEL, torch.device("cpu"))
    processor = load_part(AutoImageProcessor, MODEL)
    mean, std = (torch.tensor(each)[:, None, None] for each in (processor.image_mean, processor.image_std))
    pixels = (torch.from_numpy(picture).permute(2, 0, 1) / 255 - mean) / std
    with torch.no_grad():
        outputs = network(pixels[None])
    masks = functional.interpolate(outputs.masks_queries_logits, picture.shape[:2], mode="bilinear")
    classes = outputs.class_queries_logits.softmax(-1)[..., :-1]
    return torch.einsum("bqc,bqhw->bchw", classes, masks.sigmoid())[0].argmax(0).numpy()


def test_another_model_of_that_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / MODEL
    folder.parent.mkdir()
    random_models.segformer(folder, classes=6)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(ValueError, match="'segformer' of 6 classes, and seg_miou@cnpp-ade is of ADE20K's 150"):
        SEGMENTATION.load(torch.device("cpu"))
