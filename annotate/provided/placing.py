"""Whether a provided condition lies on its picture: of its shape, and turned as EXIF turns it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.image import Picture
from annotate.opening import Unusable
from manifests.condition import Kind
from manifests.figures import Poses, Segments, Size
from manifests.geometry import crop, resize

UNLIKE = 4  # times: how much larger or smaller than its picture a condition may be
MOST_OUTSIDE = 0.5  # of the points
QUARTER_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {  # EXIF orientation; as annotate.image's TURNS
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, 3),
    7: lambda array: np.rot90(array, 2).swapaxes(0, 1),
    8: lambda array: np.rot90(array, 1),
}


def upright(raster: NDArray[Any], picture: Picture) -> NDArray[Any]:
    """A raster [H, W, …] as it lies on its upright picture, at its own size; raises as `lies_turned` does."""
    turned = lies_turned((raster.shape[0], raster.shape[1]), picture)
    return np.ascontiguousarray(QUARTER_TURNS[picture.orientation](raster) if turned else raster)


def lies_turned(size: Size, picture: Picture) -> bool:
    """Whether a raster of `size` must be turned as its picture was.

    Of a picture that EXIF turns by a quarter the raster's sides say whether it has been turned already; else nobody
    knows.

    Raises:
        Unusable: aspect (more than a pixel off), size, exif.
    """
    fits = _alike(size, picture.full)
    lies = picture.orientation in QUARTER_TURNS and _alike(size, picture.full[::-1])
    if picture.is_turned and fits and (lies or picture.orientation not in QUARTER_TURNS):
        raise Unusable("exif", "EXIF turns the picture, and nothing tells whether the condition is turned")
    if not (fits or lies):
        raise Unusable("aspect", f"{_named(size)} pixels beside a picture of {_named(picture.full)}")
    if not 1 / UNLIKE <= max(size) / max(picture.full) <= UNLIKE:
        raise Unusable("size", f"{_named(size)} pixels beside a picture of {_named(picture.full)}")
    return lies and not fits


def placed(figure: Poses | Segments, picture: Picture, *, outside: float) -> Poses | Segments:
    """People or lines in pixels of the upright source, in those of the picture as it is stored; cut at its borders.

    Args:
        outside: share of the points that lie outside.

    Raises:
        Unusable: outside (most of them), exif.
    """
    if picture.is_turned:
        raise Unusable("exif", "EXIF turns the picture, and nothing tells whether the points are turned")
    if outside > MOST_OUTSIDE:
        raise Unusable("outside", f"{outside:.0%} of the points lie outside of {_named(picture.full)} pixels")
    kind: Kind = "keypoints" if isinstance(figure, Poses) else "lines"
    cut = crop(figure, (0, 0), figure.shape)
    found = resize(kind, cut, (picture.height, picture.width))
    assert isinstance(found, Poses | Segments)
    return found


def _alike(one: Size, other: Size) -> bool:
    """Whether two heights and widths are the same rectangle, within a pixel of the first."""
    return abs(one[0] * other[1] - one[1] * other[0]) <= max(other)


def _named(size: Size) -> str:
    return f"{size[1]} x {size[0]}"
