"""fill50k: the ControlNet authors' sanity task, a filled circle of a named colour on a named background.

After fill50k of lllyasviel/ControlNet (docs/train.md), made again at 128 pixels from two dozen CSS colours that can be
told apart, so that a picture's colours can be read back. Row `n` of seed `s` is the same on every machine.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.corpora.generated import SIDE, Generated, Truth

COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "red": (255, 0, 0),
    "maroon": (128, 0, 0),
    "orange": (255, 165, 0),
    "gold": (255, 215, 0),
    "yellow": (255, 255, 0),
    "olive": (128, 128, 0),
    "lime": (0, 255, 0),
    "green": (0, 128, 0),
    "aquamarine": (127, 255, 212),
    "teal": (0, 128, 128),
    "cyan": (0, 255, 255),
    "deep sky blue": (0, 191, 255),
    "blue": (0, 0, 255),
    "navy": (0, 0, 128),
    "slate blue": (106, 90, 205),
    "purple": (128, 0, 128),
    "magenta": (255, 0, 255),
    "pink": (255, 192, 203),
    "salmon": (250, 128, 114),
    "burly wood": (222, 184, 135),
    "saddle brown": (139, 69, 19),
}
MARGIN = 4  # pixels between circle and border, as in the original
LEAST_CONTRAST = 60.0  # Euclidean distance in 8-bit RGB between circle and background


def record(seed: int, row: int) -> Generated:
    """Draw row `row`: any circle that lies inside the picture, in two colours that differ."""
    rng = np.random.default_rng((seed, row, 50_000))
    names = list(COLOURS)
    circle = names[rng.integers(len(names))]
    apart = [name for name in names if _distance(name, circle) >= LEAST_CONTRAST]
    background = apart[rng.integers(len(apart))]
    radius = rng.uniform(SIDE * 0.08, SIDE * 0.4)
    x, y = rng.uniform(radius + MARGIN, SIDE - radius - MARGIN, size=2)
    coverage = _disc(x, y, radius)[..., None]
    image = coverage * np.array(COLOURS[circle]) + (1 - coverage) * np.array(COLOURS[background])
    return Generated(
        image=np.rint(image).astype(np.uint8),
        caption=f"{circle} circle with {background} background",
        truth={"truth_edges": Truth("binary", _outline(x, y, radius))},
    )


def _distance(a: str, b: str) -> float:
    return float(np.linalg.norm(np.subtract(COLOURS[a], COLOURS[b])))


def _disc(x: float, y: float, radius: float) -> NDArray[np.float64]:
    """Coverage of each pixel by the disc: [128, 128] float64 in [0, 1], anti-aliased over one pixel."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0.0, 1.0)


def _outline(x: float, y: float, radius: float) -> NDArray[np.uint8]:
    """One-pixel outline of the disc: [128, 128] uint8 in {0, 1}."""
    inside = (_disc(x, y, radius) >= 0.5).astype(np.uint8)
    eroded = cv2.erode(inside, np.ones((3, 3), np.uint8))
    return np.asarray(inside - eroded, dtype=np.uint8)
