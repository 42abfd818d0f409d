"""Batches: which sample comes when, decoded and cropped into what one training step reads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import cv2
import datasets
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from manifests.condition import Condition, Kind, decode
from manifests.geometry import crop, flip, resize
from train.draws import choices, normal, row_at
from train.hints import Drawing

CENTRE = (0.5, 0.5)


@dataclass(frozen=True)
class Batch:
    """Samples of one forward pass, on any device."""

    pixels: Tensor  # [B, 3, H, W] float32 in [-1, 1]
    hints: Tensor  # [B, K, 3, H, W] float32 in [0, 1], one for each condition
    present: Tensor  # [B, K] float32 in {0, 1}: 0 where the row lacks the condition
    tokens: Tensor  # [B, T] int64 ([B, 2, T] of two tokenizers); those of "" where the prompt was dropped
    noise: Tensor  # [B, C, h, w] float32 standard normal
    posterior_noise: Tensor  # [B, C, h, w] float32 standard normal
    timesteps: Tensor  # [B] int64 in [0, timesteps)

    def to(self, device: torch.device) -> "Batch":
        """Copy to `device`."""
        return Batch(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))


@dataclass(frozen=True)
class Recipe:
    """What makes a sample out of a row."""

    kind: Kind  # how the condition is stored
    drawing: Drawing  # makes a hint of it
    resolution: int  # side of the square crop, pixels
    latent_shape: tuple[int, int, int]
    tokenize: Callable[[str], Tensor]
    timesteps: int  # of the base's noise schedule
    prompt_drop: float  # share of the samples that lose their prompt, in [0, 1]
    seed: int
    flip: float = 0.0  # share of the samples that are mirrored, in [0, 1]


@dataclass(frozen=True)
class Span:
    """The steps one process runs, and its share of each."""

    start: int  # steps already done
    steps: int  # steps done at the end
    batch_size: int  # samples per step, over all processes
    micro_batch: int  # samples per forward pass, at most
    process: int = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if self.batch_size % self.processes:
            raise ValueError(
                f"train.batch_size: {self.batch_size} samples cannot be shared equally by {self.processes} processes. "
                f"Take a multiple of {self.processes}"
            )

    @property
    def share(self) -> int:
        """Samples of a step that fall to one process."""
        return self.batch_size // self.processes

    @property
    def micro_batches(self) -> int:
        """Forward passes of one process per step; the last may be smaller."""
        return -(-self.share // self.micro_batch)

    def numbers(self) -> Iterator[list[int]]:
        """Go through the numbers of the samples, one list per forward pass."""
        for step in range(self.start, self.steps):
            first = step * self.batch_size + self.process * self.share
            for offset in range(0, self.share, self.micro_batch):
                yield list(range(first + offset, first + min(offset + self.micro_batch, self.share)))


def loader(table: datasets.Dataset, recipe: Recipe, span: Span, *, workers: int) -> DataLoader[Batch]:
    """Load the batches of `span` in order, in `workers` processes.

    Args:
        table: the training set: key, captions, image and condition as stored.

    Returns:
        `span.micro_batches` batches for every step.
    """
    return DataLoader(
        Samples(table, recipe),
        batch_sampler=_Numbers(span),
        collate_fn=_collate,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
        worker_init_fn=_one_thread,
    )


class Samples(Dataset[Batch]):
    """The endless sequence of samples: the number of a sample decides everything about it."""

    def __init__(self, table: datasets.Dataset, recipe: Recipe) -> None:
        self._table = table
        self._recipe = recipe

    def row(self, number: int) -> int:
        """Find the row of the training set that sample `number` of the run is made from."""
        return row_at(number, rows=len(self._table), seed=self._recipe.seed)[0]

    def __getitem__(self, number: int) -> Batch:
        """Make sample `number` of the run, without a batch dimension."""
        recipe = self._recipe
        row, epoch = row_at(number, rows=len(self._table), seed=recipe.seed)
        record = self._table[row]
        drawn = choices(recipe.seed, record["key"], epoch)
        image, condition = crop_pair(
            decode_image(record["image"]["bytes"]),
            decode(recipe.kind, record["condition"]),
            recipe.kind,
            resolution=recipe.resolution,
            offset=(drawn.top, drawn.left),
        )
        if drawn.flip < recipe.flip:
            image, condition = np.ascontiguousarray(image[:, ::-1]), flip(recipe.kind, condition)
        caption = "" if drawn.prompt < recipe.prompt_drop else _caption(record["captions"], drawn.caption)
        return Batch(
            pixels=to_pixels(image),
            hints=recipe.drawing(condition)[None],
            present=torch.ones(1),
            tokens=recipe.tokenize(caption),
            noise=normal(recipe.seed, record["key"], epoch, purpose="noise", shape=recipe.latent_shape),
            posterior_noise=normal(recipe.seed, record["key"], epoch, purpose="posterior", shape=recipe.latent_shape),
            timesteps=torch.tensor(int(drawn.timestep * recipe.timesteps)),
        )


def crop_pair(
    image: np.ndarray, condition: Condition, kind: Kind, *, resolution: int, offset: tuple[float, float] = CENTRE
) -> tuple[np.ndarray, Condition]:
    """Bring a picture to its condition's size, then cut one square out of both.

    Args:
        image: [H, W, 3] uint8 RGB.
        condition: as `manifests.condition.decode` gives it; its size [h, w] is the one it was measured at.
        resolution: side of the square in pixels; a pair smaller than it is enlarged first.
        offset: (down, right) in [0, 1): where the square lies between the two ends. Default: the centre.

    Returns:
        [resolution, resolution, 3] uint8 RGB and the condition of that square.
    """
    image, condition = fit_pair(image, condition, kind, resolution=resolution)
    height, width = condition.shape[:2]
    top, left = (
        min(int(place * (side - resolution + 1)), side - resolution)
        for place, side in zip(offset, (height, width), strict=True)
    )
    square = slice(top, top + resolution), slice(left, left + resolution)
    return np.ascontiguousarray(image[square]), crop(condition, (top, left), (resolution, resolution))


def fit_pair(image: np.ndarray, condition: Condition, kind: Kind, *, resolution: int) -> tuple[np.ndarray, Condition]:
    """Bring a picture to its condition's size; a pair whose short side is below `resolution` is enlarged to it.

    Args:
        image: [H, W, 3] uint8 RGB.
        condition: as `manifests.condition.decode` gives it; its size [h, w] is the one it was measured at.
        resolution: pixels.

    Returns:
        [h, w, 3] uint8 RGB and the condition, of one size.
    """
    height, width = condition.shape[:2]
    scale = max(1.0, resolution / min(height, width))
    height, width = round(height * scale), round(width * scale)
    image = _resize(image, height, width, cv2.INTER_AREA if image.shape[0] > height else cv2.INTER_LANCZOS4)
    return image, resize(kind, condition, (height, width))


def decode_image(data: bytes) -> np.ndarray:
    """Decode a stored picture: [H, W, 3] uint8 RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert image is not None, "a stored picture was decoded once before it was stored"
    return image


def to_pixels(image: np.ndarray) -> Tensor:
    """Turn [H, W, 3] uint8 RGB into [3, H, W] float32 in [-1, 1]."""
    return torch.from_numpy(image).permute(2, 0, 1).float().div(127.5).sub(1).contiguous()


class _Numbers(Sampler[list[int]]):
    def __init__(self, span: Span) -> None:
        self._span = span

    def __iter__(self) -> Iterator[list[int]]:
        return self._span.numbers()

    def __len__(self) -> int:
        return max(0, self._span.steps - self._span.start) * self._span.micro_batches


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(0)  # the processes are the parallelism


def _collate(samples: list[Batch]) -> Batch:
    return Batch(*(torch.stack([getattr(sample, field.name) for sample in samples]) for field in fields(Batch)))


def _caption(captions: list[str], place: float) -> str:
    return captions[int(place * len(captions))] if captions else ""


def _resize(array: np.ndarray, height: int, width: int, interpolation: int) -> np.ndarray:
    if array.shape[:2] == (height, width):
        return array
    return cv2.resize(array, (width, height), interpolation=interpolation)
