"""A dataset, a base and a manifest of toy size, and one Ray for all tests of the folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
import torch

from tests.toy_base import write_toy_base
from tests.toy_run import write_dataset, write_manifest


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # networks of toy size only wait for each other's threads


@pytest.fixture(scope="session", autouse=True)
def _one_ray() -> Iterator[None]:
    yield  # the first job starts it
    ray.shutdown()


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with playroom/, base/ and toy.yaml."""
    home = tmp_path_factory.mktemp("toy")
    write_toy_base(home / "base")
    write_dataset(home / "playroom")
    write_manifest(home / "toy.yaml", home / "playroom", home / "base")
    return home
