"""Shares work out among Ray actors that hold their models: one per GPU, else one per core."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray.data import DataContext

from annotate.job import connect

Batch = dict[str, NDArray[Any]]
TROUBLE = "trouble"  # column of what was wrong, for the user to mend; "" for nothing


def on_actors(
    actor: type, arguments: tuple[Any, ...], items: Sequence[dict[str, Any]], *, actors: int | None = None
) -> Iterator[dict[str, Any]]:
    """Give every item to some actor; they come back in the order in which they are done.

    Args:
        actor: called with batches of one item; it adds the column `TROUBLE`.
        arguments: it is made with.
        actors: how many share the work; 0: this process does it all, without Ray. Default: one per GPU, else one per
            CPU.

    Raises:
        ValueError: What an actor said was wrong.
    """
    if not items:
        return
    for row in _here(actor(*arguments), items) if actors == 0 else _on_ray(actor, arguments, items, actors):
        if row[TROUBLE]:
            raise ValueError(row[TROUBLE])
        yield row


def _here(worker: Callable[[Batch], Batch], items: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        done = worker({name: np.array([value]) for name, value in item.items()})
        yield {name: column[0] for name, column in done.items()}


def _on_ray(
    actor: type, arguments: tuple[Any, ...], items: Sequence[dict[str, Any]], actors: int | None
) -> Iterator[dict[str, Any]]:
    DataContext.get_current().enable_progress_bars = False
    connect(actors or os.cpu_count() or 1)
    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0))
    count = min(len(items), actors or gpus or max(1, int(resources.get("CPU", 1))))
    results = ray.data.from_items(list(items), override_num_blocks=len(items)).map_batches(
        actor,
        fn_constructor_args=arguments,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=count),
        num_cpus=0 if gpus else 1,
        num_gpus=1 if gpus else 0,
    )
    yield from results.iter_rows()


def with_trouble(batch: Batch, troubles: Sequence[str]) -> Batch:
    """The batch, with what was wrong with each item of it."""
    return {**batch, TROUBLE: np.array(troubles)}


def device() -> torch.device:
    """The GPU that Ray gave this actor, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
