"""Strokes of soft edges, one map after the other with OpenCV: grow, smooth, thin, leave out, draw."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.annotator import Parameters

LINES = (  # through a pixel and two of its neighbours: along a row, a column, and both diagonals
    np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], np.uint8),
    np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]], np.uint8),
    np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.uint8),
    np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], np.uint8),
)
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # the same as rows and columns from a pixel to one of the neighbours
FAINTEST = 4  # of 255: how much of the blurred line still counts as pen
UNIT = 512  # pixels: the short side of the picture in which lengths are given
PATCH = 32  # of them: how far apart what is left out and what is not may be

Raster = NDArray[np.uint8]
Smooth = NDArray[np.float32]
Mask = NDArray[np.bool_]


def draw_strokes(soft: Raster, parameters: Sequence[Parameters], *, sigma: float) -> list[Raster]:
    """Scribbles of soft edges [B, H, W] uint8: B maps [H, W] uint8 in {0, 1}.

    With `line_width` 0 equal, bit for bit, to what controlnet_aux 0.0.10 makes of the same soft edges.
    """
    return [_draw(edges, row, sigma) for edges, row in zip(soft, parameters, strict=True)]


def _draw(edges: Raster, row: Parameters, sigma: float) -> Raster:
    scale = min(edges.shape) / UNIT
    smooth = smoothed(grown(edges, round(row["growth"] * scale)), sigma)
    lines = smooth > row["threshold"]
    if row["thinned"]:
        lines &= crests(smooth) if row["line_width"] else ridges(smooth)
    lines &= ~left_out(edges.shape, row["mask_share"], row["mask_seed"])
    if not row["thinned"]:
        return lines.astype(np.uint8)
    return penned(lines, diameter(row["line_width"], scale)) if row["line_width"] else blurred(lines, sigma)


def grown(edges: Raster, radius: int) -> Raster:
    """Soft edges [H, W] uint8, each broader by a disc of that radius on either side; narrower if it is negative."""
    if not radius:
        return edges
    spread = cv2.dilate if radius > 0 else cv2.erode
    return np.asarray(spread(edges, disc(2 * abs(radius) + 1).astype(np.uint8)), np.uint8)


def smoothed(edges: Raster, sigma: float) -> Smooth:
    """[H, W] float32 in [0, 255]."""
    return np.asarray(cv2.GaussianBlur(edges.astype(np.float32), (0, 0), sigma), np.float32)


def ridges(smooth: Smooth) -> Mask:
    """Pixels of a map [H, W] that are the greatest along any of four directions: controlnet_aux's nms.

    Where an edge runs straight, many pixels of its slopes are so too, along the edge; the blurred pen covers them.
    """
    ridge = np.zeros(smooth.shape, bool)
    for line in LINES:
        ridge |= cv2.dilate(smooth, line) == smooth
    return ridge


def crests(smooth: Smooth) -> Mask:
    """Pixels of a map [H, W] that are the greatest across the edge: along the direction in which it bends most."""
    around = np.pad(smooth, 1, mode="edge")
    height, width = smooth.shape
    sharpest, crest = np.zeros_like(smooth), np.zeros(smooth.shape, bool)
    for down, across in STEPS:
        one, other = (
            around[1 + sign * down : 1 + sign * down + height, 1 + sign * across : 1 + sign * across + width]
            for sign in (1, -1)
        )
        bend = (2 * smooth - one - other) / (down * down + across * across)
        sharper = bend > sharpest
        # Of two equal neighbours one is taken, or the line would be two pixels wide.
        crest = np.where(sharper, (smooth >= one) & (smooth > other), crest)
        sharpest = np.maximum(sharpest, bend)
    return crest


def left_out(shape: tuple[int, ...], share: float, seed: int) -> Mask:
    """Patches that cover a share of a picture [H, W]: True where nothing is drawn."""
    if not share:
        return np.zeros(shape, bool)
    cells = [max(2, round(side / min(shape) * UNIT / PATCH)) for side in shape]
    grid = np.random.default_rng(seed).random(cells, np.float32)
    field = cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(field <= np.quantile(field, share), bool)


def penned(lines: Mask, across: int) -> Raster:
    """Lines [H, W] drawn with a round pen of that diameter in pixels: [H, W] uint8 in {0, 1}."""
    return np.asarray(cv2.dilate(lines.astype(np.uint8), disc(across).astype(np.uint8)), np.uint8)


def blurred(lines: Mask, sigma: float) -> Raster:
    """Lines [H, W] drawn with controlnet_aux's pen, about four sigma wide: [H, W] uint8 in {0, 1}."""
    ink = lines.astype(np.uint8) * np.uint8(255)
    return (cv2.GaussianBlur(ink, (0, 0), sigma) > FAINTEST).astype(np.uint8)


def diameter(width: int, scale: float) -> int:
    """Of the pen, in pixels of this picture; no line vanishes."""
    return max(1, round(width * scale))


def disc(across: int) -> Mask:
    """A round spot [across, across]."""
    place = np.arange(across) - (across - 1) / 2
    return np.asarray(place[:, None] ** 2 + place**2 <= (across / 2) ** 2, bool)
