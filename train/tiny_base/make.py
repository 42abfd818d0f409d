"""Train the tiny base: VAE first, then U-Net and text encoder on its latents.

python pipelines/ingest.py playroom:16000 data/playroom_16k
python pipelines/ingest.py fill50k:16000 data/fill50k_16k
python train/tiny_base/make.py data/playroom_16k data/fill50k_16k
python train/tiny_base/make.py data/playroom_16k data/fill50k_16k --start train/tiny_base/model --minutes 16 43 --seed 1
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
from transformers import CLIPTokenizer

from train.tiny_base.architecture import noise_schedule, word_tokenizer
from train.tiny_base.autoencoder import fit_autoencoder
from train.tiny_base.denoiser import Conditioned, encode_moments, fit_denoiser
from train.tiny_base.read import read

MODEL = Path(__file__).parent / "model"


def main(
    datasets: Annotated[list[Path], typer.Argument(help="Ingested playroom and fill50k datasets.")],
    minutes: Annotated[tuple[float, float], typer.Option(help="Minutes for the VAE and for the U-Net.")] = (15, 25),
    output: Annotated[Path, typer.Option(help="Folder of the pipeline.")] = MODEL,
    start: Annotated[Path | None, typer.Option(help="A tiny base to go on training.")] = None,
    seed: int = 0,
) -> None:
    """Write a complete text-to-image pipeline in diffusers layout, as fp16 safetensors."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pictures, captions = read(datasets)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    old = StableDiffusionPipeline.from_pretrained(start, torch_dtype=torch.float32) if start else None
    vae = fit_autoencoder(images, seconds=60 * minutes[0], seed=seed, device=device, start=old and old.vae)
    moments = encode_moments(vae, images, device).to(device)
    tokenizer = old.tokenizer if old else make_tokenizer(captions)
    known = Conditioned(old.unet, old.text_encoder) if old else None
    model = fit_denoiser(moments, captions, tokenizer, seconds=60 * minutes[1], seed=seed, start=known)
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


def make_tokenizer(captions: list[str]) -> CLIPTokenizer:
    """The tokenizer of these captions; its files go with it."""
    with tempfile.TemporaryDirectory() as aside:
        return word_tokenizer(captions, Path(aside))


def save(pipeline: StableDiffusionPipeline, output: Path) -> None:
    """Write the pipeline's folder in fp16, whole or not at all."""
    aside = Path(tempfile.mkdtemp(dir=output.parent))
    for part in (pipeline.vae, pipeline.unet):
        part.register_to_config(_name_or_path="")  # else the folder that it was once read from
    pipeline.to(torch.float16).save_pretrained(aside)
    shutil.rmtree(output, ignore_errors=True)
    aside.chmod(0o755)
    aside.rename(output)


if __name__ == "__main__":
    typer.run(main)
