"""A grid of pictures: one row of tiles for each sample under its caption."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from manifests.storage import replace

GAP = 4  # pixels between two tiles
LINE = 16  # pixels, the height of a line of text
LETTERS = 11  # pixels, the height of its letters
MARGIN = 2  # pixels left of a text

Picture = NDArray[np.uint8]  # [H, W, 3] RGB


@dataclass(frozen=True)
class Strip:
    """One row of a grid."""

    caption: str
    tiles: Sequence[Picture]  # of one height


def grid(titles: Sequence[str], strips: Sequence[Strip]) -> Picture:
    """Lay out strips below one another.

    Args:
        titles: of the columns, as many as each strip has tiles.
        strips: at least one; all tiles of one size.

    Returns:
        [H, W, 3] uint8 RGB.
    """
    width = strips[0].tiles[0].shape[1]
    rows = [np.concatenate([_line(title, width + GAP) for title in titles], axis=1)]
    for strip in strips:
        tiles = [np.pad(tile, ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for tile in strip.tiles]
        rows += [_line(strip.caption, len(titles) * (width + GAP)), np.concatenate(tiles, axis=1)]
    return np.concatenate(rows)


def save_grid(picture: Picture, path: Path) -> None:
    """Write [H, W, 3] uint8 RGB as a PNG, aside first."""
    replace(lambda partial: Image.fromarray(picture).save(partial, format="PNG"), path)


def _line(text: str, width: int) -> Picture:
    """One line of text, black on white, cut where it is too long: [LINE, width, 3] uint8."""
    canvas = Image.new("RGB", (width, LINE), "white")
    flat = " ".join(text.split())[:width]  # a letter takes more than a pixel
    ImageDraw.Draw(canvas).text((MARGIN, 1), flat, fill="black", font=ImageFont.load_default(LETTERS))
    return np.asarray(canvas)
