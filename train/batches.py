"""Batches: which sample comes when, decoded and cropped into what one training step reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from manifests.condition import Condition, Kind, decode
from manifests.geometry import resize, resize_picture
from train.draws import Choices, choices, kept, normal, row_at, share
from train.further import draw_hints
from train.span import Span
from train.views import Square, at_least, chosen_view, drawn_square, moments_of


class Table(Protocol):
    """A training set: `manifests.training_set.rows.Rows`, or a Dataset of `datasets`."""

    def __len__(self) -> int:
        """Rows."""

    def __getitem__(self, row: int) -> Mapping[str, Any]:
        """Everything that a row holds, by column."""


@dataclass(frozen=True)
class Batch:
    """Samples of one forward pass, on any device; of their pictures either the pixels or the moments are there."""

    pixels: Tensor | None  # [B, 3, H, W] float32 in [-1, 1]
    moments: Tensor | None  # [B, 2, C, h, w] float16: mean and standard deviation of the posterior, not scaled
    hints: Tensor  # [B, K, 3, H, W] float32 in [0, 1], one for each condition; 0 where it is not present
    present: Tensor  # [B, K] float32 in {0, 1}: 0 where the row lacks the condition, or it was left out
    tokens: Tensor  # [B, T] int64 ([B, 2, T] of two tokenizers), always on the CPU; of "" where the prompt was dropped
    noise: Tensor  # [B, C, h, w] float32 standard normal
    posterior_noise: Tensor  # [B, C, h, w] float32 standard normal
    timesteps: Tensor  # [B] int64 in [0, timesteps)

    def to(self, device: torch.device) -> "Batch":
        """Copy to `device`, but for the tokens; from pinned memory without waiting for it."""
        return replace(self._each(lambda tensor: tensor.to(device, non_blocking=True)), tokens=self.tokens)

    def on_device(self) -> list[Tensor]:
        """Every tensor but the tokens."""
        named = (getattr(self, field.name) for field in fields(self) if field.name != "tokens")
        return [tensor for tensor in named if tensor is not None]

    def pin_memory(self) -> "Batch":
        """Copy to memory that a GPU reads by itself; a DataLoader asks for it by this name."""
        return self._each(lambda tensor: tensor.pin_memory())

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        there: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {name: change(tensor) for name, tensor in there.items() if tensor is not None}
        return replace(self, **changed)


@dataclass(frozen=True)
class Recipe:
    """What makes a sample out of a row."""

    kinds: tuple[Kind, ...]  # how each condition is stored
    resolution: int  # side of the square crop, pixels
    latent_shape: tuple[int, int, int]
    tokenize: Callable[[str], Tensor]
    timesteps: int  # of the base's noise schedule
    prompt_drop: float  # share of the samples that lose their prompt, in [0, 1]
    seed: int
    flip: float = 0.0  # share of the samples that are mirrored, in [0, 1]
    columns: tuple[str, ...] = ("condition",)  # of the training set, one for each condition
    condition_drop: float = 0.0  # share of each of several conditions that is left out: see `train.draws.kept`
    latents: Literal["none", "cached", "live"] = "none"  # of a row that has them: taken, or its views encoded again


def loader(table: Table, recipe: Recipe, span: Span, *, workers: int) -> DataLoader[Batch]:
    """Load the batches of `span` in order, in `workers` processes.

    Args:
        table: the training set, as stored: key, captions, the recipe's `columns`, image (where pixels are wanted) and
            latents (where the recipe says so).

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

    def __init__(self, table: Table, recipe: Recipe) -> None:
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
        key = record["key"]
        drawn = choices(recipe.seed, key, epoch)
        conditions = _conditions(record, recipe)
        square, moments = _square(record, recipe, drawn, conditions)
        draws = [share(recipe.seed, key, epoch, purpose=column) for column in recipe.columns]
        shows = kept([condition is not None for condition in conditions], draws, rate=recipe.condition_drop)
        shown = [condition if each else None for condition, each in zip(conditions, shows, strict=True)]
        hints, present = draw_hints(
            recipe.kinds, square.of_conditions(recipe.kinds, shown), resolution=recipe.resolution
        )
        caption = "" if drawn.prompt < recipe.prompt_drop else _caption(record["captions"], drawn.caption)
        noise = partial(normal, recipe.seed, key, epoch, shape=recipe.latent_shape)
        return Batch(
            pixels=to_pixels(square.of_picture(decode_image(record["image"]["bytes"]))) if moments is None else None,
            moments=moments,
            hints=hints,
            present=present,
            tokens=recipe.tokenize(caption),
            noise=noise(purpose="noise"),
            posterior_noise=noise(purpose="posterior"),
            timesteps=torch.tensor(int(drawn.timestep * recipe.timesteps)),
        )


def fit_pair(image: np.ndarray, condition: Condition, kind: Kind, *, resolution: int) -> tuple[np.ndarray, Condition]:
    """Bring a picture to its condition's size; a pair whose short side is below `resolution` is enlarged to it.

    Args:
        image: [H, W, 3] uint8 RGB.
        condition: as `manifests.condition.decode` gives it; its size [h, w] is the one it was measured at.
        resolution: pixels.

    Returns:
        [h, w, 3] uint8 RGB and the condition, of one size.
    """
    size = at_least(condition.shape[:2], resolution)
    return resize_picture(image, size), resize(kind, condition, size)


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
    columns: dict[str, Any] = {field.name: [getattr(one, field.name) for one in samples] for field in fields(Batch)}
    stacked: dict[str, Any] = {name: torch.stack(them) for name, them in columns.items() if them[0] is not None}
    return replace(samples[0], **stacked)


def _conditions(record: Mapping[str, Any], recipe: Recipe) -> list[Condition | None]:
    cells = (record[column] for column in recipe.columns)
    return [None if cell is None else decode(kind, cell) for kind, cell in zip(recipe.kinds, cells, strict=True)]


def _square(
    record: Mapping[str, Any], recipe: Recipe, drawn: Choices, conditions: list[Condition | None]
) -> tuple[Square, Tensor | None]:
    """Where the sample lies, and what is known of its latents."""
    if recipe.latents == "none":
        first = next(condition for condition in conditions if condition is not None)
        return drawn_square(first.shape[:2], drawn, side=recipe.resolution, flip=recipe.flip), None
    encoded = decode("latents", record["latents"])
    number = chosen_view(encoded.views, drawn, flip=recipe.flip)
    moments = torch.from_numpy(moments_of(encoded, number, shape=recipe.latent_shape))
    square = Square(encoded.shape, encoded.views[number], recipe.resolution)
    return square, moments if recipe.latents == "cached" else None


def _caption(captions: list[str], place: float) -> str:
    return captions[int(place * len(captions))] if captions else ""
