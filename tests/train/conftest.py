"""A Stable Diffusion pipeline of toy size, never trained, and pictures with edges."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from diffusers import AutoencoderKL, ControlNetModel, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.index import build_index
from manifests.layout import shard_name, shard_path
from manifests.record import IMAGES, PLAN, family_schema
from train.base import Base, load_base
from train.controlnet import trainable_copy

SIDE = 32  # pixels; latents are 4 by 4
WIDTH = 16


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # networks of toy size only wait for each other's threads


@pytest.fixture(autouse=True)
def _fresh_accelerator() -> Iterator[None]:
    yield
    AcceleratorState._reset_state(reset_partial_state=True)  # accelerate remembers the precision of a process


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder / "tokenizer")
    _autoencoder().save_pretrained(folder / "vae")
    _denoiser().save_pretrained(folder / "unet")
    _text_encoder(tokenizer).save_pretrained(folder / "text_encoder")
    _noise_schedule().save_pretrained(folder / "scheduler")
    tokenizer.save_pretrained(folder / "tokenizer")
    (folder / "model_index.json").write_text(
        json.dumps(
            {
                "_class_name": "StableDiffusionPipeline",
                "vae": ["diffusers", "AutoencoderKL"],
                "unet": ["diffusers", "UNet2DConditionModel"],
                "text_encoder": ["transformers", "CLIPTextModel"],
                "tokenizer": ["transformers", "CLIPTokenizer"],
                "scheduler": ["diffusers", "DDPMScheduler"],
                "safety_checker": [None, None],
                "feature_extractor": [None, None],
            }
        )
    )
    return folder


@pytest.fixture
def base(base_folder: Path) -> Base:
    return load_base(str(base_folder))


@pytest.fixture
def controlnet(base: Base) -> ControlNetModel:
    return trainable_copy(base.unet, seed=0)


@pytest.fixture(scope="session")
def table() -> datasets.Dataset:
    """A training set of 12 pictures in memory, each with its edges and two captions."""
    rows = [_row(number) for number in range(12)]
    return datasets.Dataset.from_list(rows)


@pytest.fixture(scope="session")
def dataset_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 48 pictures in two shards, with their edges, indexed."""
    root = tmp_path_factory.mktemp("data") / "circles"
    dataset = Dataset.create(root, splits={"train": 0.6, "validation": 0.2, "test": 0.2}, shard_rows=24)
    create_card(root, FamilyCard(family="canny", annotator="canny", version=1, kind="binary"))
    plan = pa.table({"shard": [0] * 24 + [1] * 24, "source": ["circles"] * 48, "member": ["-"] * 48}, schema=PLAN)
    _publish(plan, root / "plan" / "00.parquet")
    for shard in range(2):
        rows = [_row(number) for number in range(24 * shard, 24 * shard + 24)]
        name = shard_name(0, shard)
        _publish(pa.Table.from_pylist([_image_row(row) for row in rows], IMAGES), shard_path(root, "images", name))
        schema = family_schema("binary", {}, {})
        _publish(pa.Table.from_pylist([_condition_row(row) for row in rows], schema), shard_path(root, "canny", name))
    build_index(dataset)
    return root


@pytest.fixture
def manifest_path(tmp_path: Path, dataset_root: Path, base_folder: Path) -> Path:
    """A manifest for 16 rows of it and six steps on the base of toy size."""
    train = {
        "steps": 6,
        "batch_size": 4,
        "learning_rate": 1e-3,
        "precision": "no",
        "workers": 0,
        "checkpoint_every": 2,
        "sample_every": 3,
        "samples": 2,
    }
    manifest = {
        "dataset": str(dataset_root),
        "condition": "canny",
        "rows": 16,
        "base": str(base_folder),
        "resolution": 32,
        "train": train,
        "evaluate": {"steps": 2},
    }
    path = tmp_path / "circles.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


def _publish(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)


def _image_row(row: dict[str, Any]) -> dict[str, object]:
    digest = sha256(row["image"]["bytes"]).hexdigest()
    kept = {name: row[name] for name in ("key", "captions", "image", "width", "height")}
    return {**kept, "sha256": digest, "stored_sha256": digest, "conversion": ""}


def _condition_row(row: dict[str, Any]) -> dict[str, object]:
    kept = {name: row[name] for name in ("key", "condition", "width", "height")}
    return {**kept, "status": "ok", "code": "", "error": ""}


def _row(number: int) -> dict[str, Any]:
    rng = np.random.default_rng(number)
    image = np.full((40, 48, 3), rng.integers(0, 255, 3), np.uint8)
    colour = tuple(int(value) for value in rng.integers(0, 255, 3))
    cv2.circle(image, (24, 20), int(rng.integers(6, 16)), colour, -1)
    edges = (cv2.Canny(image, 20, 60) > 0).astype(np.uint8)
    return {
        "key": f"{number:016x}",
        "captions": [f"circle {number}", f"a circle of number {number}"],
        "image": {"bytes": cv2.imencode(".png", image)[1].tobytes(), "path": None},
        "condition": encode("binary", edges),
        "width": 48,
        "height": 40,
    }


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=4,
        sample_size=SIDE,
    )


def _denoiser() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=SIDE // 8,
        block_out_channels=(WIDTH, WIDTH),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=2,
        norm_num_groups=4,
    )


def _text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=12,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """Letters and nothing longer."""
    letters = [chr(code) for code in range(33, 127)]
    symbols = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({symbol: number for number, symbol in enumerate(symbols)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=12)


def _noise_schedule() -> DDPMScheduler:
    return DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)
