"""One trained run of toy size for all tests of the folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, expect, sync_playwright

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window; tests that need one are skipped where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium")
    expect.set_options(timeout=30_000)  # a busy machine's Chromium needs more than the 5 s that playwright waits
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
