"""Views: the square of a picture that a sample shows, cut alike out of the picture and its conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manifests.condition import Condition, Kind
from manifests.figures import Moments, Size, View
from manifests.geometry import corner, crop, flip, resize, resize_picture
from train.draws import Choices

CENTRE = (0.5, 0.5)  # where a square lies between the two ends of a picture: down, right


@dataclass(frozen=True)
class Square:
    """A square of a picture.

    Attributes:
        size: height and width that picture and conditions are brought to first, pixels.
        view: the square's corner in a picture of that size, and whether it is mirrored.
        side: pixels.
    """

    size: Size
    view: View
    side: int

    def of_picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut it out of a picture [H, W, 3] uint8 RGB: [side, side, 3]."""
        top, left = self.view.top, self.view.left
        square = resize_picture(image, self.size)[top : top + self.side, left : left + self.side]
        return np.ascontiguousarray(square[:, ::-1] if self.view.flip else square)

    def of_condition(self, kind: Kind, condition: Condition) -> Condition:
        """Cut it out of a condition, as `manifests.condition.decode` gives it, of any size."""
        square = crop(resize(kind, condition, self.size), (self.view.top, self.view.left), (self.side, self.side))
        return flip(kind, square) if self.view.flip else square

    def of_conditions(self, kinds: Sequence[Kind], conditions: Sequence[Condition | None]) -> list[Condition | None]:
        """Cut it out of the conditions of one picture; what is missing stays missing."""
        return [
            None if each is None else self.of_condition(kind, each)
            for kind, each in zip(kinds, conditions, strict=True)
        ]


def whole_square(side: int) -> Square:
    """All of a picture, squashed into a square of `side` pixels."""
    return Square((side, side), View(0, 0), side)


def centre_square(size: Size, side: int) -> Square:
    """The square in the middle of a picture whose condition is of `size`, enlarged where it does not fit."""
    size = at_least(size, side)
    return Square(size, View(*corner(CENTRE, size, side)), side)


def drawn_square(size: Size, drawn: Choices, *, side: int, flip: float) -> Square:
    """Draw a square freely.

    Args:
        size: height and width of the condition; enlarged where the square does not fit.
        side: pixels.
        flip: share of the samples that are mirrored, in [0, 1].
    """
    size = at_least(size, side)
    return Square(size, View(*corner((drawn.top, drawn.left), size, side), drawn.flip < flip), side)


def chosen_view(views: Sequence[View], drawn: Choices, *, flip: float) -> int:
    """Choose one of the views that were encoded beforehand, mirrored or not, and give its number.

    Args:
        flip: share of the samples that are mirrored, in [0, 1].

    Raises:
        ValueError: a mirrored one is asked for, and none was encoded.
    """
    alike = [number for number, view in enumerate(views) if view.flip == (drawn.flip < flip)]
    if not alike:
        raise ValueError(
            f"train.flip: {flip}, but no mirrored views were encoded. Make the latents again with flips: true, or set "
            "train.flip to 0"
        )
    return alike[int(drawn.view * len(alike))]


def at_least(size: Size, side: int) -> Size:
    """Height and width, enlarged where the shorter one is less than `side` pixels."""
    scale = max(1.0, side / min(size))
    return round(size[0] * scale), round(size[1] * scale)


def moments_of(encoded: Moments, number: int, *, shape: tuple[int, int, int]) -> NDArray[np.float16]:
    """The posterior of one view: [2, C, h, w] float16, mean and standard deviation.

    Args:
        shape: [C, h, w] that the base's latents have.

    Raises:
        ValueError: they have another.
    """
    if encoded.values.shape[2:] != shape:
        raise ValueError(
            f"latents: of the shape {encoded.values.shape[2:]}, but the base's at this resolution are of {shape}. "
            "Name the family that was made with this base and resolution"
        )
    return encoded.values[number].copy()  # its own memory, which torch may write to
