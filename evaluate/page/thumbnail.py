"""A picture, small, as a data URI: part of the page that shows it, which then needs no other file."""

import base64
import io

from PIL import Image

SIDE = 256  # pixels: of the longer side, at most


def thumbnail(data: bytes, *, side: int = SIDE) -> str:
    """Make a data URI of a stored picture, its longer side shrunk to `side` pixels."""
    image: Image.Image = Image.open(io.BytesIO(data)).convert("RGB")
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
