"""What a step costs beside its arithmetic."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import datasets
import pytest
import torch

from manifests.control import ControlSettings
from manifests.train_settings import EngineSettings
from tests.train.engines import engine_of, recipe_of
from train.batches import Samples
from train.fit import backward
from train.launch import ROOT
from train.micro_batch import repeated
from train.speed import can_compile

GAUSSIAN = ControlSettings(connections="gaussian")  # so that there are gradients everywhere
PAGES = 64 * 256  # of 64 MB
TEN_TENSORS = """
import resource
import torch
from train.speed import keep_freed_memory

keep_freed_memory()
for _ in range(5):  # until small blocks lie where they leave room for a large one
    torch.ones(16_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(16_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_memory_that_was_freed_is_not_mapped_again() -> None:
    """In a process of its own: in one that has run other tests, their threads take pages meanwhile."""
    faults = subprocess.run([sys.executable, "-c", TEN_TENSORS], cwd=ROOT, capture_output=True, text=True, check=True)

    assert int(faults.stdout) < PAGES


def test_blocks_are_compiled_where_a_compiler_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = tmp_path / "include"
    headers.mkdir()
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(headers))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert not can_compile()
    (headers / "Python.h").touch()
    assert not can_compile()
    (tmp_path / "gcc").touch(mode=0o755)
    assert can_compile()


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler, as inductor does on a CPU")
def test_compiled_blocks_compute_what_others_do(base_folder: str, table: datasets.Dataset) -> None:
    plain, compiled = (
        engine_of(str(base_folder), speed=EngineSettings(compile=each), kind=GAUSSIAN) for each in (False, True)
    )
    batch = repeated(Samples(table, recipe_of(plain))[0], 2)
    losses = [backward(engine, batch, share=2) for engine in (plain, compiled)]
    assert torch.allclose(*map(torch.as_tensor, losses), rtol=1e-4)
    for one, other in zip(plain.control.parameters(), compiled.control.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-6)
