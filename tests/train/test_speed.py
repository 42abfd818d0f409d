"""What a step costs beside its arithmetic."""

import platform
import subprocess
import sys

import pytest

from train.launch import ROOT

PAGES = 64 * 256  # of 64 MB
TEN_TENSORS = """
import resource
import torch
from train.speed import keep_freed_memory

keep_freed_memory()
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
