"""Make the tiny base: `python train/tiny_base/make.py data/playroom_18k data/fill50k_6k --minutes 20 60`.

The datasets are those of `pipelines/ingest.py playroom:16000 …` and `pipelines/ingest.py fill50k:4000 …`. Writes a
complete text-to-image pipeline in diffusers layout (fp16 safetensors) with a model card and a grid of what it draws.
"""

import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

sys.path[0] = str(Path(__file__).resolve().parents[2])

import cv2
import numpy as np
import torch
import typer
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from torch import Tensor

from manifests.dataset import Dataset
from train.tiny_base import colours
from train.tiny_base.architecture import noise_schedule, word_tokenizer
from train.tiny_base.autoencoder import fit_autoencoder
from train.tiny_base.denoiser import encode_moments, fit_denoiser

MODEL = Path(__file__).parent / "model"
GUIDANCE, STEPS, JUDGED = 3.0, 20, 200


def main(
    datasets: Annotated[list[Path], typer.Argument(help="Ingested playroom and fill50k datasets.")],
    minutes: Annotated[tuple[float, float], typer.Option(help="Minutes for the VAE and for the U-Net.")] = (20, 60),
    output: Annotated[Path, typer.Option(help="Folder of the pipeline.")] = MODEL,
    seed: int = 0,
) -> None:
    """Train VAE, then U-Net with text encoder; save, draw, measure."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pictures, captions = read(datasets)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    vae = fit_autoencoder(images, seconds=60 * minutes[0], batch_size=16, seed=seed, device=device)
    moments = encode_moments(vae, images, device).to(device)
    tokenizer = word_tokenizer(captions, Path(tempfile.mkdtemp()))
    model = fit_denoiser(moments, captions, tokenizer, seconds=60 * minutes[1], batch_size=32, seed=seed)
    pipeline = StableDiffusionPipeline(
        vae=vae.cpu(),
        text_encoder=model.text.cpu(),
        tokenizer=tokenizer,
        unet=model.unet.cpu(),
        scheduler=noise_schedule(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    save(pipeline, output)
    judge(output, pictures, captions)


def read(datasets: list[Path]) -> tuple[NDArray[np.uint8], list[str]]:
    """All pictures [N, 128, 128, 3] uint8 RGB and captions of some datasets."""
    pictures, captions = [], []
    for dataset in map(Dataset.open, datasets):
        for name in dataset.shards("images"):
            table = dataset.read("images", name, columns=["image", "captions"])
            for row in table.to_pylist():
                raw = np.frombuffer(row["image"]["bytes"], np.uint8)
                pictures.append(np.asarray(cv2.imdecode(raw, cv2.IMREAD_COLOR_RGB), np.uint8))
                captions.append(row["captions"][0])
    return np.stack(pictures), captions


def save(pipeline: StableDiffusionPipeline, output: Path) -> None:
    """Write the pipeline's folder in fp16, whole or not at all."""
    aside = Path(tempfile.mkdtemp(dir=output.parent))
    pipeline.to(torch.float16).save_pretrained(aside)
    shutil.rmtree(output, ignore_errors=True)
    aside.chmod(0o755)
    aside.rename(output)


def judge(folder: Path, pictures: NDArray[np.uint8], captions: list[str]) -> None:
    """Draw `JUDGED` captions, compare their colours with what they name, write grid and numbers beside the model."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    asked = [captions[row] for row in np.linspace(0, len(captions) - 1, JUDGED).astype(int)]
    drawn = draw(pipeline, asked)
    sample = np.linspace(0, len(captions) - 1, 2_000).astype(int)
    known = colours.references(list(pictures[sample]), [captions[row] for row in sample])
    rows = np.linspace(0, len(captions) - 1, JUDGED).astype(int)
    rebuilt = reconstruct(pipeline, torch.from_numpy(pictures[rows]))
    shares = {
        "drawn": colours.agreement(drawn, asked, known),
        "real": colours.agreement(list(pictures[rows]), asked, known),
        "chance": colours.chance(known),
    }
    error = float(np.mean((rebuilt.astype(float) - pictures[rows]) ** 2))
    psnr = 10 * np.log10(255**2 / error)
    (folder / "numbers.json").write_text(json.dumps({"colours": shares, "vae_psnr": psnr, "n": JUDGED}, indent=1))
    grid = [np.hstack(drawn[start : start + 10]) for start in range(0, JUDGED, JUDGED // 6)][:6]
    cv2.imwrite(str(folder / "grid.png"), np.vstack(grid)[..., ::-1])
    logging.info("%s", json.dumps(shares))


def draw(pipeline: StableDiffusionPipeline, captions: list[str]) -> list[NDArray[np.uint8]]:
    """One picture per caption, seeded by its place: [128, 128, 3] uint8."""
    drawn = []
    for start in range(0, len(captions), 20):
        chunk = captions[start : start + 20]
        generators = [torch.Generator().manual_seed(start + row) for row in range(len(chunk))]
        made = pipeline(chunk, num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generators).images
        drawn += [np.asarray(picture) for picture in made]
    return drawn


@torch.no_grad()
def reconstruct(pipeline: StableDiffusionPipeline, pictures: Tensor) -> NDArray[np.uint8]:
    """[N, 128, 128, 3] uint8 pictures through the VAE and back."""
    pixels = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    rebuilt = torch.cat([pipeline.vae.decode(pipeline.vae.encode(x).latent_dist.mean).sample for x in pixels.split(50)])
    return ((rebuilt + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


if __name__ == "__main__":
    typer.run(main)
