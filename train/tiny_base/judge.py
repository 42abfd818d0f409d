"""Measure the tiny base on captions and pictures it was not trained on, write its model card.

python pipelines/ingest.py playroom:400 data/playroom_judge --seed 1
python pipelines/ingest.py fill50k:400 data/fill50k_judge --seed 1
python train/tiny_base/judge.py data/playroom_judge data/fill50k_judge
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import cv2
import jinja2
import numpy as np
import torch
import typer
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from torch import Tensor

from train.tiny_base import colours
from train.tiny_base.make import MODEL
from train.tiny_base.read import read

GUIDANCE, STEPS = 3.0, 20
COLUMNS, ROWS = 10, 3  # of the grid, for each corpus
DRAWN_AT_ONCE = 20
CARD = Path(__file__).parent / "card.md.j2"


@dataclass(frozen=True)
class Judgement:
    """What the card says: shares in [0, 1] by part, the VAE's PSNR in dB, its files' megabytes, millions of weights."""

    drawn: dict[str, float]
    real: dict[str, float]
    chance: dict[str, float]
    counts: dict[str, int]
    psnr: float
    megabytes: float
    millions: dict[str, float]


def main(
    datasets: Annotated[list[Path], typer.Argument(help="Ingested playroom and fill50k datasets, of another seed.")],
    model: Annotated[Path, typer.Option(help="Folder of the pipeline.")] = MODEL,
    count: Annotated[int, typer.Option(help="Captions drawn of each dataset.")] = 200,
) -> None:
    """Draw captions, compare the colours with those named, write grid.png and README.md beside the model."""
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pictures, captions = read(datasets)
    asked = [read([dataset])[1][:count] for dataset in datasets]
    drawn = [draw(pipeline, some) for some in asked]
    known = colours.references(list(pictures), captions)
    judgement = Judgement(
        drawn=colours.agreement([p for some in drawn for p in some], [c for some in asked for c in some], known),
        real=colours.agreement(list(pictures), captions, known),
        chance=colours.chance(known),
        counts={"drawn": sum(map(len, asked)), "real": len(captions)},
        psnr=psnr(pictures, reconstruct(pipeline, torch.from_numpy(pictures))),
        megabytes=sum(path.stat().st_size for path in model.rglob("*.safetensors")) / 1e6,
        millions={part: getattr(pipeline, part).num_parameters() / 1e6 for part in ("vae", "unet", "text_encoder")},
    )
    cv2.imwrite(str(model / "grid.png"), grid(drawn)[..., ::-1])
    template = jinja2.Template(CARD.read_text(), keep_trailing_newline=True, trim_blocks=True)
    parts = [part for part in colours.PARTS if part in known]
    card = template.render(it=judgement, parts=parts, asked=asked, steps=STEPS, guidance=GUIDANCE)
    (model / "README.md").write_text(card)
    print(card)


def draw(pipeline: StableDiffusionPipeline, captions: list[str]) -> list[NDArray[np.uint8]]:
    """One picture per caption, seeded by its place: [128, 128, 3] uint8 RGB."""
    drawn = []
    for start in range(0, len(captions), DRAWN_AT_ONCE):
        chunk = captions[start : start + DRAWN_AT_ONCE]
        generators = [torch.Generator().manual_seed(start + place) for place in range(len(chunk))]
        made = pipeline(chunk, num_inference_steps=STEPS, guidance_scale=GUIDANCE, generator=generators).images
        drawn += [np.asarray(picture) for picture in made]
    return drawn


@torch.no_grad()
def reconstruct(pipeline: StableDiffusionPipeline, pictures: Tensor) -> NDArray[np.uint8]:
    """[N, 128, 128, 3] uint8 pictures through the VAE and back."""
    pixels = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    rebuilt = torch.cat([pipeline.vae.decode(pipeline.vae.encode(x).latent_dist.mean).sample for x in pixels.split(50)])
    return ((rebuilt + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def psnr(pictures: NDArray[np.uint8], rebuilt: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio over all pixels, dB; more is better."""
    error = np.mean((rebuilt.astype(np.float64) - pictures.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / error))


def grid(drawn: Sequence[list[NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """The first pictures of each dataset in `ROWS` rows: [H, W, 3] uint8 RGB."""
    rows = [some[row * COLUMNS : (row + 1) * COLUMNS] for some in drawn for row in range(ROWS)]
    return np.vstack([np.hstack(row) for row in rows])


if __name__ == "__main__":
    typer.run(main)
