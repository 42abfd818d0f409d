"""Provided conditions that are pictures or arrays: read without loss, checked value by value."""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotate.image import Picture
from annotate.opening import MAX_PIXELS, MIN_SIDE, Unusable, opened
from annotate.provided.placing import lies_turned, upright
from annotate.provided.reading import Cell, Reading
from manifests.condition import NO_CLASS

NPY = b"\x93NUMPY"
MAX_HOLES = 0.5  # of a depth or normal map
AWAY, MAX_AWAY = -0.1, 0.1  # z of a normal that points away from the viewer; the share of them that noise explains
GREY_STEPS = {2: 85, 4: 17}  # bits of a grey PNG → what Pillow multiplies its values by

Map = NDArray[np.uint8]


def read_binary(cell: Cell, picture: Picture) -> Reading:
    """Edges or a mask: a PNG of one bit, or of 0 and 255 (or 0 and 1) alone."""
    grey = _grey(_png(cell, picture))
    top = int(grey.max())
    if top not in (0, 1, 255) or not np.isin(grey, (0, top)).all():
        raise Unusable("values", "other values than 0 and 255")
    return Reading(upright((grey > 0).astype(np.uint8), picture))


def read_soft(cell: Cell, picture: Picture) -> Reading:
    """Soft edges: a picture of 8 bits, which may have been lossy."""
    return Reading(upright(_grey(_opened(cell, picture)), picture))


def read_classes(cell: Cell, picture: Picture, *, first: int) -> Reading:
    """Class indices: a PNG, grey or of a palette, of at most 8 bits.

    Args:
        first: index of the first class; those below it, and 255, are no class.
    """
    image = _png(cell, picture)
    if image.mode not in ("1", "L", "P"):
        raise Unusable("mode", f"PNG of mode {image.mode}; class indices are grey or of a palette, at most 8 bits")
    indices = np.array(image, np.uint8)
    bits = cell[24]  # PNG, 11.2.2
    if image.mode == "L" and bits in GREY_STEPS:
        indices //= np.uint8(GREY_STEPS[bits])
    none = (indices < first) | (indices == NO_CLASS)
    return Reading(upright(np.where(none, np.uint8(NO_CLASS), indices - np.uint8(first)), picture))


def read_depth(cell: Cell, picture: Picture, *, farther: bool) -> Reading:
    """Depth: a PNG of 16 bits, an .npy, or rows of numbers; stored as its inverse where larger is `farther`.

    Not finite is a hole, and so is 0, but in an array of inverse depth, where it is infinitely far.
    """
    depth = _array(cell, picture)
    known = (depth > 0) if farther or _is_png(cell) else (depth >= 0)
    with np.errstate(all="ignore"):
        inverse = 1 / depth if farther else depth
    filled, holes = _fill(inverse, known & np.isfinite(depth) & np.isfinite(inverse))
    return Reading(upright(filled, picture), holes)


def read_normal(cell: Cell, picture: Picture, *, up: bool) -> Reading:
    """Normals in the camera's frame: RGB of 8 bits, red to the right, blue to the viewer; green `up`, or down.

    They are stored as those made of depth are (`manifests.condition.encode`): x to the left, y up.
    What has no length near 1 (black, grey, white) is a hole.
    """
    image = _opened(cell, picture)
    if image.mode != "RGB":
        raise Unusable("mode", f"{image.format} of mode {image.mode}; normals are RGB of 8 bits")
    normal = np.array(image)
    vector = normal.astype(np.float32) / 127.5 - 1
    known = np.abs(np.linalg.norm(vector, axis=2) - 1) < 0.5
    if known.any() and float((vector[known][:, 2] < AWAY).mean()) > MAX_AWAY:
        raise Unusable("away", "normals that point away from the viewer: of another frame than the camera's")
    turned = [0] if up else [0, 1]
    normal[..., turned] = 255 - normal[..., turned]
    filled, holes = _fill(normal, known)
    if picture.is_turned:
        raise Unusable("exif", "normals of a picture that EXIF turns")
    return Reading(upright(filled, picture), holes)


def _fill(values: NDArray[Any], known: NDArray[np.bool_]) -> tuple[NDArray[Any], float]:
    """Values [H, W, …] whose holes have that of the nearest known pixel, and the share of holes."""
    holes = 1 - float(known.mean())
    if holes > MAX_HOLES:
        raise Unusable("holes", f"{holes:.0%} of the pixels have no value; the most is {MAX_HOLES:.0%}")
    if not holes:
        return values, 0.0
    unknown = (~known).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(int(labels.max()) + 1, np.int64)
    source[labels[known]] = np.flatnonzero(known)
    return values.reshape(-1, *values.shape[2:])[source[labels]], holes


def _opened(cell: Cell, picture: Picture) -> Image.Image:
    if not isinstance(cell, bytes):
        raise Unusable("not_an_image", f"{type(cell).__name__} instead of an encoded picture")
    image = opened(cell)
    lies_turned((image.height, image.width), picture)  # before its pixels take more room
    return image


def _png(cell: Cell, picture: Picture) -> Image.Image:
    image = _opened(cell, picture)
    if image.format != "PNG":
        raise Unusable("lossy", f"{image.format}; conditions whose values are categories are kept as PNG")
    return image


def _is_png(cell: Cell) -> bool:
    return isinstance(cell, bytes) and not cell.startswith(NPY)


def _grey(image: Image.Image) -> Map:
    """One channel of 8 bits; RGB counts as grey when its channels are equal, as controlnet_aux writes them."""
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))
    pixels = np.array(image)
    if image.mode != "RGB" or (pixels != pixels[..., :1]).any():
        raise Unusable("mode", f"{image.format} of mode {image.mode}; it takes grey of 8 bits")
    return np.ascontiguousarray(pixels[..., 0])


def _array(cell: Cell, picture: Picture) -> NDArray[np.float32]:
    """Depth as numbers: [H, W] float32, whatever does not fit infinite."""
    if _is_png(cell):
        image = _png(cell, picture)
        if image.mode != "I;16":
            raise Unusable("mode", f"PNG of mode {image.mode}; depth is grey of 16 bits")
        return np.asarray(image).astype(np.float32)
    array = _read_npy(cell) if isinstance(cell, bytes) else _listed(cell)
    if array.ndim != 2 or array.dtype.kind not in "fui":
        raise Unusable("shape", f"{array.shape} of {array.dtype}; depth is rows of numbers")
    if min(array.shape) < MIN_SIDE:
        raise Unusable("size", f"{array.shape[1]} x {array.shape[0]} values; a side under {MIN_SIDE}")
    lies_turned(array.shape, picture)
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _listed(cell: Cell) -> NDArray[Any]:
    try:
        return np.array(cell)
    except (ValueError, TypeError, OverflowError) as error:  # rows of unlike lengths, or other things than numbers
        raise Unusable("shape", f"{type(error).__name__}: {error}") from error


def _read_npy(data: bytes) -> NDArray[Any]:
    """An array of numbers that claims no more than it has."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, columns_first, dtype = header(file)
    except Exception as error:  # its parser raises whatever a hostile header makes it stumble over
        raise Unusable("npy", f"{type(error).__name__}: {error}") from error
    count = int(np.prod([int(side) for side in shape], dtype=object))
    if dtype.hasobject or count > MAX_PIXELS or count * dtype.itemsize != len(data) - file.tell():
        raise Unusable("npy", f"{shape} of {dtype} in {len(data)} bytes")
    return np.frombuffer(data, dtype, offset=file.tell()).reshape(shape, order="F" if columns_first else "C")
