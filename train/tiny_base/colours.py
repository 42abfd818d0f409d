"""Do drawn pictures have the colours that their captions name? The tiny base's own yardstick.

A picture's colours are read where its caption puts them: playroom wall along the top, floor along the bottom; fill50k
background in the corners, circle where the picture differs most from it. The nearest of a set of reference colours,
learned from real pictures, is taken; chance is one over the number of names.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # [128, 128, 3] RGB
PARTS = ("wall", "floor", "circle", "background")


def named(caption: str) -> dict[str, str]:
    """The colour that a caption gives to each of `PARTS` it mentions."""
    if " circle with " in caption:
        circle, background = caption.split(" circle with ")
        return {"circle": circle, "background": background.removesuffix(" background")}
    wall, floor = caption.split(", ")[-2:]
    return {"wall": wall.removesuffix(" wall"), "floor": floor.removesuffix(" floor")}


def seen(picture: Picture, part: str) -> NDArray[np.float64]:
    """The colour of one part: [3] float64 in 0..255."""
    pixels = picture.astype(np.float64)
    if part == "wall":
        return np.median(pixels[:16].reshape(-1, 3), axis=0)
    if part == "floor":
        return np.median(pixels[-16:].reshape(-1, 3), axis=0)
    corners = np.concatenate([pixels[rows, columns].reshape(-1, 3) for rows in _ENDS for columns in _ENDS])
    background = np.median(corners, axis=0)
    if part == "background":
        return background
    distance = np.linalg.norm(pixels - background, axis=-1)
    inside = distance > max(0.6 * np.quantile(distance, 0.999), 20.0)
    return np.median(pixels[inside], axis=0) if inside.any() else background


_ENDS = (slice(0, 4), slice(-4, None))


def references(pictures: Sequence[Picture], captions: Sequence[str]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Mean colour of every name of every part, from real pictures: part → name → [3]."""
    found: dict[str, dict[str, list[NDArray[np.float64]]]] = defaultdict(lambda: defaultdict(list))
    for picture, caption in zip(pictures, captions, strict=True):
        for part, name in named(caption).items():
            found[part][name].append(seen(picture, part))
    return {part: {name: np.mean(many, axis=0) for name, many in names.items()} for part, names in found.items()}


def agreement(
    pictures: Sequence[Picture], captions: Sequence[str], known: dict[str, dict[str, NDArray[np.float64]]]
) -> dict[str, float]:
    """Share of pictures, in [0, 1], in which the nearest known colour of each part is the one named."""
    right: dict[str, list[bool]] = defaultdict(list)
    for picture, caption in zip(pictures, captions, strict=True):
        for part, name in named(caption).items():
            colour = seen(picture, part)
            nearest = min(known[part], key=lambda other: float(np.linalg.norm(known[part][other] - colour)))
            right[part].append(nearest == name)
    return {part: float(np.mean(right[part])) for part in PARTS if part in right}


def chance(known: dict[str, dict[str, NDArray[np.float64]]]) -> dict[str, float]:
    """What guessing a name would score, by part."""
    return {part: 1 / len(known[part]) for part in PARTS if part in known}
