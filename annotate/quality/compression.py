"""At which quality a JPEG was saved, as its quantisation tables tell."""

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

START = b"\xff\xd8\xff"  # of every JPEG
# Luminance steps at quality 50, by row: table K.1 of ITU-T T.81, which the library of the IJG scales.
LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)


def jpeg_quality(data: bytes) -> int | None:
    """Quality, 1 to 100, whose table in the IJG's library comes nearest to that of the brightness.

    Of the stored bytes: a picture that was saved again has the quality of its last saving, and the damage of the first
    (see `blockiness`). Tables of other programs get the number of the IJG's nearest.

    Returns:
        None: no JPEG, so `where` says `(jpeg_quality >= 50 OR jpeg_quality IS NULL)`.
    """
    if not data.startswith(START):
        return None
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            tables: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]
    except (OSError, SyntaxError):  # pixels that OpenCV reads, with a header that Pillow does not
        return None
    if len(tables.get(0, ())) != len(LUMINANCE):
        return None
    return 1 + int(np.abs(_tables() - np.asarray(tables[0])).sum(1).argmin())


@cache
def _tables() -> NDArray[np.int64]:
    """Luminance steps of qualities 1 to 100: [100, 64]."""
    quality = np.arange(1, 101)
    percent = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((np.asarray(LUMINANCE) * percent[:, None] + 50) // 100, 1, 255)
