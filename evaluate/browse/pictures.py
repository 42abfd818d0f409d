"""Pictures and conditions of rows as a browser shows them: small ones made when asked for, and kept for a while."""

import io
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluate.browse.cache import Cache
from evaluate.browse.held import Held
from evaluate.browse.shards import Shards
from evaluate.page.panel import drawn
from manifests.condition import decode
from manifests.index import ROWS
from manifests.layout import IMAGES

Size = Literal["small", "full"]
SIDE = 320  # pixels: small ones are no larger
ROOM = 96 << 20  # bytes of pictures that are kept
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}  # that are sent as they are stored


@dataclass(frozen=True)
class Picture:
    """Encoded bytes and what they are, as `image/webp`."""

    data: bytes
    media: str


class Pictures:
    """Draws pictures of what is held."""

    def __init__(self, held: Held, shards: Shards) -> None:
        self._held = held
        self._shards = shards
        self._made: Cache[Picture] = Cache(ROOM, lambda picture: len(picture.data))

    def tag(self, family: str, place: int, size: Size) -> str:
        """What tells this picture from every other: 16 hex digits of what it is made from."""
        card = self._held.cards.get(family)
        made = card.fingerprint if card else self._held.dataset.settings.id
        key = self._held.tables[ROWS]["key"][place].as_py()
        return sha256(f"{family}:{made}:{key}:{size}:{SIDE}".encode()).hexdigest()[:16]

    def picture(self, family: str, place: int, size: Size) -> Picture | None:
        """The picture of a row, or its condition drawn as a hint; None where there is none.

        Raises:
            ValueError: it can't be read.
        """
        if family != IMAGES and self._held.tables[family]["status"][place].as_py() == "failed":
            return None
        if size == "full":
            return self._make(family, place, size)
        return self._made.get((family, place), lambda: self._make(family, place, size))

    def _make(self, family: str, place: int, size: Size) -> Picture:
        if family == IMAGES:
            return _photograph(self._shards.read(IMAGES, place, ["image"])["image"]["bytes"], size)
        cell = self._shards.read(family, place, ["condition"])["condition"]
        if cell is None:
            raise ValueError(f"{family}: the index says that there is a condition, and its shard has none")
        kind = self._held.cards[family].kind
        return _drawing(drawn(kind, decode(kind, cell)), size)


def _photograph(data: bytes, size: Size) -> Picture:
    try:
        image = Image.open(io.BytesIO(data))
        if size == "full" and image.format in FORMATS:
            return Picture(data, FORMATS[image.format])
        image.draft("RGB", (SIDE, SIDE))  # of a JPEG as much is decoded as is needed
        return _webp(image.convert("RGB"), size)
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture that can be shown: {error}") from error


def _drawing(hint: NDArray[np.uint8], size: Size) -> Picture:
    return _webp(Image.fromarray(hint), size, lossless=size == "full")


def _webp(image: Image.Image, size: Size, *, lossless: bool = False) -> Picture:
    if size == "small":
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=86, method=1, lossless=lossless)
    return Picture(buffer.getvalue(), "image/webp")
