"""A picture as annotators and the network see it: decoded, upright, on white, 8-bit RGB, within bounds."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from annotate.opening import Unusable, opened
from manifests.family import Profile
from manifests.geometry import resize_picture

KEPT_FORMATS = ("JPEG", "PNG", "WEBP")  # what browsers, datasets and OpenCV all read
LOSSY_FORMATS = ("JPEG", "MPO", "AVIF")
JPEG_QUALITY = 95
ORIENTATION = 0x0112  # the EXIF tag
TURNS = {  # orientation → what makes the picture upright; JEITA CP-3451, section 4.6.4
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

RGB = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """A picture ready for storage.

    Attributes:
        data: an encoded 8-bit RGB JPEG, PNG or WebP without an orientation tag.
        width, height: pixels of `data`.
        full: height and width of the source, upright; more than those of `data` if that was shrunk.
        orientation: EXIF's, of the source.
        conversion: "" when `data` are the source's own bytes, else why they are not, joined by "+":
            exif (turned upright, or damaged EXIF left out), alpha, cmyk, palette, 16bit, grey, format, max_side,
            checksum (of a PNG, wrong: Pillow reads its pixels all the same, OpenCV and browsers do not).
    """

    data: bytes
    width: int
    height: int
    conversion: str
    full: tuple[int, int]
    orientation: int = 1

    @property
    def is_turned(self) -> bool:
        """Whether `data` lie otherwise than the source's pixels."""
        return self.orientation in TURNS


def decode(data: bytes) -> RGB:
    """Decode a stored picture (see `Picture.data`): [H, W, 3] uint8 RGB.

    Raises:
        ValueError: the bytes are not a picture.
    """
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION  # ingest has already turned it upright
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if image is None:
        raise ValueError(f"not a picture that OpenCV reads ({len(data)} bytes)")
    return np.asarray(image, dtype=np.uint8)


def fitted_size(width: int, height: int, resolution: int) -> tuple[int, int]:
    """Size (width, height) with the aspect ratio kept and the short side `resolution`; 0 keeps the size."""
    if resolution == 0:
        return width, height
    scale = resolution / min(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def rounded_size(width: int, height: int, resolution: int) -> tuple[int, int]:
    """Size (width, height) with the short side about `resolution` and both multiples of 64; controlnet_aux's own."""
    scale = (resolution or min(width, height)) / min(width, height)
    return max(64, 64 * round(width * scale / 64)), max(64, 64 * round(height * scale / 64))


def fit(image: RGB, resolution: int, profile: Profile = "exact") -> RGB:
    """Resize [H, W, 3] uint8 RGB to short side `resolution`: Lanczos up, area average down, as controlnet_aux does."""
    height, width = image.shape[:2]
    if profile == "exact":
        return resize_picture(image, fitted_size(width, height, resolution)[::-1])
    size = rounded_size(width, height, resolution)
    if size == (width, height):
        return image
    way = cv2.INTER_LANCZOS4 if resolution > min(width, height) else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size, interpolation=way), dtype=np.uint8)


def normalise(data: bytes, *, max_side: int) -> Picture:
    """Read a picture from anywhere, strictly, and make it plain: see `Picture`.

    What was lossless is stored lossless again (PNG), what was lossy as JPEG of quality 95 without chroma subsampling.
    Animations and pictures of several frames are refused: a caption rarely means their first frame.

    Args:
        max_side: the long side is made this many pixels when it is longer; 0 for no bound.

    Raises:
        Unusable: empty, not_an_image, truncated, bomb, size, animated, mode.
    """
    if not data:
        raise Unusable("empty", "no bytes")
    source = opened(data)
    orientation = _orientation(source)
    reasons = [*(["exif"] if orientation not in (0, 1) else []), *_reasons(source, data)]
    plain = _on_white(source.transpose(TURNS[orientation]) if orientation in TURNS else source)
    full, turn = (plain.height, plain.width), orientation if orientation in TURNS else 1
    if max_side and max(plain.size) > max_side:
        reasons.append("max_side")
        plain = _shrink(plain, max_side)
    if not reasons:
        return Picture(data, plain.width, plain.height, "", full)
    stored = _encode(plain, lossy=_is_lossy(source, data))
    return Picture(stored, plain.width, plain.height, "+".join(reasons), full, turn)


def _orientation(source: Image.Image) -> int | None:
    """What EXIF says of it; None when the EXIF is damaged, which would be in the way of whoever opens the picture."""
    try:
        return source.getexif().get(ORIENTATION, 1)
    except Exception:  # its parser raises whatever it stumbles over; the pixels are sound
        return None


def _reasons(source: Image.Image, data: bytes) -> Iterator[str]:
    """Why the source's bytes can't be stored as they are, orientation apart."""
    if source.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in source.info:
        yield "alpha"
    if source.mode == "CMYK":
        yield "cmyk"
    if source.mode in ("P", "PA"):
        yield "palette"
    if source.mode.startswith("I;16") or (source.format == "PNG" and data[24] == 16):  # bit depth, PNG 11.2.2
        yield "16bit"
    if source.mode in ("L", "LA", "1", "La") or source.mode.startswith("I;16"):
        yield "grey"
    if source.format not in KEPT_FORMATS:
        yield "format"
    if source.format == "PNG" and not _sums_agree(data):
        yield "checksum"


def _sums_agree(data: bytes) -> bool:
    """Whether the checksum of every chunk of a PNG is right; Pillow asks of pixels only when it is told to verify."""
    try:
        Image.open(io.BytesIO(data), formats=["PNG"]).verify()
    except (SyntaxError, OSError, ValueError, EOFError):
        return False
    return True


def _on_white(image: Image.Image) -> Image.Image:
    """8-bit RGB, alpha laid on white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.uint32) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layers = image.convert("RGBA")
        white = Image.new("RGBA", layers.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layers).convert("RGB")
    return image.convert("RGB")


def _shrink(image: Image.Image, max_side: int) -> Image.Image:
    scale = max_side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return Image.fromarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA))


def _is_lossy(source: Image.Image, data: bytes) -> bool:
    """Whether the source had lost something already; a WebP says so in the name of its first image chunk."""
    if source.format == "WEBP":
        return b"VP8L" not in data[:64]
    return source.format in LOSSY_FORMATS


def _encode(image: Image.Image, *, lossy: bool) -> bytes:
    target = io.BytesIO()
    if lossy:
        image.save(target, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    else:
        image.save(target, "PNG", compress_level=4)
    return target.getvalue()


def encode_generated(image: RGB) -> bytes:
    """Store a generated picture, [H, W, 3] uint8 RGB, as PNG."""
    return _encode(Image.fromarray(image), lossy=False)
