"""An encoded picture from anywhere, opened strictly: no program is run, no bomb unpacked, no frame guessed."""

import io
import warnings

from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")  # none that runs programs, as EPS does
MAX_PIXELS = 89_478_485  # a quarter of a gigabyte as RGB; Pillow's own limit
MIN_SIDE = 16  # pixels
MAX_ASPECT = 16.0  # long side over short side


class Unusable(Exception):
    """A picture, caption or condition that can't enter the dataset, with a reason that ingest counts."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def opened(data: bytes) -> Image.Image:
    """An encoded picture of one frame and within bounds, its pixels loaded.

    Raises:
        Unusable: not_an_image, truncated, bomb, size, animated, mode.
    """
    source = _open(data)
    _check(source)
    return _load(source)


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bombs are refused by `_check`, with a reason; odd EXIF does no harm
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise Unusable("bomb", str(error)) from error
    except UnidentifiedImageError as error:
        raise Unusable("not_an_image", "not in a picture format that is read here") from error
    except Exception as error:  # a hostile header can raise anything in its parser
        raise Unusable("not_an_image", f"{type(error).__name__}: {error}") from error


def _check(source: Image.Image) -> None:
    width, height = source.size
    if width * height > MAX_PIXELS:
        raise Unusable("bomb", f"{width} x {height} pixels; the most is {MAX_PIXELS}")
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise Unusable("size", f"{width} x {height} pixels; a side under {MIN_SIDE} or sides beyond {MAX_ASPECT:g}:1")
    try:
        frames = getattr(source, "n_frames", 1)
    except Exception as error:
        raise Unusable("truncated", f"{type(error).__name__}: {error}") from error
    if frames > 1 and source.format != "MPO":  # a camera's MPO is one photograph with a preview behind it
        raise Unusable("animated", f"{source.format} of {frames} frames")
    if source.mode in ("I", "F", "LAB", "HSV", "YCbCr") and source.format != "JPEG":
        raise Unusable("mode", f"{source.format} of mode {source.mode}")


def _load(source: Image.Image) -> Image.Image:
    try:
        source.load()
    except MemoryError:
        raise
    except Exception as error:
        raise Unusable("truncated", f"{type(error).__name__}: {error}") from error
    return source
