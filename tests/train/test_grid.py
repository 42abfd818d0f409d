from pathlib import Path

import numpy as np
from PIL import Image

from train.grid import GAP, LINE, Strip, grid, save_grid


def tile(level: int) -> np.ndarray:
    return np.full((32, 32, 3), level, np.uint8)


def test_tiles_stand_in_rows_below_their_captions_under_their_titles(tmp_path: Path) -> None:
    strips = [Strip("a red ball", [tile(10), tile(20), tile(30)]), Strip("", [tile(40), tile(50), tile(60)])]
    picture = grid(["hint", "real", "drawn"], strips)
    assert picture.shape == (LINE + 2 * (LINE + 32 + GAP), 3 * (32 + GAP), 3)
    for row, strip in enumerate(strips):
        top = 2 * LINE + row * (LINE + 32 + GAP)
        for column, wanted in enumerate(strip.tiles):
            left = column * (32 + GAP)
            assert np.array_equal(picture[top : top + 32, left : left + 32], wanted)
    assert picture[LINE : 2 * LINE].min() < 128  # black letters
    assert picture[2 * LINE + 32 + GAP :][:LINE].min() == 255  # no caption
    save_grid(picture, tmp_path / "samples" / "grid.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "samples" / "grid.png")), picture)


def test_captions_of_any_length_and_script_leave_the_grid_its_size() -> None:
    plain = grid(["real"], [Strip("", [tile(0)])])
    for caption in ("word " * 1_000, "赤い球\n\t🙂", "\u202eabc\x00"):
        assert grid(["real"], [Strip(caption, [tile(0)])]).shape == plain.shape
