"""A provided raster is read value by value, or refused with a reason."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from annotate.image import Picture
from annotate.normal import Normal
from annotate.opening import Unusable
from annotate.provided.forms import FORMS
from manifests.condition import NO_CLASS

SIZE = (40, 60)  # height and width of all pictures here
Encode = Callable[..., bytes]
INDICES = np.random.default_rng(0).integers(0, 4, SIZE).astype(np.uint8)


@pytest.fixture
def photo(picture: Callable[..., Picture]) -> Picture:
    return picture(SIZE[1], SIZE[0])


def read(form: str, cell: Any, photo: Picture) -> np.ndarray:
    return FORMS[form].read(cell, photo).condition


def npy(array: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.save(target, array)
    return target.getvalue()


def grey_png(values: np.ndarray, bits: int) -> bytes:
    """A grey PNG of fewer than 8 bits, which Pillow does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = values.shape
    planes = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    lines = np.packbits(planes.reshape(height, -1).astype(np.uint8), axis=1)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def palette(indices: np.ndarray) -> Image.Image:
    """Two of its colours are equal, as of ADE20K's palette."""
    image = Image.frombytes("P", (indices.shape[1], indices.shape[0]), indices.tobytes())
    image.putpalette([9, 9, 9, 9, 9, 9, 200, 0, 0, 0, 200, 0])
    return image


def test_the_indices_of_a_palette_are_read_and_not_its_colours(photo: Picture, as_png: Encode) -> None:
    assert np.array_equal(read("classes", as_png(palette(INDICES)), photo), INDICES)


@pytest.mark.parametrize("bits", [2, 4])
def test_indices_of_few_bits_are_not_stretched(bits: int, photo: Picture) -> None:
    assert np.array_equal(read("classes", grey_png(INDICES, bits), photo), INDICES)


def test_what_lies_below_the_first_class_is_none(photo: Picture, as_png: Encode) -> None:
    indices = INDICES.copy()
    indices[0, 0] = NO_CLASS
    from_0, from_1 = (read(form, as_png(indices), photo) for form in ("classes", "classes-from1"))
    assert np.array_equal(from_0, indices)
    assert np.array_equal(from_1 == NO_CLASS, (indices == 0) | (indices == NO_CLASS))
    assert np.array_equal(from_1[from_1 != NO_CLASS], indices[from_1 != NO_CLASS] - 1)


@pytest.mark.parametrize("top", [1, 255])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_mask_is_two_values_grey_or_in_three_equal_channels(
    top: int, mode: str, photo: Picture, as_png: Encode
) -> None:
    mask = (INDICES > 1).astype(np.uint8)
    assert np.array_equal(read("binary", as_png(Image.fromarray(mask * np.uint8(top)).convert(mode)), photo), mask)


def test_soft_edges_may_have_been_lossy(photo: Picture, as_png: Encode) -> None:
    soft = np.tile(np.linspace(0, 255, SIZE[1]).astype(np.uint8), (SIZE[0], 1))
    stored = read("soft", as_png(soft, "JPEG", quality=95), photo)
    assert np.abs(stored.astype(int) - soft).max() < 12


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.uint16, ">f4", "list", "columns first"])
def test_metric_depth_becomes_inverse_depth_from_any_array(kind: Any, photo: Picture) -> None:
    metres = np.tile(np.arange(1, SIZE[1] + 1), (SIZE[0], 1))
    if kind == "list":
        cell: Any = metres.astype(float).tolist()
    elif kind == "columns first":
        cell = npy(np.asfortranarray(metres.astype(float)))
    else:
        cell = npy(metres.astype(kind))
    assert np.allclose(read("depth-farther", cell, photo), 1 / metres, rtol=1e-3)


@pytest.mark.parametrize("hole", [0.0, -1.0, np.nan, np.inf, -np.inf, 1e-42, 1e300])
def test_a_hole_in_depth_has_the_value_beside_it(hole: float, photo: Picture) -> None:
    metres = np.full(SIZE, 2.0)
    metres[:, 30:] = 4.0
    metres[10:20, 2:8] = metres[30, 50] = hole
    reading = FORMS["depth-farther"].read(npy(metres), photo)
    assert reading.holes == pytest.approx(61 / metres.size)
    assert (reading.condition[:, :30] == 0.5).all()
    assert (reading.condition[:, 30:] == 0.25).all()


def test_nothing_is_infinitely_far_in_a_png_and_zero_is_in_an_array(photo: Picture, as_png: Encode) -> None:
    disparity = np.full(SIZE, 7, np.uint16)
    disparity[0] = 0
    in_png, in_array = (FORMS["depth-nearer"].read(cell, photo) for cell in (as_png(disparity), npy(disparity)))
    assert (in_png.holes, in_png.condition.min()) == (pytest.approx(1 / SIZE[0]), 7)
    assert (in_array.holes, in_array.condition.min()) == (0, 0)


def facing() -> np.ndarray:
    """Normals of a ball that fills the picture: x right, y down, z to the viewer."""
    y, x = np.mgrid[-0.7 : 0.7 : SIZE[0] * 1j, -0.7 : 0.7 : SIZE[1] * 1j]
    vectors = np.stack([x, y, np.sqrt(1 - x**2 - y**2)], axis=2)
    return np.rint(vectors * 127.5 + 127.5).astype(np.uint8)


def stored() -> np.ndarray:
    """The same normals as those made of depth are stored: x left, y up."""
    normals = facing()
    normals[..., :2] = 255 - normals[..., :2]
    return normals


def test_normals_are_stored_with_x_to_the_left_and_y_up(photo: Picture, as_png: Encode) -> None:
    down = facing()
    up = down.copy()
    up[..., 1] = 255 - up[..., 1]
    assert np.array_equal(read("normal-down", as_png(down), photo), stored())
    assert np.array_equal(read("normal-up", as_png(up), photo), stored())


def test_normals_of_a_ball_are_stored_as_those_made_of_its_depth_are(photo: Picture, as_png: Encode) -> None:
    y, x = np.mgrid[-0.7 : 0.7 : SIZE[0] * 1j, -0.7 : 0.7 : SIZE[1] * 1j]
    nearness = np.sqrt(1 - x**2 - y**2).astype(np.float32)
    (made,) = Normal(a=0.1).load(torch.device("cpu"))(nearness[None], [{}])
    given = read("normal-down", as_png(facing()), photo)
    for axis in (0, 1):
        assert np.corrcoef(made[..., axis].ravel(), given[..., axis].ravel())[0, 1] > 0.7


@pytest.mark.parametrize("hole", [0, 128, 255])
def test_black_grey_and_white_are_holes_among_normals(hole: int, photo: Picture, as_png: Encode) -> None:
    holed = facing()
    holed[5:9, 5:9] = hole
    reading = FORMS["normal-down"].read(as_png(holed), photo)
    assert reading.holes == pytest.approx(16 / holed[..., 0].size)
    assert np.abs(reading.condition.astype(int) - stored()).max() < 20


def spoilt(as_png: Encode) -> dict[str, tuple[str, Any, str]]:
    """Form, cell and the reason of its refusal."""
    mask, depth = (INDICES > 1).astype(np.uint8) * 255, np.full(SIZE, 3, np.uint16)
    colours = np.stack([INDICES * np.uint8(60), INDICES, mask], axis=2)
    claims = npy(np.zeros(SIZE)).replace(b"(40, 60)", b"(99, 99)")
    half = facing()
    half[:30] = 0
    return {
        "a lossy mask": ("binary", as_png(mask, "JPEG"), "lossy"),
        "lossy classes": ("classes", as_png(INDICES, "JPEG"), "lossy"),
        "classes in WebP": ("classes", as_png(INDICES, "WEBP", lossless=True), "lossy"),
        "coloured classes": ("classes", as_png(colours), "mode"),
        "classes of 16 bits": ("classes", as_png(depth), "mode"),
        "a mask with greys": ("binary", as_png(INDICES), "values"),
        "a coloured mask": ("binary", as_png(colours), "mode"),
        "soft edges with alpha": ("soft", as_png(Image.fromarray(mask).convert("LA")), "mode"),
        "soft edges of 16 bits": ("soft", as_png(depth), "mode"),
        "depth of 8 bits": ("depth-farther", as_png(mask), "mode"),
        "depth in colours": ("depth-farther", as_png(colours), "mode"),
        "depth without values": ("depth-farther", as_png(depth * np.uint16(0)), "holes"),
        "depth of NaN": ("depth-nearer", npy(np.full(SIZE, np.nan)), "holes"),
        "complex depth": ("depth-nearer", npy(np.ones(SIZE, complex)), "shape"),
        "depth of one channel": ("depth-nearer", npy(np.ones((*SIZE, 1))), "shape"),
        "a single number": ("depth-nearer", npy(np.float32(1)), "shape"),
        "pickled depth": ("depth-nearer", npy(np.array([[{}]], object)), "npy"),
        "an array cut short": ("depth-nearer", npy(np.ones(SIZE))[:-1], "npy"),
        "an array that claims more": ("depth-nearer", claims, "npy"),
        "an array's name alone": ("depth-nearer", b"\x93NUMPY", "npy"),
        "rows of unlike lengths": ("depth-nearer", [[1.0], [1.0, 2.0]], "shape"),
        "words": ("depth-nearer", [["far"] * SIZE[1]] * SIZE[0], "shape"),
        "a line of pixels": ("depth-nearer", npy(np.ones((2, 3))), "size"),
        "grey normals": ("normal-up", as_png(mask), "mode"),
        "normals away from the viewer": ("normal-up", as_png(255 - facing()), "away"),
        "normals with too many holes": ("normal-up", as_png(half), "holes"),
        "a number": ("soft", 3.0, "not_an_image"),
        "an empty file": ("soft", b"", "not_an_image"),
        "HTML": ("soft", b"<html>404", "not_an_image"),
        "a PNG cut in half": ("soft", as_png(INDICES)[:200], "truncated"),
    }


@pytest.mark.parametrize("name", spoilt(lambda *_, **__: b""))
def test_what_is_no_such_condition_is_refused_with_a_reason(name: str, photo: Picture, as_png: Encode) -> None:
    form, cell, reason = spoilt(as_png)[name]
    with pytest.raises(Unusable) as refusal:
        FORMS[form].read(cell, photo)
    assert refusal.value.reason == reason, refusal.value.detail
