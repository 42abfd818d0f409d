"""Train the tiny detectors on the playroom's truth, measure them on pictures they have not seen, write their card.

python annotate/tiny/make.py                                # all three: about 35 minutes of one CPU core
python annotate/tiny/make.py depth openpose --steps 500     # these two, for fewer steps
python annotate/tiny/make.py --steps 0                      # only measure what is there
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import torch
import typer
from torch import nn

from annotate.tiny import depth, pose, pose_network, segmentation
from annotate.tiny.card import write_card
from annotate.tiny.data import TEST_SEED, TRAIN_SEED, Pictures, load_pictures
from annotate.tiny.fit import BATCH, Loss, fit

HELD_OUT = 500  # pictures that the card's accuracy is measured on


@dataclass(frozen=True)
class Recipe:
    """How one detector is trained, and where it is saved."""

    build: Callable[[], nn.Module]
    loss: Loss
    save: Callable[[nn.Module], None]
    folder: Path
    steps: int


@dataclass(frozen=True)
class Training:
    """What the card says of a training, kept beside the weights as training.json."""

    steps: int
    planned_steps: int  # over which the learning rate falls; more than were made, if the training was cut short
    batch: int
    pictures: int
    seed: int
    threads: int
    cpu_minutes: float  # of all threads together
    million_weights: float


RECIPES = {
    "depth": Recipe(depth.build, depth.loss, depth.save, depth.FOLDER, steps=600),
    "segmentation": Recipe(segmentation.build, segmentation.loss, segmentation.save, segmentation.FOLDER, steps=1_100),
    "openpose": Recipe(pose.build, pose.loss, pose.save, pose_network.FOLDER, steps=1_300),
}


def main(
    detectors: Annotated[list[str] | None, typer.Argument(help="Which to train; all of them by default.")] = None,
    steps: Annotated[int | None, typer.Option(help="Batches; each detector's own number by default.")] = None,
    pictures: Annotated[int, typer.Option(help="How many to train on.")] = 12_000,
    threads: int = 2,
    seed: int = 0,
    cache: Annotated[Path, typer.Option(help="Folder where drawn pictures are kept.")] = Path("data/tiny"),
) -> None:
    """Make the tiny detectors."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(threads)
    if steps != 0:
        drawn = load_pictures(pictures, seed=TRAIN_SEED, cache=cache)
        for name in detectors or RECIPES:
            train(RECIPES[name], drawn, steps=steps or RECIPES[name].steps, seed=seed)
    logging.info(write_card(load_pictures(HELD_OUT, seed=TEST_SEED, cache=cache), seed=seed))


def train(recipe: Recipe, pictures: Pictures, *, steps: int, seed: int) -> None:
    """Train one detector; its weights are saved every so often, so that none of it is lost."""
    torch.manual_seed(seed)  # of its first weights
    network, start = recipe.build(), time.process_time()

    def save(averaged: nn.Module, step: int) -> None:
        recipe.save(averaged)
        training = Training(
            steps=step,
            planned_steps=steps,
            batch=BATCH,
            pictures=len(pictures),
            seed=seed,
            threads=torch.get_num_threads(),
            cpu_minutes=round((time.process_time() - start) / 60, 1),
            million_weights=round(sum(weight.numel() for weight in network.parameters()) / 1e6, 2),
        )
        (recipe.folder / "training.json").write_text(json.dumps(asdict(training), indent=2) + "\n")

    fit(network, recipe.loss, pictures, steps=steps, seed=seed, save=save)


if __name__ == "__main__":
    typer.run(main)
