"""The audit as a command: what it ends with, what it writes, what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from manifests.dataset import Dataset
from pipelines.audit import main
from tests.evaluate.audit import plant
from tests.toy_run import write_dataset

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_dataset(tmp_path_factory.mktemp("audited") / "room")


@pytest.fixture
def command() -> Command:
    app = typer.Typer()
    app.command()(main)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_it_computes_as_the_workers_that_made_the_families(
    dataset: Dataset, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    command(dataset.root, "--family", "canny", "--sample", 1, "--out", dataset.root / "one.json")
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.allow_tf32


def test_it_ends_with_0_and_leaves_a_page_and_json_beside_the_data(dataset: Dataset, command: Command) -> None:
    done = command(dataset.root, "--family", "canny", "--sample", 20)
    assert done.exit_code == 0, done.output
    assert json.loads((dataset.root / "audit.json").read_text())["state"] == "pass"
    assert (dataset.root / "audit.html").exists()
    assert "audit.json" in done.output.splitlines()[-1]


def test_it_ends_with_1_where_a_check_fails_and_names_the_way_out(command: Command, tmp_path: Path) -> None:
    spoilt = write_dataset(tmp_path / "room")
    plant.conditions(spoilt, "canny", lambda edges: (1 - edges).astype(np.uint8))
    done = command(spoilt.root, "--family", "canny", "--sample", 20, "--out", tmp_path / "said.json")
    assert done.exit_code == 1
    assert "--refresh" in done.output.replace("\n", " ")
    failed = [one for one in json.loads((tmp_path / "said.json").read_text())["verdicts"] if one["state"] == "fail"]
    assert [(one["check"], one["family"]) for one in failed] == [("polarity", "canny")]
    assert not (spoilt.root / "audit.html").exists()


def test_another_file_than_a_page_or_json_is_refused(dataset: Dataset, command: Command) -> None:
    done = command(dataset.root, "--out", "audit.pdf")
    assert isinstance(done.exception, ValueError)
    assert "neither a page nor JSON" in str(done.exception)


def test_a_stand_in_of_another_kind_is_refused(dataset: Dataset, command: Command) -> None:
    done = command(dataset.root, "--family", "truth_depth", "--stand-in", "truth_depth=canny")
    assert "makes binary, but truth_depth holds depth" in str(done.exception)
