"""Faults that are planted into photographs and captions: what is done to them, and the `where` that should name it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.image import JPEG_QUALITY, decode
from annotate.quality.blockiness import blockiness
from annotate.quality.borders import border
from annotate.quality.colour import chroma
from annotate.quality.focus import noise, sharpness
from annotate.quality.tones import tones

RGB = NDArray[np.uint8]
Thing = TypeVar("Thing", RGB, str)
MEASURES: dict[str, Callable[[RGB], float]] = {
    "blockiness": lambda image: blockiness(grey(image)) or 0.0,
    "sharpness": lambda image: sharpness(grey(image)),
    "noise": lambda image: noise(grey(image)) or 0.0,
    "grey": lambda image: chroma(image)["grey"],
    "chroma_spread": lambda image: chroma(image)["chroma_spread"],
    "border": lambda image: border(grey(image)),
    "contrast": lambda image: tones(grey(image))["contrast"],
    "clipped": lambda image: tones(grey(image))["clipped"],
}


@dataclass(frozen=True)
class Fault(Generic[Thing]):
    """One fault.

    Attributes:
        plant: makes a thing faulty.
        sign: ">" where the fault has more of the stat than `threshold`, "<" where it has less.
        plain: what else happens to it, fault or not; the others are compared after it.
    """

    name: str
    plant: Callable[[Thing], Thing]
    stat: str
    sign: str
    threshold: float
    plain: Callable[[Thing], Thing] = lambda thing: thing


def grey(image: RGB) -> NDArray[np.uint8]:
    """[H, W] uint8."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def saved(quality: int) -> Callable[[RGB], RGB]:
    """Saved as JPEG."""

    def save(image: RGB) -> RGB:
        return decode(cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())

    return save


def shrunk(by: float) -> Callable[[RGB], RGB]:
    """Shrunk and saved again, as ingest does with what is too large."""

    def shrink(image: RGB) -> RGB:
        small = cv2.resize(image, None, fx=by, fy=by, interpolation=cv2.INTER_AREA)
        return saved(JPEG_QUALITY)(np.asarray(small, np.uint8))

    return shrink


def in_one_ink(*ink: float, white: float = 0.0) -> Callable[[RGB], RGB]:
    """Grey, times R, G and B of the ink, and JPEG."""

    def tint(image: RGB) -> RGB:
        return saved(90)(np.clip(grey(image)[..., None] * np.array(ink) + white, 0, 255).astype(np.uint8))

    return tint


def boxed(level: int) -> Callable[[RGB], RGB]:
    """With bars of an eighth of the height above and below, and JPEG."""

    def box(image: RGB) -> RGB:
        bar = max(4, image.shape[0] // 8)
        return saved(75)(cv2.copyMakeBorder(image, bar, bar, 0, 0, cv2.BORDER_CONSTANT, value=(level,) * 3))

    return box


def blurred(image: RGB) -> RGB:
    """By a Gaussian of one hundredth of the short side."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), min(image.shape[:2]) / 100), np.uint8)


def enlarged(image: RGB) -> RGB:
    """From a thumbnail of 128 pixels."""
    height, width = image.shape[:2]
    by = 128 / min(height, width)
    small = cv2.resize(image, (round(width * by), round(height * by)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def noisy(image: RGB) -> RGB:
    """Gaussian noise of 15 levels."""
    return np.asarray(cv2.add(image, np.random.default_rng(0).normal(0, 15, image.shape), dtype=cv2.CV_8U))


def pale(image: RGB) -> RGB:
    """A quarter of the range of tones."""
    return (image // 4 + 100).astype(np.uint8)


def overexposed(image: RGB) -> RGB:
    """Two and a half times as bright."""
    return np.clip(image.astype(np.float32) * 2.5, 0, 255).astype(np.uint8)


def accented(caption: str) -> str:
    """As another language would write it, with its quotes."""
    return f"“{caption.replace('e', 'é').replace('u', 'ü')}”"


def misread(caption: str) -> str:
    """UTF-8 read as Windows-1252."""
    return accented(caption).encode().decode("cp1252", "replace")


BLOCKS = ("blockiness", ">")
PICTURES: tuple[Fault[RGB], ...] = (
    Fault("JPEG of quality 10", saved(10), "blockiness", ">", 0.4),
    Fault("the same saved again at 95", lambda image: saved(95)(saved(10)(image)), "blockiness", ">", 0.4),
    Fault("the same cropped by 3 and 5 pixels", lambda image: saved(10)(image)[3:, 5:], "blockiness", ">", 0.4),
    *(
        Fault(f"the same shrunk to {by:.0%}", lambda image, by=by: shrunk(by)(saved(10)(image)), *named, shrunk(by))
        for by, *named in ((0.8, *BLOCKS, 0.15), (0.61, *BLOCKS, 0.1), (0.5, *BLOCKS, 0.1))
    ),
    Fault("JPEG of quality 20", saved(20), "blockiness", ">", 0.4),
    Fault("JPEG of quality 50", saved(50), "blockiness", ">", 0.2),
    Fault("blurred, sigma 1 % of the short side", blurred, "sharpness", "<", 40),
    Fault("enlarged from 128 pixels", enlarged, "sharpness", "<", 40),
    Fault("greyscale, JPEG of quality 90", in_one_ink(1, 1, 1), "grey", ">", 0.99),
    Fault("sepia, JPEG of quality 90", in_one_ink(1.07, 0.9, 0.7, white=5), "chroma_spread", "<", 3),
    Fault("black bars of an eighth, JPEG of quality 75", boxed(0), "border", ">", 0.05),
    Fault("white bars of an eighth, JPEG of quality 75", boxed(255), "border", ">", 0.05),
    Fault("noise of 15 levels", noisy, "noise", ">", 8),
    Fault("a quarter of the tones", pale, "contrast", "<", 0.1),
    Fault("overexposed 2.5 times", overexposed, "clipped", ">", 0.25),
)
CAPTIONS: tuple[Fault[str], ...] = (
    Fault("accents and quotes read in the wrong encoding", misread, "odd", ">", 0, accented),
    Fault("its last word five times", lambda words: f"{words} {words.split()[-1]}" * 4, "repeated", ">", 0.5),
    Fault("HTML around it", lambda words: f"<p>{words}</p>", "tags", ">", 0),
    Fault("an address behind it", lambda words: f"{words} www.example.com/12", "urls", ">", 0),
    Fault("a file name in its place", lambda words: f"IMG_{len(words):04}.JPG", "file_names", ">", 0),
)
