"""How bright a picture is and how far its tones reach, from its histogram."""

import cv2
import numpy as np
from numpy.typing import NDArray

BLACK, WHITE = 2, 253  # grey levels up to and from which a pixel is cut off


def tones(grey: NDArray[np.uint8]) -> dict[str, float]:
    """Tones of a picture [H, W] uint8, all as shares of the whole range.

    `brightness`: mean, 0 black to 1 white. `contrast`: RMS contrast (Peli 1990), 0 to 0.5. `span`: from the 1st to the
    99th percentile, 0 to 1. `clipped`: share of the pixels within 2 levels of black or of white, 0 to 1.
    """
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    shares, levels = counts / counts.sum(), np.arange(256)
    mean = float(shares @ levels)
    low, high = np.searchsorted(np.cumsum(shares), (0.01, 0.99))
    return {
        "brightness": mean / 255,
        "contrast": float(shares @ (levels - mean) ** 2) ** 0.5 / 255,
        "span": float(min(high, 255) - low) / 255,
        "clipped": float(shares[: BLACK + 1].sum() + shares[WHITE:].sum()),
    }
