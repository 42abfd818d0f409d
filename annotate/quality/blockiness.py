"""How visible the 8 x 8 blocks of JPEG are, also after the picture was cropped, shrunk or saved again.

A block's border is a step larger than its neighbours at the same place in many lines. The mean of such steps is taken
for every place along an axis, and its spectrum searched for a comb: strong at one frequency and at its multiples. Where
the comb begins does not matter, so a crop does not hide it; its period is 8 pixels where the picture has its size still
and less where it was shrunk, down to half.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST, LEAST = 8.1, 3.9  # period of the comb, pixels
HARMONICS = 4
STEP = 32  # grey levels that one step counts for at most: what is larger is an edge of the scene
FLOOR = 1.0  # grey levels: steps are compared with their mean, and this is added lest a flat picture magnify rounding
SHORTEST = 32  # pixels along an axis; in less no period can be told
BINS = 8192  # of the spectrum, for pictures up to as many pixels; steps of 0.008 pixels in the period


def blockiness(grey: NDArray[np.uint8]) -> float | None:
    """Height of the comb that block borders make, beside the mean step, both axes together.

    Args:
        grey: [H, W] uint8.

    Returns:
        From 0 (none) to about 2; JPEG of quality 10 has about 1, of quality 50 about 0.3. None: both sides are under
        32 pixels.
    """
    profiles = [profile for axis in (grey, cv2.transpose(grey)) if (profile := _steps(np.asarray(axis))) is not None]
    if not profiles:
        return None
    comb = np.mean([_comb(profile) for profile in profiles], axis=0)  # both axes were shrunk alike
    return max(0.0, float(comb.max() - np.median(comb)))  # the median: what a search finds in any picture


def _steps(grey: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """By how much the steps from column to column exceed those beside them: [W - 3] float32, grey levels."""
    if grey.shape[1] < SHORTEST:
        return None
    steps = cv2.absdiff(grey[:, 1:], grey[:, :-1])
    beside = cv2.max(steps[:, :-2], steps[:, 2:])
    excess = np.minimum(cv2.subtract(steps[:, 1:-1], beside), np.uint8(STEP))
    return np.asarray(cv2.reduce(excess, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel(), np.float32)


def _comb(profile: NDArray[np.float32]) -> NDArray[np.float32]:
    """Summed amplitude of a period's harmonics, for every period searched, beside the profile's mean."""
    bins = max(BINS, 1 << (len(profile) - 1).bit_length())
    level = cv2.blur(profile[None], (9, 1), borderType=cv2.BORDER_REFLECT).ravel()
    window = np.hanning(len(profile))
    amplitude = np.abs(np.fft.rfft((profile - level) * window, bins)) / (len(profile) / 2)
    base = np.arange(round(BINS / LARGEST), round(BINS / LEAST)) * bins // BINS
    places = base * np.arange(1, HARMONICS + 1)[:, None]
    found = np.where(places <= bins // 2, amplitude[np.minimum(places, bins // 2)], 0).sum(0)
    return np.asarray(found / (profile.mean() + FLOOR), np.float32)
