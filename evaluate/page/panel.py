"""One condition on a page, as a hint, or as words where it is words or numbers, under what is said of it."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluate.page.thumbnail import SIDE, thumbnail
from manifests.condition import Condition
from manifests.figures import Moments, Scores, Text
from train.hints import HINTS, as_picture, hint

KINDS = (*HINTS, "text")  # that a page can show


@dataclass(frozen=True)
class Panel:
    """One condition of one picture.

    Attributes:
        family: that it is of.
        status: ok, empty or failed.
        said: parameters and stats, or why there is none.
        picture: data URI of its hint; "" where it has none.
        words: of a caption: from a model or a corpus, untrusted, escaped by the template; or numbers, one a line.
    """

    family: str
    status: str
    said: str
    picture: str = ""
    words: str = ""


def show(family: str, kind: str, condition: Condition, *, status: str, said: str, side: int = SIDE) -> Panel:
    """The panel of a condition as `manifests.condition.decode` gives it."""
    if isinstance(condition, Text):
        return Panel(family, status, said, words=condition.text)
    if isinstance(condition, Scores):
        there = {name: value for name, value in condition.values.items() if value is not None}
        return Panel(family, status, "", words="\n".join(in_words({name: value}) for name, value in there.items()))
    picture = coloured(condition) if isinstance(condition, Moments) else drawn(kind, condition)
    return Panel(family, status, said, picture=as_thumbnail(picture, side=side))


def drawn(kind: str, condition: Condition) -> NDArray[np.uint8]:
    """A condition as its hint: [H, W, 3] uint8 RGB."""
    return as_picture(hint(kind, condition))


def coloured(moments: Moments) -> NDArray[np.uint8]:
    """The first view of latents as a picture: [h, w, 3] uint8, three channels of the mean from their lows to highs."""
    mean = moments.values[0, 0].astype(np.float32)[[0, 1, -1]].transpose(1, 2, 0)
    low, high = mean.min(axis=(0, 1)), mean.max(axis=(0, 1))
    return np.asarray((mean - low) / np.maximum(high - low, 1e-6) * 255, dtype=np.uint8)


def as_thumbnail(picture: NDArray[np.uint8], *, side: int = SIDE) -> str:
    """[H, W, 3] uint8 RGB as a data URI, its longer side shrunk to `side` pixels."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return thumbnail(buffer.getvalue(), side=side)


def in_words(values: Mapping[str, Any]) -> str:
    """Parameters and stats, those that are there."""
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
        if value is not None
    )
