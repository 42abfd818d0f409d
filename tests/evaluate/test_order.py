"""Whether measures rank what is done to real renders as anybody would: left alone, compressed, shifted, exchanged."""

import io
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from annotate.chain import assemble, bind_links, follow, path_to
from annotate.corpora import playroom
from evaluate.adherence import ADHERENCE

Picture = NDArray[np.uint8]
SETTINGS = {  # annotators that need no weights but those of this repository
    "canny": [],
    "lineart": ["lineart.model=standard"],
    "depth": ["depth.model=tiny/depth"],
    "normal": ["depth.model=tiny/depth"],
    "segmentation": ["segmentation.model=tiny/segmentation"],
    "openpose": ["openpose.model=tiny"],
}
# A tolerance of a pixel or more forgives a shift by one, as it should; the likeness by scales of thin lines, too.
FORGIVING = {"f1_1px", "f1_2px", "precision_1px", "recall_1px", "lineart ms_ssim", "count_error"}
FLAT = {"within_11_25", "within_22_5", "within_30"}  # the playroom's normals are nowhere so far apart
MEASURES = [
    (annotator, measure.name)
    for annotator in SETTINGS
    for measure in ADHERENCE[annotator].measures
    if measure.name not in FLAT
]


def jpeg(picture: Picture) -> Picture:
    """Compressed at quality 95."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95)
    return np.asarray(Image.open(buffer).convert("RGB"))


@cache
def scored(annotator: str) -> dict[str, dict[str, float]]:
    """What was done to the pictures → measure → mean over them."""
    annotators = assemble([annotator], SETTINGS[annotator])
    links = bind_links(annotators, path_to(annotators, annotator), torch.device("cpu"))

    def found(pictures: list[Picture]) -> list[Any]:
        return follow(links, np.stack(pictures), [str(number) for number in range(len(pictures))])

    pictures = [playroom.record(3, row).image for row in range(24)]
    asked = found(pictures)
    done = {
        "nothing": found(pictures),
        "jpeg": found([jpeg(picture) for picture in pictures]),
        "shift": found([np.roll(picture, 1, axis=1) for picture in pictures]),
        "swap": found(pictures[1:] + pictures[:1]),
    }
    kept = [place for place, one in enumerate(asked) if not annotators[annotator].empty(one)]
    return {name: _means(annotator, [(asked[at], other[at]) for at in kept]) for name, other in done.items()}


def _means(annotator: str, pairs: list[tuple[Any, Any]]) -> dict[str, float]:
    each = [ADHERENCE[annotator].score(*pair) for pair in pairs]
    return {name: float(np.mean([scores[name].value for scores in each])) for name in each[0]}


@pytest.mark.parametrize(("annotator", "measure"), MEASURES, ids=[f"{one}-{other}" for one, other in MEASURES])
def test_identity_is_above_compression_above_a_shift_above_another_picture(annotator: str, measure: str) -> None:
    higher = next(each.higher_is_better for each in ADHERENCE[annotator].measures if each.name == measure)
    same, compressed, shifted, swapped = (
        (1 if higher else -1) * scored(annotator)[name][measure] for name in ("nothing", "jpeg", "shift", "swap")
    )
    if measure in FORGIVING or f"{annotator} {measure}" in FORGIVING:
        assert same >= max(compressed, shifted)
        assert min(compressed, shifted) > swapped
    else:
        assert same > compressed > shifted > swapped


@pytest.mark.parametrize("annotator", list(SETTINGS))
def test_a_picture_annotated_again_is_perfect_by_every_measure(annotator: str) -> None:
    for measure in ADHERENCE[annotator].measures:
        assert scored(annotator)["nothing"][measure.name] == pytest.approx(1.0 if measure.higher_is_better else 0.0)
