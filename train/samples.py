"""Samples: what the ControlNet draws during training, beside the hint it was given and the real picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, DDIMScheduler, StableDiffusionControlNetPipeline
from PIL import Image
from torch import Tensor

from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.gather import Families, gather_shard
from manifests.manifest import EvaluateSettings, Manifest
from manifests.storage import replace
from manifests.subset import held_out
from train.base import Base
from train.batches import crop_pair, decode_image
from train.hints import as_picture, hint

GAP = 4  # pixels between two pictures of a grid


@dataclass(frozen=True)
class Pair:
    """One picture of the validation split."""

    key: str
    caption: str
    image: np.ndarray  # [H, W, 3] uint8 RGB
    hint: Tensor  # [3, H, W] float32 in [0, 1]


def validation_pairs(manifest: Manifest) -> list[Pair]:
    """Read the pictures that every grid of a run shows, the same for all runs on a dataset and condition."""
    dataset = Dataset.open(manifest.dataset)
    kind = dataset.card(manifest.condition).kind
    families = Families(manifest.condition, manifest.captions)
    rows = held_out(manifest, "validation", samples=manifest.train.samples, seed=0)
    pairs = []
    for place in range(len(rows)):
        row = rows.slice(place, 1).append_column("position", [[0]])
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


@torch.no_grad()
def draw(base: Base, controlnet: ControlNetModel, pairs: Sequence[Pair], settings: EvaluateSettings) -> np.ndarray:
    """Draw every pair's caption under its hint.

    Args:
        controlnet: in the base's dtype.
        settings: steps, guidance, control scale and seed, those of the evaluation.

    Returns:
        [B, H, W, 3] uint8 RGB.
    """
    pipeline = StableDiffusionControlNetPipeline(
        vae=base.vae,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        unet=base.unet,
        controlnet=controlnet,
        scheduler=DDIMScheduler.from_config(base.scheduler.config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(
        prompt=[pair.caption for pair in pairs],
        negative_prompt=[settings.negative_prompt] * len(pairs),
        image=torch.stack([pair.hint for pair in pairs]),
        num_inference_steps=settings.steps,
        guidance_scale=settings.guidance,
        controlnet_conditioning_scale=settings.control_scale,
        generator=[sample_generator(settings.seed, pair.key, draw=0) for pair in pairs],
        output_type="np",
    ).images
    return (np.asarray(drawn) * 255).round().clip(0, 255).astype(np.uint8)


def sample_generator(seed: int, key: str, *, draw: int) -> torch.Generator:
    """Seed the drawing of one sample; another `draw` of the same sample starts from other noise."""
    return torch.Generator().manual_seed(int(sha256(f"{seed}:{key}:{draw}".encode()).hexdigest()[:15], 16))


def grid(pairs: Sequence[Pair], drawn: np.ndarray) -> np.ndarray:
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


def save_grid(picture: np.ndarray, path: Path) -> None:
    """Write [H, W, 3] uint8 RGB as a PNG, aside first."""
    replace(lambda partial: Image.fromarray(picture).save(partial, format="PNG"), path)


def _frame(tile: np.ndarray) -> np.ndarray:
    return np.pad(tile, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)
