"""What a step costs beside its arithmetic."""

import platform
import resource

import pytest
import torch

from train.speed import keep_freed_memory

MEGABYTES = 64
PAGES = MEGABYTES * 256


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_memory_that_was_freed_is_not_mapped_again() -> None:
    keep_freed_memory()
    torch.ones(MEGABYTES * 250_000)
    before = _faults()
    for _ in range(10):
        torch.ones(MEGABYTES * 250_000)

    assert _faults() - before < PAGES


def _faults() -> int:
    """Pages that the kernel has given this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
