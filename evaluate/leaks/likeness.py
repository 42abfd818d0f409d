"""Test pictures that look like one trained on to CLIP, which sees what crops and edits leave alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from annotate.pretrained import load_clip
from annotate.weights import Missing, offline
from evaluate.leaks.rate import Rate
from evaluate.leaks.squares import Picture, cut_of, each_picture, some_of
from evaluate.leaks.trained import Trained
from evaluate.progress import Progress

MODEL = "openai/clip-vit-base-patch32"
BATCH = 64  # pictures
FOUND = 0.95  # of the edited copies are above the threshold
CHANCE = 0.01  # of the samples may be above it with some row by chance; else the threshold tells nothing
SIDE = 256  # pixels
Embeddings = NDArray[np.float32]  # [B, D], each of length 1


@dataclass(frozen=True)
class Alike:
    """A test sample and the row trained on that looks most like it: place in the index, and their cosine."""

    key: str
    row: int
    cosine: float


@dataclass(frozen=True)
class Likeness:
    """What was found.

    Attributes:
        model: whose embeddings they are.
        threshold: a cosine that `FOUND` of edited copies of these very pictures reach.
        unrelated: the highest cosine of two different test pictures but for one pair in a thousand.
        expected: samples that would have some row above the threshold by chance.
        rows: of those trained on that were looked at.
        alike: samples above the threshold with some row, the most alike first.
    """

    model: str
    threshold: float
    unrelated: float
    expected: float
    rows: int
    samples: int
    alike: tuple[Alike, ...]

    @property
    def rate(self) -> Rate:
        """Of samples that look like a row trained on."""
        return Rate(len(self.alike), self.samples)

    @property
    def tells(self) -> bool:
        """Whether the threshold tells copies from other pictures of this corpus."""
        return self.expected <= CHANCE * self.samples


@dataclass(frozen=True)
class Clip:
    """The picture half of a CLIP, loaded."""

    model: str
    network: Any
    processor: Any

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Picture]) -> Embeddings:
        """Embed B pictures [H, W, 3] uint8 RGB, each of its own size: [B, D] of length 1."""
        found = []
        for start in range(0, len(pictures), BATCH):
            pixels = self.processor(list(pictures[start : start + BATCH]), return_tensors="pt")["pixel_values"]
            pooled = self.network.vision_model(pixel_values=pixels.to(self.network.device)).pooler_output
            seen = torch.nn.functional.normalize(self.network.visual_projection(pooled), dim=-1)
            found.append(seen.cpu().numpy())
        return np.concatenate(found)


def find_clip(model: str, device: torch.device) -> Clip | None:
    """A CLIP by its name; None where its weights are not on this machine: nothing is fetched.

    Raises:
        ValueError: They are there and can't be read, or are no CLIP's.
    """
    with offline():
        try:
            network, processor = load_clip(model, device)
        except Missing:
            return None
        return Clip(model, network, processor.image_processor)


def find_alike(
    clip: Clip, samples: Mapping[str, Picture], trained: Trained, *, most: int, progress: Progress
) -> Likeness:
    """Find samples that look like a row trained on, by a threshold that edited copies of the samples themselves set.

    Args:
        samples: key → its real picture [H, W, 3] uint8 RGB.
        most: rows that are looked at; of more, so many are drawn.
        progress: told how many of them are embedded.
    """
    keys, places = list(samples), some_of(trained.places, most)
    ours = np.concatenate([clip([picture]) for picture in samples.values()])
    copies = [clip(list(edited(picture))) @ own for own, picture in zip(ours, samples.values(), strict=True)]
    threshold = float(np.quantile(np.concatenate(copies), 1 - FOUND))
    between = (ours @ ours.T)[np.triu_indices(len(ours), 1)]
    chance = float((between >= threshold).mean()) if len(between) else 0.0
    cosines, rows = _most_alike(clip, ours, trained, places, progress)
    order = [place for place in np.argsort(-cosines, kind="stable").tolist() if cosines[place] >= threshold]
    return Likeness(
        model=clip.model,
        threshold=threshold,
        unrelated=float(np.quantile(between, 0.999)) if len(between) else float("nan"),
        expected=float(len(ours) * (1 - (1 - chance) ** len(places))),
        rows=len(places),
        samples=len(ours),
        alike=tuple(Alike(keys[place], int(rows[place]), float(cosines[place])) for place in order),
    )


def _most_alike(
    clip: Clip, ours: Embeddings, trained: Trained, places: NDArray[np.int64], progress: Progress
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Of each of Q samples the highest cosine to one of these rows [Q], and that row [Q]; embeddings are not held."""
    best, rows = np.full(len(ours), -1, np.float32), np.full(len(ours), -1, np.int64)
    cut, done = cut_of(trained), 0
    progress(0, len(places))
    for numbers, pictures in each_picture(trained, places, lambda image: small(cut.square(image))):
        cosines = ours @ clip(pictures).T
        highest = cosines.argmax(axis=1)
        value = cosines[np.arange(len(ours)), highest]
        nearer = value > best
        best[nearer], rows[nearer] = value[nearer], places[numbers[highest[nearer]]]
        done += len(numbers)
        progress(done, len(places))
    return best, rows


def small(picture: Picture) -> Picture:
    """A square [S, S, 3] uint8 RGB as it is held in memory: no larger than CLIP has use for."""
    if len(picture) <= SIDE:
        return picture
    return np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def edited(picture: Picture) -> Iterator[Picture]:
    """Copies of a picture [H, W, 3] uint8 RGB as they are found on the web: saved again, cut, shrunk, brighter."""
    height, width = picture.shape[:2]
    saved = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    yield np.asarray(cv2.imdecode(saved, cv2.IMREAD_COLOR_RGB), np.uint8)
    yield picture[height // 20 : height - height // 20, width // 20 : width - width // 20]
    yield np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
    yield np.asarray((picture.astype(np.float32) * 1.2).clip(0, 255), np.uint8)
