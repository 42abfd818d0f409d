"""Train the tiny detectors on the playroom's truth, measure them on pictures they have not seen, write their card.

python annotate/tiny/make.py                                # all three: about 35 minutes of one CPU core
python annotate/tiny/make.py depth openpose --steps 500     # these two, for fewer steps
python annotate/tiny/make.py depth --go-on --steps 150 --rate 5e-4
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
from annotate.tiny.card import read_training, write_card
from annotate.tiny.data import TEST_SEED, TRAIN_SEED, Pictures, load_pictures
from annotate.tiny.fit import BATCH, Loss, Schedule, fit

PICTURES = 12_000  # to learn from
HELD_OUT = 500  # pictures that the card's accuracy is measured on


@dataclass(frozen=True)
class Recipe:
    """How one detector is trained, and where it is saved."""

    build: Callable[[], nn.Module]
    load: Callable[[], nn.Module]
    loss: Loss
    save: Callable[[nn.Module], None]
    folder: Path
    steps: int


@dataclass(frozen=True)
class Training:
    """What the card says of one stretch of training; all of them are kept beside the weights as training.json."""

    rate: float
    steps: int
    planned_steps: int  # over which the learning rate falls; more than were made, if the training was cut short
    batch: int
    pictures: int
    seed: int
    threads: int
    cpu_minutes: float  # of all threads together


RECIPES = {
    "depth": Recipe(depth.build, depth.load, depth.loss, depth.save, depth.FOLDER, steps=600),
    "segmentation": Recipe(
        segmentation.build, segmentation.load, segmentation.loss, segmentation.save, segmentation.FOLDER, steps=1_100
    ),
    "openpose": Recipe(pose.build, pose_network.load_network, pose.loss, pose.save, pose_network.FOLDER, steps=1_300),
}


def main(
    detectors: Annotated[list[str] | None, typer.Argument(help="Which to train; all of them by default.")] = None,
    steps: Annotated[int | None, typer.Option(help="Batches; each detector's own number by default.")] = None,
    rate: Annotated[float, typer.Option(help="Of learning, at its peak.")] = 2e-3,
    go_on: Annotated[bool, typer.Option(help="Start from the weights that are there.")] = False,
    threads: int = 2,
    cache: Annotated[Path, typer.Option(help="Folder where drawn pictures are kept.")] = Path("data/tiny"),
) -> None:
    """Make the tiny detectors."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(threads)
    if steps != 0:
        drawn = load_pictures(PICTURES, seed=TRAIN_SEED, cache=cache)
        for name in detectors or RECIPES:
            train(RECIPES[name], drawn, steps=steps or RECIPES[name].steps, rate=rate, go_on=go_on)
    logging.info(write_card(load_pictures(HELD_OUT, seed=TEST_SEED, cache=cache), seed=0))


def train(recipe: Recipe, pictures: Pictures, *, steps: int, rate: float, go_on: bool) -> None:
    """Train one detector; its weights are saved every so often, so that none of it is lost."""
    before = read_training(recipe.folder) if go_on else []
    schedule = Schedule(steps=steps, rate=rate, seed=len(before))
    torch.manual_seed(schedule.seed)  # of its first weights
    network, start = recipe.load() if go_on else recipe.build(), time.process_time()

    def save(averaged: nn.Module, step: int) -> None:
        recipe.save(averaged)
        training = Training(
            rate=schedule.rate,
            steps=step,
            planned_steps=schedule.steps,
            batch=BATCH,
            pictures=len(pictures),
            seed=schedule.seed,
            threads=torch.get_num_threads(),
            cpu_minutes=round((time.process_time() - start) / 60, 1),
        )
        stretches = [*before, asdict(training)]
        (recipe.folder / "training.json").write_text(json.dumps(stretches, indent=2) + "\n")

    fit(network, recipe.loss, pictures, schedule=schedule, save=save)


if __name__ == "__main__":
    typer.run(main)
