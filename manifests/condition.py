"""How a condition is stored: as a measurement, losslessly, each kind in its own form."""

import io
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from manifests.figures import BODY, WHOLE_BODY, Moments, Poses, Segments, Text, View

Kind = Literal["binary", "soft", "depth", "normal", "classes", "keypoints", "lines", "text", "scores", "latents"]
Condition: TypeAlias = Any  # an array, or one of manifests.figures: see `encode`. Each has a `shape`: height, width, …
Cell: TypeAlias = Any  # what Arrow stores, by kind

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_SIZE = [("width", pa.int32()), ("height", pa.int32())]
CELLS: dict[Kind, pa.DataType] = {  # "scores" have none: all of them is in their stats
    "binary": IMAGE,
    "soft": IMAGE,
    "normal": IMAGE,
    "classes": IMAGE,
    "depth": pa.struct([("image", IMAGE), ("min", pa.float32()), ("max", pa.float32())]),
    "keypoints": pa.struct([*_SIZE, ("people", pa.list_(pa.list_(pa.list_(pa.float32(), 3))))]),
    "lines": pa.struct([*_SIZE, ("lines", pa.list_(pa.list_(pa.float32(), 5)))]),
    "text": pa.struct([*_SIZE, ("text", pa.string())]),
    "latents": pa.struct(
        [
            *_SIZE,
            ("views", pa.list_(pa.struct([("top", pa.int32()), ("left", pa.int32()), ("flip", pa.bool_())]))),
            ("channels", pa.int32()),
            ("rows", pa.int32()),  # h; w is as large: views are square
            ("moments", pa.large_binary()),  # large: of a shard, they may be more than 2 GiB
        ]
    ),
}
WORDS_AND_NUMBERS: tuple[Kind, ...] = ("text", "scores", "latents")  # of which no hint is drawn
NO_CLASS = 255  # of a class map: a pixel that nobody has given a class
_DEPTH_STEPS = 65_535


def encode(kind: Kind, condition: Condition) -> Cell:
    """A condition to its stored form.

    Args:
        condition: binary: [H, W] uint8 in {0, 1}; soft: [H, W] uint8; classes: [H, W] uint8 indices, 255 for none;
            normal: [H, W, 3] uint8, (n + 1) * 127.5 of the unit normal n, whose x points to the left, y up and z to the
            viewer, as the slopes of a nearness do: x is above 127 where things come nearer to the right;
            depth: [H, W] float32, finite, any range, larger is nearer; keypoints: Poses; lines: Segments; text: Text;
            latents: Moments.

    Raises:
        ValueError: depth, coordinates or moments that are not finite, or people with another number of points.
    """
    if kind == "keypoints":
        return _sized(condition) | {"people": [_points(person) for person in condition.people]}
    if kind == "lines":
        return _sized(condition) | {"lines": _finite(condition.lines).reshape(-1, 5).tolist()}
    if kind == "text":
        return _sized(condition) | {"text": condition.text}
    if kind == "latents":
        return _sized(condition) | _encode_moments(condition)
    array = np.asarray(condition)
    assert array.ndim == (3 if kind == "normal" else 2), f"a {kind} condition is not {array.shape}"
    if kind == "depth":
        return _encode_depth(array)
    assert array.dtype == np.uint8, f"a {kind} condition is uint8, not {array.dtype}"
    if kind == "binary":
        assert array.max(initial=0) <= 1, "a binary condition is 0 or 1"
        return _webp(array * np.uint8(255))
    return _webp(array)


def decode(kind: Kind, cell: Cell) -> Condition:
    """The condition that `encode` stored; exact, but for depth, which is exact to a 65,535th of its range.

    Raises:
        ValueError: it does not decode.
    """
    if kind == "keypoints":
        people = tuple(np.asarray(person, np.float32).reshape(-1, 3) for person in cell["people"])
        return Poses((cell["height"], cell["width"]), people)
    if kind == "lines":
        return Segments((cell["height"], cell["width"]), np.asarray(cell["lines"], np.float32).reshape(-1, 5))
    if kind == "text":
        return Text((cell["height"], cell["width"]), cell["text"])
    if kind == "latents":
        return _decode_moments(cell)
    if kind == "depth":
        return _from_steps(_pixels(cell["image"]), cell["min"], cell["max"])
    pixels = _pixels(cell)
    if kind == "normal":
        return np.ascontiguousarray(pixels[..., 2::-1])
    grey = pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 0])
    return (grey > 127).astype(np.uint8) if kind == "binary" else grey


def as_stored(kind: Kind, condition: Condition) -> Condition:
    """What whoever reads the condition from its shard will have: of depth, its 16-bit steps."""
    return _from_steps(*_to_steps(np.asarray(condition))) if kind == "depth" else condition


def _sized(condition: Poses | Segments | Text | Moments) -> dict[str, Any]:
    height, width = condition.shape
    return {"width": width, "height": height}


def _points(person: NDArray[Any]) -> list[list[float]]:
    if person.shape not in ((BODY, 3), (WHOLE_BODY, 3)):
        raise ValueError(f"a person of {person.shape} points; there are {BODY} of a body, {WHOLE_BODY} of a whole one")
    return _finite(person).tolist()


def _finite(numbers: NDArray[Any]) -> NDArray[np.float32]:
    array = np.asarray(numbers, np.float32)
    if not np.isfinite(array).all():
        raise ValueError("a coordinate or score is NaN or infinity")
    return array


def _encode_moments(moments: Moments) -> Cell:
    values = moments.values
    assert values.dtype == np.float16, f"moments are float16, not {values.dtype}"
    assert values.ndim == 5, f"moments of {values.shape}"
    assert values.shape[:2] == (len(moments.views), 2), f"{len(moments.views)} views, moments of {values.shape}"
    assert values.shape[3] == values.shape[4], f"a view is square, not {values.shape}"
    if not np.isfinite(values).all():
        raise ValueError("a latent is NaN, or beyond what float16 can hold")
    views = [{"top": view.top, "left": view.left, "flip": view.flip} for view in moments.views]
    return {
        "views": views,
        "channels": values.shape[2],
        "rows": values.shape[3],
        "moments": values.astype("<f2").tobytes(),
    }


def _decode_moments(cell: Cell) -> Moments:
    views = tuple(View(view["top"], view["left"], view["flip"]) for view in cell["views"])
    shape = (len(views), 2, cell["channels"], cell["rows"], cell["rows"])
    return Moments((cell["height"], cell["width"]), views, np.frombuffer(cell["moments"], "<f2").reshape(shape))


def _encode_depth(depth: NDArray[Any]) -> Cell:
    steps, low, high = _to_steps(depth)
    return {"image": _png(steps), "min": low, "max": high}


def _to_steps(depth: NDArray[Any]) -> tuple[NDArray[np.uint16], float, float]:
    if not np.isfinite(depth).all():
        raise ValueError("depth holds NaN or infinity, which no 16-bit picture can store")
    low, high = float(depth.min()), float(depth.max())
    return np.rint((depth - low) / max(high - low, 1e-12) * _DEPTH_STEPS).astype(np.uint16), low, high


def _from_steps(steps: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    share = steps.astype(np.float32) / np.float32(_DEPTH_STEPS)
    return share * np.float32(high - low) + np.float32(low)


def _webp(pixels: NDArray[Any]) -> Cell:
    # Method 2 at quality 0: as small as OpenCV's lossless WebP, in two thirds of the time.
    buffer = io.BytesIO()
    coloured = Image.fromarray(pixels).convert("RGB")  # WebP knows no grey
    coloured.save(buffer, "WEBP", lossless=True, method=2, quality=0)
    return {"bytes": buffer.getvalue(), "path": None}


def _png(pixels: NDArray[Any]) -> Cell:
    done, buffer = cv2.imencode(".png", pixels)
    assert done, "OpenCV writes every uint16 picture as PNG"
    return {"bytes": buffer.tobytes(), "path": None}


def _pixels(cell: Cell) -> NDArray[Any]:
    """As OpenCV gives them: [H, W], or [H, W, 3] in the order BGR."""
    pixels = cv2.imdecode(np.frombuffer(cell["bytes"], np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("a stored condition does not decode; its shard is damaged")
    return np.asarray(pixels)
