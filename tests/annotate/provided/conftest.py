"""What tests of provided conditions share: corpora that carry them, and pictures as ingest knows them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotate.image import Picture, normalise
from tests.annotate.provided.shapes import WRITERS, Records


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., Path]:
    """Write records as a corpus of some shape."""

    def write(records: Records, shape: str = "folder", name: str = "corpus") -> Path:
        return WRITERS[shape](records, tmp_path / name)

    return write


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def as_png() -> Callable[..., bytes]:
    """An array, or a Pillow picture, as the bytes of a file."""

    def encode(pixels: np.ndarray | Image.Image, kind: str = "PNG", **options: object) -> bytes:
        target = io.BytesIO()
        (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(target, kind, **options)
        return target.getvalue()

    return encode


@pytest.fixture
def picture(as_png: Callable[..., bytes]) -> Callable[..., Picture]:
    """A picture of some size as ingest knows it, turned by EXIF or shrunk if asked."""

    def make(width: int, height: int, orientation: int = 1, max_side: int = 0) -> Picture:
        exif = Image.Exif()
        exif[0x0112] = orientation
        source = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
        return normalise(as_png(source, "JPEG", exif=exif), max_side=max_side)

    return make
