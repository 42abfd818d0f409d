"""Train the tiny base: VAE first, then U-Net and text encoder on its latents.

python pipelines/ingest.py playroom:16000 data/playroom_16k
python pipelines/ingest.py fill50k:4000 data/fill50k_4k
python train/tiny_base/make.py data/playroom_16k data/fill50k_4k
"""

import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import torch
import typer
from diffusers import StableDiffusionPipeline

from train.tiny_base.architecture import noise_schedule, word_tokenizer
from train.tiny_base.autoencoder import fit_autoencoder
from train.tiny_base.denoiser import encode_moments, fit_denoiser
from train.tiny_base.read import read

MODEL = Path(__file__).parent / "model"


def main(
    datasets: Annotated[list[Path], typer.Argument(help="Ingested playroom and fill50k datasets.")],
    minutes: Annotated[tuple[float, float], typer.Option(help="Minutes for the VAE and for the U-Net.")] = (15, 25),
    output: Annotated[Path, typer.Option(help="Folder of the pipeline.")] = MODEL,
    seed: int = 0,
) -> None:
    """Write a complete text-to-image pipeline in diffusers layout, as fp16 safetensors."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pictures, captions = read(datasets)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    vae = fit_autoencoder(images, seconds=60 * minutes[0], batch_size=8, seed=seed, device=device)
    moments = encode_moments(vae, images, device).to(device)
    with tempfile.TemporaryDirectory() as aside:
        tokenizer = word_tokenizer(captions, Path(aside))
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


def save(pipeline: StableDiffusionPipeline, output: Path) -> None:
    """Write the pipeline's folder in fp16, whole or not at all."""
    aside = Path(tempfile.mkdtemp(dir=output.parent))
    pipeline.to(torch.float16).save_pretrained(aside)
    shutil.rmtree(output, ignore_errors=True)
    aside.chmod(0o755)
    aside.rename(output)


if __name__ == "__main__":
    typer.run(main)
