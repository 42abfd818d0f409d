"""What becomes of a picture: kept byte for byte when it is plain, made plain by rule, or refused with a reason."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from annotate.image import decode, fit, normalise
from annotate.opening import Unusable

RAMP = np.dstack([*np.meshgrid(np.arange(0, 240, 6), np.arange(0, 180, 6)), np.full((30, 40), 90)]).astype(np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def ramp(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(RAMP).convert(mode, palette=Image.Palette.ADAPTIVE)


PLAIN = {
    "jpeg": encoded(ramp(), "JPEG"),
    "png": encoded(ramp(), "PNG"),
    "webp": encoded(ramp(), "WEBP"),
    "lossless webp": encoded(ramp(), "WEBP", lossless=True),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_a_plain_picture_keeps_its_own_bytes(data: bytes) -> None:
    picture = normalise(data, max_side=40)
    assert picture.data == data
    assert (picture.width, picture.height, picture.conversion) == (40, 30, "")


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_turned_upright(kind: str, orientation: int) -> None:
    corners = {2: "rlRL", 3: "RLrl", 4: "LRlr", 5: "lLrR", 6: "LlRr", 7: "RrLl", 8: "rRlL"}[
        orientation
    ]  # JEITA CP-3451
    level = {"l": 0, "r": 80, "L": 160, "R": 240}  # grey of the corners: left and right, below in capitals
    stored = np.kron([[0, 80], [160, 240]], np.ones((20, 32))).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(stored).convert("RGB"), kind, exif=exif.tobytes())

    picture = normalise(data, max_side=0)

    image = decode(picture.data)
    assert picture.conversion == "exif"
    assert image.shape == ((64, 40, 3) if orientation > 4 else (40, 64, 3))
    seen = [image[y, x].mean() for y in (5, -5) for x in (5, -5)]
    assert np.abs(np.subtract(seen, [level[corner] for corner in corners])).max() < 6
    assert not Image.open(io.BytesIO(picture.data)).getexif()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_spoils_neither_the_picture_nor_its_reader(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    broken = exif.tobytes().replace(b"MM", b"??", 1)  # neither byte order
    picture = normalise(encoded(ramp(), kind, exif=broken), max_side=0)
    assert (picture.width, picture.height) == (40, 30)
    assert not Image.open(io.BytesIO(picture.data)).getexif()  # as `datasets` asks, before it shows a picture


def test_transparency_is_laid_on_white() -> None:
    image = ramp("RGBA")
    image.putalpha(Image.fromarray(np.repeat([[0] * 20 + [255] * 20], 30, axis=0).astype(np.uint8)))
    picture = normalise(encoded(image, "PNG"), max_side=0)
    made = decode(picture.data)
    assert picture.conversion == "alpha"
    assert (made[:, :20] == 255).all()
    assert np.array_equal(made[:, 20:], RAMP[:, 20:])


def test_a_transparent_palette_is_laid_on_white() -> None:
    image = ramp("P")
    hidden = image.getpixel((0, 0))
    made = decode(normalise(encoded(image, "PNG", transparency=hidden), max_side=0).data)
    assert (made[np.asarray(image) == hidden] == 255).all()


CONVERTED = {
    "cmyk": (encoded(ramp("CMYK"), "JPEG"), "cmyk", "JPEG"),
    "palette": (encoded(ramp("P"), "PNG"), "palette", "PNG"),
    "gif": (encoded(ramp("P"), "GIF"), "palette+format", "PNG"),
    "grey": (encoded(ramp("L"), "JPEG"), "grey", "JPEG"),
    "black and white": (encoded(ramp("1"), "PNG"), "grey", "PNG"),
    "bmp": (encoded(ramp(), "BMP"), "format", "PNG"),
    "tiff": (encoded(ramp(), "TIFF", compression="tiff_lzw"), "format", "PNG"),
    "avif": (encoded(ramp(), "AVIF"), "format", "JPEG"),
    "16-bit": (cv2.imencode(".png", RAMP[..., ::-1].astype(np.uint16) * 257)[1].tobytes(), "16bit", "PNG"),
    "16-bit grey": (cv2.imencode(".png", RAMP[..., 0].astype(np.uint16) * 257)[1].tobytes(), "16bit+grey", "PNG"),
}


@pytest.mark.parametrize(("data", "why", "kind"), CONVERTED.values(), ids=CONVERTED)
def test_an_odd_picture_is_made_plain(data: bytes, why: str, kind: str) -> None:
    picture = normalise(data, max_side=0)
    stored = Image.open(io.BytesIO(picture.data))
    assert picture.conversion == why
    assert (stored.mode, stored.format) == ("RGB", kind)
    wanted = RAMP if "grey" not in why else np.repeat(decode(data).mean(axis=2, keepdims=True), 3, axis=2)
    assert np.abs(decode(picture.data).astype(float) - wanted).mean() < 12


def test_sixteen_bits_are_scaled_to_eight_exactly() -> None:
    grey = RAMP[..., 0]
    sixteen = cv2.imencode(".png", grey.astype(np.uint16) * 257)[1].tobytes()
    assert np.array_equal(decode(normalise(sixteen, max_side=0).data)[..., 0], grey)


def test_a_long_picture_is_shrunk_with_its_aspect_ratio() -> None:
    picture = normalise(PLAIN["png"], max_side=20)
    assert (picture.width, picture.height, picture.conversion) == (20, 15, "max_side")
    assert decode(picture.data).shape == (15, 20, 3)


def test_what_was_lossless_stays_lossless() -> None:
    picture = normalise(encoded(ramp(), "TIFF"), max_side=0)
    assert np.array_equal(decode(picture.data), RAMP)


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


REFUSED = {
    "nothing": (b"", "empty"),
    "text": (b"this is no picture\n" * 20, "not_an_image"),
    "cut jpeg": (PLAIN["jpeg"][:-60], "truncated"),
    "cut png": (PLAIN["png"][:-60], "truncated"),
    "cut webp": (PLAIN["webp"][:-60], "not_an_image"),
    "bomb": (png_of(30_000, 30_000), "bomb"),
    "bomb below Pillow's own limit": (png_of(10_000, 10_000), "bomb"),
    "a point": (encoded(ramp().resize((1, 1)), "PNG"), "size"),
    "a line": (encoded(ramp().resize((800, 20)), "PNG"), "size"),
    "animation": (encoded(ramp(), "WEBP", save_all=True, append_images=[ramp().rotate(90)]), "animated"),
    "animated gif": (encoded(ramp(), "GIF", save_all=True, append_images=[ramp().rotate(90)]), "animated"),
    "pages": (encoded(ramp(), "TIFF", save_all=True, append_images=[ramp()]), "animated"),
    "floats": (encoded(Image.fromarray(RAMP[..., 0].astype(np.float32)), "TIFF"), "mode"),
    "a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\nshowpage\n", "not_an_image"),
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_bad_picture_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Unusable) as refusal:
        normalise(data, max_side=0)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("data", [*PLAIN.values(), *(data for data, _, _ in CONVERTED.values())])
def test_whatever_damage_is_done_a_picture_is_kept_or_refused(data: bytes) -> None:
    rng = np.random.default_rng(len(data))
    for _ in range(40):
        damaged = bytearray(data[: len(data) - int(rng.integers(3) * rng.integers(40))])
        for place in rng.integers(0, len(damaged), size=3):
            damaged[place] = rng.integers(256)
        try:
            picture = normalise(bytes(damaged), max_side=0)
        except Unusable:
            continue
        assert decode(picture.data).shape == (picture.height, picture.width, 3)


@pytest.mark.parametrize("resolution", [0, 15, 64])
def test_a_picture_is_fitted_by_its_short_side(resolution: int) -> None:
    height, width = fit(RAMP, resolution).shape[:2]
    assert (width, height) == {0: (40, 30), 15: (20, 15), 64: (85, 64)}[resolution]


def test_a_stored_picture_that_is_no_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        decode(b"nothing")


def test_opencv_reads_what_pillow_wrote(png: list[bytes]) -> None:
    for data in png:
        assert np.array_equal(decode(data), np.asarray(Image.open(io.BytesIO(data))))
