"""Pictures with captions that belong to them, as pairs of a file and its words."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pair = tuple[bytes, str]  # a picture file and its caption


def photographs(data: Path) -> list[Pair]:
    """Photographs of ImageNet's classes, captioned with them."""
    lines = map(json.loads, (data / "photos/metadata.jsonl").read_text().splitlines())
    return [((data / "photos" / line["file_name"]).read_bytes(), line["text"]) for line in lines]


def with_real_captions(data: Path) -> list[Pair]:
    """Photographs of COCO with a caption by each of four people in one, and cut-outs with a sentence, on white."""
    coco = json.loads((data / "coco-captioned/captions.json").read_text())
    pairs = [((data / "coco-captioned" / one["file"]).read_bytes(), " ".join(one["captions"])) for one in coco]
    stamps: Any = json.loads((data / "tuxpaint-stamps/captions.json").read_text())
    for one in stamps:
        cut = Image.open(data / "tuxpaint-stamps" / one["file"]).convert("RGBA")
        white = Image.new("RGBA", cut.size, "white")
        white.alpha_composite(cut)
        pairs.append((as_jpeg(np.asarray(white.convert("RGB")), 95), one["caption"]))
    return pairs


def as_jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    """[H, W, 3] uint8 RGB as a JPEG file."""
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
