"""Colour, and the lack of it: greyscale pictures, and those in the tones of one ink."""

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.quality.plane import moments, shrink

SIDE = 128  # pixels: the short side at which chroma is looked at is at least that, and under twice as much
NEUTRAL = 8  # levels between the largest and the smallest of R, G and B, up to which a pixel is grey
MIDDLE = 128  # of Cb and Cr


def colourfulness(image: NDArray[np.uint8]) -> float:
    """Colourfulness M3 of Hasler & Suesstrunk 2003, of a picture [H, W, 3] uint8 RGB.

    Returns:
        0: grey; 15 slightly, 33 moderately, 59 quite, 82 highly colourful in their observers' words.
    """
    red, green, blue = cv2.split(image)
    between = cv2.subtract(red, green, dtype=cv2.CV_16S)  # rg
    against = cv2.subtract(cv2.add(red, green, dtype=cv2.CV_16S), cv2.add(blue, blue, dtype=cv2.CV_16S))  # twice yb
    (rg, rg_spread), (yb, yb_spread) = moments(between), moments(against)
    return float(np.hypot(rg_spread, yb_spread / 2) + 0.3 * np.hypot(rg, yb / 2))


def chroma(image: NDArray[np.uint8]) -> dict[str, float]:
    """What a picture [H, W, 3] uint8 RGB has of colour.

    `grey`: share of the pixels that are neutral, R, G and B within 8 levels, once JPEG's noise in them is
    averaged out by shrinking; 1: greyscale.
    `chroma_spread`: RMS distance of (Cb, Cr) from the mean of the pixels that are as bright, in levels; under 3 in a
    picture of one ink, grey, sepia or toned otherwise, which `grey` alone would miss.
    """
    small = shrink(image, max(1, min(image.shape[:2]) // SIDE))
    red, green, blue = cv2.split(small)
    width = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    brightness, *chromas = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))
    levels = np.asarray(brightness, np.uint8).ravel() >> 2  # 64: enough pixels in each
    counts = np.maximum(np.bincount(levels, minlength=64), 1)
    variance = 0.0
    for part in chromas:
        values = part.ravel().astype(np.float64) - MIDDLE
        means = np.bincount(levels, values, minlength=64) / counts
        variance += float(np.mean((values - means[levels]) ** 2))
    return {"grey": float(np.mean(width <= NEUTRAL)), "chroma_spread": variance**0.5}
