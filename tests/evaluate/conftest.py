"""One trained run of toy size for all tests of the folder."""

from pathlib import Path

import pytest
import torch

from tests.toy_base import write_toy_base
from tests.toy_run import train, write_dataset, write_manifest


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # networks of toy size only wait for each other's threads


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_toy_base(folder)
    return folder


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Path:
    """A finished run, whose dataset lies beside it."""
    home = tmp_path_factory.mktemp("toy")
    write_dataset(home / "playroom")
    train(write_manifest(home / "toy.yaml", home / "playroom", base_folder), home / "run")
    return home / "run"
