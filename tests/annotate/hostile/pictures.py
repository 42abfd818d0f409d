"""Pictures that lie, burst, end too early, or are none."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests.annotate.hostile.case import CAPTION, PNG, Case, converted, dropped, folder, kept

SCENE = Image.open(io.BytesIO(PNG[1]))
OTHER = Image.open(io.BytesIO(PNG[2]))
CHUNKS = 8  # bytes of a PNG's signature, before its first chunk
HEADER = 25  # bytes of its first chunk
ORIENTATION, MAKER, WIDTH, HEIGHT = 0x0112, 0x010F, 0x0100, 0x0101  # tags of EXIF and TIFF


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as `kind`."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG of a size it has no pixels for."""
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG[0][:CHUNKS] + size + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def with_chunk(name: bytes, data: bytes) -> bytes:
    """A sound PNG with one chunk more."""
    place = CHUNKS + HEADER
    return PNG[1][:place] + chunk(name, data) + PNG[1][place:]


def patched(data: bytes, place: int, patch: bytes) -> bytes:
    """`data` with some bytes replaced."""
    return data[:place] + patch + data[place + len(patch) :]


def with_exif(tag: int, value: object, *, order: bytes = b"MM") -> bytes:
    """A JPEG with one EXIF tag, and a byte order that may be none."""
    exif = Image.Exif()
    exif[tag] = value
    return encoded(SCENE, "JPEG", exif=exif.tobytes().replace(b"MM", order, 1))


def tiff_of(width: int, height: int) -> bytes:
    """A small TIFF that claims another size."""
    data = encoded(SCENE, "TIFF")
    for tag, size in ((WIDTH, width), (HEIGHT, height)):
        short, long = (struct.pack("<HHI", tag, kind, 1) for kind in (3, 4))  # a tag, its type, one value
        place = max(data.find(short), data.find(long))
        data = patched(data, place, long + struct.pack("<I", size))
    return data


def endless_tiff() -> bytes:
    """A TIFF whose directory names itself as the next page."""
    data = encoded(SCENE, "TIFF")
    (start,) = struct.unpack("<I", data[4:8])
    (tags,) = struct.unpack("<H", data[start : start + 2])
    return patched(data, start + 2 + 12 * tags, struct.pack("<I", start))


def bad_sum() -> bytes:
    """An interlaced PNG whose pixels don't match their checksum."""
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 1))
    passes = [(4, 4), (4, 4), (8, 4), (8, 8), (16, 8), (16, 16), (32, 16)]  # (width, height), PNG 8.2
    pixels = zlib.compress(b"".join((b"\0" + bytes(3 * width)) * height for width, height in passes))
    data = chunk(b"IDAT", pixels)
    return PNG[0][:CHUNKS] + size + data[:-4] + b"\0\0\0\0" + chunk(b"IEND", b"")


def giant_jpeg() -> bytes:
    """A JPEG whose frame header says 65,000 pixels square."""
    data = encoded(SCENE, "JPEG")
    return patched(data, data.index(b"\xff\xc0") + 5, struct.pack(">HH", 65_000, 65_000))


def giant_webp() -> bytes:
    """A lossless WebP whose header says 16,384 pixels square, the most it can."""
    data = encoded(SCENE, "WEBP", lossless=True)
    place = data.index(b"VP8L") + 9  # behind the chunk's size and the signature
    bits = (0x3FFF | 0x3FFF << 14) | (data[place + 3] & 0xF0) << 24
    return patched(data, place, struct.pack("<I", bits))


JPEG = encoded(SCENE, "JPEG")
ZIPPED = zlib.compress(bytes(20_000_000))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n(/etc/passwd) (r) file\nshowpage\n"
FRAMES: dict[str, Any] = {"save_all": True, "append_images": [OTHER]}
FLOATS = Image.fromarray(np.asarray(SCENE.convert("L")).astype(np.float32))
DEEP = Image.fromarray(np.asarray(SCENE.convert("L")).astype(np.uint16) * 257)
GONE = SCENE.convert("RGBA")
GONE.putalpha(0)

PICTURES = {
    "an empty file": ("x.jpg", b"", dropped("decode: empty")),
    "an HTML error page named .jpg": ("x.jpg", b"<html>404 Not Found</html>", dropped("decode: not_an_image")),
    "an SVG with a script, named .png": ("x.png", SVG, dropped("decode: not_an_image")),
    "a PDF named .jpg": ("x.jpg", b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>\n", dropped("decode: not_an_image")),
    "an EPS program named .jpg": ("x.jpg", EPS, dropped("decode: not_an_image")),
    "a PNG named .jpg": ("x.jpg", PNG[1], kept()),
    "a JPEG cut in half": ("x.jpg", JPEG[: len(JPEG) // 2], dropped("decode: truncated")),
    "a PNG cut in half": ("x.png", PNG[1][: len(PNG[1]) // 2], dropped("decode: truncated")),
    "a WebP cut in half": ("x.webp", encoded(SCENE, "WEBP")[:400], dropped("decode: not_an_image")),
    "a PNG of 100 bytes that claims 400 megapixels": ("x.png", png_of(20_000, 20_000), dropped("decode: bomb")),
    "a PNG that claims 2³¹ - 1 pixels a side": ("x.png", png_of(2**31 - 1, 2**31 - 1), dropped("decode: bomb")),
    "a PNG that claims no width": ("x.png", png_of(0, 128), dropped("decode: not_an_image")),
    "a PNG with fewer pixels than it claims": ("x.png", png_of(128, 128), dropped("decode: truncated")),
    "a PNG with 20 MB in a compressed comment": (
        "x.png",
        with_chunk(b"zTXt", b"Comment\0\0" + ZIPPED),
        dropped("decode: not_an_image"),
    ),
    "a PNG with 20 MB in a colour profile": (
        "x.png",
        with_chunk(b"iCCP", b"icc\0\0" + ZIPPED),
        dropped("decode: not_an_image"),
    ),
    "a JPEG that claims 65,000 pixels a side": ("x.jpg", giant_jpeg(), dropped("decode: bomb")),
    "a GIF that claims 65,535 pixels a side": (
        "x.gif",
        patched(encoded(SCENE, "GIF"), 6, b"\xff" * 4),
        dropped("decode: bomb"),
    ),
    "a WebP that claims 16,384 pixels a side": ("x.webp", giant_webp(), dropped("decode: bomb")),
    "a TIFF that claims a million pixels a side": ("x.tif", tiff_of(10**6, 10**6), dropped("decode: bomb")),
    "a TIFF whose page names itself as the next": ("x.tif", endless_tiff(), converted("format")),
    "one pixel": ("x.png", encoded(SCENE.resize((1, 1)), "PNG"), dropped("decode: size")),
    "a line of 10,000 pixels": ("x.png", encoded(SCENE.resize((10_000, 1)), "PNG"), dropped("decode: size")),
    "a JPEG with a ZIP behind it": ("x.jpg", JPEG + b"PK\x03\x04" + bytes(1000), kept()),
    "an animated GIF": ("x.gif", encoded(SCENE, "GIF", **FRAMES), dropped("decode: animated")),
    "an animated WebP": ("x.webp", encoded(SCENE, "WEBP", **FRAMES), dropped("decode: animated")),
    "an animated PNG": ("x.png", encoded(SCENE, "PNG", **FRAMES), dropped("decode: animated")),
    "a TIFF of two pages": ("x.tif", encoded(SCENE, "TIFF", **FRAMES), dropped("decode: animated")),
    "a camera's JPEG with a second one in it": ("x.jpg", encoded(SCENE, "MPO", **FRAMES), converted("format")),
    "a CMYK JPEG": ("x.jpg", encoded(SCENE.convert("CMYK"), "JPEG"), converted("cmyk")),
    "a PNG of 16 bits": ("x.png", encoded(DEEP, "PNG"), converted("16bit+grey")),
    "a palette with a transparent colour": (
        "x.png",
        encoded(SCENE.convert("P"), "PNG", transparency=0),
        converted("alpha+palette"),
    ),
    "a wholly transparent PNG": ("x.png", encoded(GONE, "PNG"), converted("alpha")),
    "a TIFF of floats": ("x.tif", encoded(FLOATS, "TIFF"), dropped("decode: mode")),
    "a JPEG on its side by EXIF": ("x.jpg", with_exif(ORIENTATION, 6), converted("exif")),
    "a JPEG with damaged EXIF": ("x.jpg", with_exif(ORIENTATION, 6, order=b"??"), kept()),
    "a PNG with damaged EXIF": ("x.png", with_chunk(b"eXIf", b"??\0*\0\0\0\x08"), converted("exif")),
    "a JPEG with 60 KB of EXIF": ("x.jpg", with_exif(MAKER, "m" * 60_000), kept()),
    "an interlaced PNG with a wrong checksum": ("x.png", bad_sum(), converted("checksum")),
}
CASES = [
    Case(named, "folder", folder({name: data, "x.txt": CAPTION.encode()}), becomes)
    for named, (name, data, becomes) in PICTURES.items()
]
