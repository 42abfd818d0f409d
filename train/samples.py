"""Samples: what the control draws during training, beside the hint it was given and the real picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.gather import Families, gather_shard
from manifests.manifest import Manifest
from manifests.storage import replace
from manifests.subset import held_out
from train.batches import crop_pair, decode_image
from train.fit import Engine
from train.hints import as_picture, hint
from train.observe import Findings
from train.sampler import Hints, Pictures, draw, first_noise, sample_seed, sampling_of

GAP = 4  # pixels between two pictures of a grid


@dataclass(frozen=True)
class Pair:
    """One picture of the validation split."""

    key: str
    caption: str
    image: np.ndarray  # [H, W, 3] uint8 RGB
    hint: Tensor  # [3, H, W] float32 in [0, 1]


class Samples:
    """An observer that draws the same held-out pictures again and again."""

    name = "samples: hint, real, drawn"

    def __init__(self, engine: Engine, manifest: Manifest, run: Path) -> None:
        self._engine = engine
        self._manifest = manifest
        self._folder = run / "samples"
        self._pairs = validation_pairs(manifest, rows=manifest.watch.probe_rows)

    def due(self, step: int) -> bool:
        """Every `watch.probe_every` steps and at the end; never if that is 0."""
        every = self._manifest.watch.probe_every
        return bool(self._pairs and every) and (step % every == 0 or step == self._manifest.train.steps)

    def __call__(self, step: int) -> Findings:
        """Draw them, in the first process, and keep the grid as a PNG."""
        if not self._engine.accelerator.is_main_process:
            return Findings()
        picture = grid(self._pairs, draw_pairs(self._engine, self._pairs, self._manifest))
        save_grid(picture, self._folder / f"step-{step:06d}.png")
        return Findings(pictures={self.name: picture})


def validation_pairs(manifest: Manifest, *, rows: int) -> list[Pair]:
    """Read the first pictures of the validation split, the same for all runs on a dataset and condition."""
    dataset = Dataset.open(manifest.dataset)
    kind = dataset.card(manifest.condition).kind
    families = Families(manifest.condition, manifest.captions)
    wanted = held_out(manifest, "validation", samples=rows, seed=0)
    pairs = []
    for place in range(len(wanted)):
        row = wanted.slice(place, 1).append_column("position", [[0]])
        record = gather_shard(dataset, families, row["shard"][0].as_py(), row).to_pylist()[0]
        image, condition = crop_pair(
            decode_image(record["image"]["bytes"]),
            decode(kind, record["condition"]),
            kind,
            resolution=manifest.resolution,
        )
        caption = record["captions"][0] if record["captions"] else ""
        pairs.append(Pair(record["key"], caption, image, hint(kind, condition)))
    return pairs


def draw_pairs(engine: Engine, pairs: Sequence[Pair], manifest: Manifest) -> Pictures:
    """Draw every pair's caption under its hint, as the evaluation will: [B, H, W, 3] uint8 RGB."""
    seeds = [sample_seed(manifest.evaluate.seed, key=pair.key, draw=0) for pair in pairs]
    noise = first_noise(engine.base, seeds, resolution=manifest.resolution)
    hints = Hints(torch.stack([pair.hint for pair in pairs])[:, None], torch.ones(len(pairs), 1))
    control = engine.plain
    control.eval()
    try:
        with engine.accelerator.autocast():
            return draw(
                engine.base,
                control,
                [pair.caption for pair in pairs],
                hints,
                noise=noise,
                way=sampling_of(manifest),
            )
    finally:
        control.train()


def grid(pairs: Sequence[Pair], drawn: Pictures) -> NDArray[np.uint8]:
    """Lay out one row per pair: hint, real picture, drawn picture.

    Args:
        drawn: [B, H, W, 3] uint8 RGB.

    Returns:
        [H, W, 3] uint8 RGB.
    """
    rows = []
    for pair, picture in zip(pairs, drawn, strict=True):
        tiles = [_frame(tile) for tile in (as_picture(pair.hint), pair.image, picture)]
        rows.append(np.concatenate(tiles, axis=1))
    return np.concatenate(rows)


def save_grid(picture: NDArray[np.uint8], path: Path) -> None:
    """Write [H, W, 3] uint8 RGB as a PNG, aside first."""
    replace(lambda partial: Image.fromarray(picture).save(partial, format="PNG"), path)


def _frame(tile: np.ndarray) -> np.ndarray:
    return np.pad(tile, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)
