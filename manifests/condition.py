"""How a condition is stored: as a measurement, losslessly, each kind in its own form."""

import io
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

Kind = Literal["binary", "soft", "depth", "classes", "keypoints"]
Condition: TypeAlias = Any  # an array by kind, see `encode`; a list of arrays for keypoints
Cell: TypeAlias = Any  # what Arrow stores, by kind

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
CELLS: dict[Kind, pa.DataType] = {
    "binary": IMAGE,
    "soft": IMAGE,
    "classes": IMAGE,
    "depth": pa.struct([("image", IMAGE), ("min", pa.float32()), ("max", pa.float32())]),
    "keypoints": pa.list_(pa.list_(pa.list_(pa.float32(), 3))),
}
JOINTS = 18  # of OpenPose's body model
_DEPTH_STEPS = 65_535


def encode(kind: Kind, condition: Condition) -> Cell:
    """A condition to its stored form.

    Args:
        condition: binary: [H, W] uint8 in {0, 1}; soft: [H, W] uint8; classes: [H, W] uint8 indices; depth: [H, W]
            float32, finite, any range; keypoints: one [18, 3] float32 (x, y in pixels, score; score 0 is absent) for
            each person.
    """
    if kind == "keypoints":
        return [np.asarray(person, np.float32).reshape(JOINTS, 3).tolist() for person in condition]
    array = np.asarray(condition)
    assert array.ndim == 2, f"a {kind} condition is [H, W], not {array.shape}"
    if kind == "depth":
        return _encode_depth(array)
    assert array.dtype == np.uint8, f"a {kind} condition is uint8, not {array.dtype}"
    if kind == "binary":
        assert array.max(initial=0) <= 1, "a binary condition is 0 or 1"
        return _webp(array * np.uint8(255))
    if kind == "soft":
        return _webp(array)
    return _png(array)


def decode(kind: Kind, cell: Cell) -> Condition:
    """The condition that `encode` stored; exact, but for depth, which is exact to a 65,535th of its range."""
    if kind == "keypoints":
        return [np.asarray(person, np.float32).reshape(JOINTS, 3) for person in cell]
    if kind == "depth":
        steps = _pixels(cell["image"]).astype(np.float32) / _DEPTH_STEPS
        return steps * np.float32(cell["max"] - cell["min"]) + np.float32(cell["min"])
    pixels = _pixels(cell)
    return (pixels > 127).astype(np.uint8) if kind == "binary" else pixels


def _encode_depth(depth: NDArray[Any]) -> Cell:
    if not np.isfinite(depth).all():
        raise ValueError("depth holds NaN or infinity, which no 16-bit picture can store")
    low, high = float(depth.min()), float(depth.max())
    steps = np.rint((depth - low) / max(high - low, 1e-12) * _DEPTH_STEPS).astype(np.uint16)
    return {"image": _png(steps), "min": low, "max": high}


def _webp(grey: NDArray[Any]) -> Cell:
    # Method 2 at quality 0: as small as OpenCV's lossless WebP, in two thirds of the time.
    buffer = io.BytesIO()
    Image.fromarray(grey).convert("RGB").save(buffer, "WEBP", lossless=True, method=2, quality=0)  # WebP knows no grey
    return {"bytes": buffer.getvalue(), "path": None}


def _png(pixels: NDArray[Any]) -> Cell:
    done, buffer = cv2.imencode(".png", pixels)
    assert done, "OpenCV writes every uint8 and uint16 picture as PNG"
    return {"bytes": buffer.tobytes(), "path": None}


def _pixels(cell: Cell) -> NDArray[Any]:
    pixels = cv2.imdecode(np.frombuffer(cell["bytes"], np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("a stored condition does not decode; its shard is damaged")
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 0])
