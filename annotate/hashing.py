"""Perceptual hashes of a picture: 64 bits that resizing and recompressing hardly change, also of its inner parts.

Cropping changes them soon: of copies cut by 4 % at a random place one hash finds a third, any of four against any of
four 97 % (docs/data-quality.md). The parts were chosen by that measurement.
"""

from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from annotate.image import decode
from manifests.splits.hashes import COLOUR, HASHES, STORED_BYTES

SIDE, KEPT = 32, 8  # of the shrunk picture, and of its lowest frequencies
# Cut off at the top, at the bottom, on the left and on the right, as shares of height and width.
PARTS: dict[str, tuple[float, float, float, float]] = {
    HASHES: (0, 0, 0, 0),
    f"{HASHES}_inner": (0.04, 0.04, 0.04, 0.04),
    f"{HASHES}_upper": (0, 0.03, 0, 0.03),
    f"{HASHES}_lower": (0.03, 0, 0, 0.03),
}
STATS: dict[str, pa.DataType] = {
    **dict.fromkeys(PARTS, pa.int64()),
    COLOUR: pa.float32(),  # mean distance of the channels, from 0 (grey) to 1
    STORED_BYTES: pa.int32(),
}
# Below this the bits are noise: median distance of the coefficients from their median, in levels of 256. White paper
# and plain gradients have 0, sensor noise 0.5, a line of text on paper 5, 686 photographs 13.8 and more.
FLAT = 2.0


def describe(data: bytes, image: NDArray[np.uint8]) -> dict[str, Any]:
    """`STATS` of a stored picture: its bytes, and [H, W, 3] uint8 RGB."""
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    hashes = {name: perceptual_hash(_cut(grey, *shares)) for name, shares in PARTS.items()}
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return {**hashes, COLOUR: float(np.ptp(small, axis=2).mean() / 255), STORED_BYTES: len(data)}


def perceptual_hash(grey: NDArray[np.uint8]) -> int | None:
    """pHash of a picture [H, W] uint8 (Zauner 2010): which of the lowest 8 x 8 frequencies exceed their median.

    Returns:
        64 bits as a signed integer, row by row, the first the highest; None of a picture too flat to be told by it.
    """
    shrunk = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(shrunk.astype(np.float32))[:KEPT, :KEPT]
    from_median = low - np.median(low)
    if np.median(np.abs(from_median)) < FLAT:
        return None
    return int(np.packbits(from_median > 0).view(">i8")[0])


def hash_row(key: str, data: bytes) -> dict[str, Any]:
    """The row that the annotator `phash` would make of a stored picture, for ingest, where it has just been read."""
    row: dict[str, Any] = {"key": key, "status": "ok", "code": "", "error": ""}
    try:
        image = decode(data)
    except ValueError as error:
        return row | {"status": "failed", "code": "decode", "error": type(error).__name__}
    stats = describe(data, image)
    height, width = image.shape[:2]
    return row | {"status": status(stats), "width": width, "height": height, "stats": stats}


def status(stats: dict[str, Any]) -> str:
    """Of a row: ok, or empty where the whole picture is too flat for a hash."""
    return "empty" if stats[HASHES] is None else "ok"


def _cut(grey: NDArray[np.uint8], top: float, bottom: float, left: float, right: float) -> NDArray[np.uint8]:
    height, width = grey.shape
    return grey[
        round(height * top) : height - round(height * bottom), round(width * left) : width - round(width * right)
    ]
