"""Perceptual hashes: of every picture, in one decode with its conditions, and close where pictures are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagehash
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from annotate import stored
from annotate.hashing import describe, perceptual_hash
from annotate.image import decode
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index, read_index

SHARED = Path(__file__).parents[3] / "shared"
PHOTOS = sorted((SHARED / "data/photos").glob("*.jpg"))[:4]
on_photos = pytest.mark.skipif(not PHOTOS, reason="no photographs here")


def bits(number: int) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(np.array([number], ">i8").tobytes(), np.uint8))


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


@on_photos
@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_it_is_what_imagehash_gives_but_for_a_few_bits_of_resizing(photo: Path) -> None:
    theirs = imagehash.phash(Image.open(photo).convert("RGB")).hash.ravel()
    ours = bits(perceptual_hash(grey(decode(photo.read_bytes()))))
    assert (theirs != ours).sum() <= 4


@on_photos
@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_a_smaller_copy_has_nearly_the_same_hash(photo: Path) -> None:
    image = decode(photo.read_bytes())
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    assert (bits(perceptual_hash(grey(image))) != bits(perceptual_hash(grey(small)))).sum() <= 2


def test_it_is_a_column_of_the_index_and_shares_the_decode_of_the_conditions_beside_it(
    ingest: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = ingest("playroom:6")
    decoded = []

    def counted(data: bytes) -> NDArray[np.uint8]:
        decoded.append(data)
        return decode(data)

    monkeypatch.setattr(stored, "decode", counted)
    tasks = make_tasks(dataset, ["canny", "phash"], resolution=64)
    for task in tasks:
        create_card(dataset.root, task.card)
    bound = bind(tasks, torch.device("cpu"))
    done: list[Any] = []
    for name in dataset.shards():
        annotate_shard(dataset, name, bound, batch_size=4, threads=0, done=done.append)
    build_index(dataset)
    assert len(decoded) == 6
    assert dataset.card("phash").resolution == 0
    pictures = dataset.read("images", dataset.shards()[0], ["image"])["image"].to_pylist()
    expected = [describe(picture["bytes"], decode(picture["bytes"])) for picture in pictures]
    index = read_index(dataset, "phash")
    assert index["phash"].to_pylist() == [stats["phash"] for stats in expected]
    assert index["phash_lower"].to_pylist() == [stats["phash_lower"] for stats in expected]
    assert "condition" not in dataset.read("phash", dataset.shards()[0]).column_names
