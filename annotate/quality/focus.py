"""Sharpness, at one size for all pictures; and noise, at the size stored."""

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.quality.plane import moments, shrink

SIDE, LONGEST = 512, 2048  # pixels of the short side at which sharpness is measured, and of the long side at most
TILE = 16  # pixels: noise is that of the quietest tiles
QUIET = 10  # percent of them
DARK, BRIGHT = 8, 247  # grey levels: beyond, noise is cut off
MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)  # Immerkaer 1996: blind to edges and slopes


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) of a picture [H, W] uint8 brought to a short side of 512.

    Returns:
        Grey levels squared; under about 50 a photograph is soft at the size that networks are trained at. A small one,
        which has to be enlarged, counts as the soft one that it becomes.
    """
    small = shrink(grey, max(1, min(grey.shape) // SIDE))  # to under twice that, so that the rest skips no pixel
    height, width = small.shape
    scale = min(SIDE / min(height, width), LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    sized = small if size == (width, height) else cv2.resize(small, size, interpolation=way)
    return moments(cv2.Laplacian(sized, cv2.CV_16S))[1] ** 2


def noise(grey: NDArray[np.uint8]) -> float | None:
    """Standard deviation of the noise (Immerkaer 1996), in the quietest tenth of a picture's [H, W] uint8 tiles.

    Returns:
        Grey levels, 0 to about 30; None where all is black or white, or smaller than a tile.
    """
    height, width = (side // TILE for side in grey.shape)
    if not height or not width:
        return None
    cut = grey[: height * TILE, : width * TILE]
    response = cv2.convertScaleAbs(cv2.filter2D(cut, cv2.CV_16S, MASK))  # above 255 is an edge's, and no noise
    tiles = cv2.resize(response, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    levels = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    found = tiles[(levels > DARK) & (levels < BRIGHT)]
    return float(np.percentile(found, QUIET) * np.sqrt(np.pi / 2) / 6) if len(found) else None
