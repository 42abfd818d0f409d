"""A row of images/ as it lies there, for annotators that ask for more than its resized picture."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotate.image import decode


@dataclass(frozen=True)
class Stored:
    """The encoded picture and its words.

    Attributes:
        data: the bytes stored, as JPEG or PNG.
        captions: of the corpus, the first one first; none where it had none.
    """

    data: bytes
    captions: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Stored":
        """Of a row of images/, as `to_pylist` gives it."""
        return cls(row["image"]["bytes"], tuple(row["captions"]))

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows of any size may share a batch: whoever reads them resizes them itself."""
        return ()

    @property
    def nbytes(self) -> int:
        """Memory that it takes: more once its picture is decoded."""
        picture = self.__dict__.get("image")
        return len(self.data) + (0 if picture is None else int(picture.nbytes))

    @cached_property
    def image(self) -> NDArray[np.uint8]:
        """[H, W, 3] uint8 RGB at its full size, decoded once.

        Raises:
            ValueError: it does not decode.
        """
        return decode(self.data)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels, as the header says, for whoever reads nothing but the words.

        Raises:
            ValueError: it is no picture.
        """
        try:
            with Image.open(io.BytesIO(self.data)) as header:
                return header.height, header.width
        except (OSError, SyntaxError) as error:
            raise ValueError(f"not a picture that Pillow reads ({len(self.data)} bytes)") from error
