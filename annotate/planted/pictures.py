"""A picture as a planted fault leaves it: grey, or saved as JPEG at a quality that shows."""

import io

import cv2
import numpy as np
from PIL import Image

from annotate.draws import generator
from annotate.image import RGB

COPIED = (85, 95)  # lowest and highest JPEG quality of copies that nothing but their bytes tells apart
DAMAGED = (8, 12)  # of pictures in which the blocks show


def greyed(image: RGB) -> RGB:
    """Luma in three equal channels: [H, W, 3] uint8, of an RGB picture of that shape."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def drawn_quality(seed: int, row: int, between: tuple[int, int]) -> int:
    """The JPEG quality of a harmed row: the same whatever else is planted."""
    return int(generator(seed, f"quality:{row}").integers(between[0], between[1], endpoint=True))


def saved(image: RGB, *, quality: int, comment: str) -> bytes:
    """A JPEG of [H, W, 3] uint8 RGB, as ingest keeps it.

    Args:
        comment: stands in the file: with another one the same pixels are other bytes.
    """
    target = io.BytesIO()
    Image.fromarray(image).save(target, "JPEG", quality=quality, comment=comment.encode())
    return target.getvalue()
