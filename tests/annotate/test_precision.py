"""Sums are the same on every machine, and what a threshold cuts is computed in float32."""

from collections.abc import Iterator

import cv2
import pytest
import torch
from torch import nn

from annotate.annotate_worker import pin_threads
from annotate.precision import InFloat32, rounded

CPU = torch.device("cpu")


@pytest.fixture
def _restored() -> Iterator[None]:
    """The settings of this process as they were."""
    threads, of_opencv = torch.get_num_threads(), cv2.getNumThreads()
    cudnn = torch.backends.cudnn
    flags = cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, cudnn.deterministic
    yield
    torch.set_num_threads(threads)
    cv2.setNumThreads(of_opencv)
    cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, cudnn.deterministic = flags


@pytest.mark.usefixtures("_restored")
def test_a_worker_sums_on_one_thread_and_never_in_tf32() -> None:
    pin_threads()
    assert torch.get_num_threads() == cv2.getNumThreads() == 1
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.deterministic


@torch.inference_mode()
def test_a_head_computes_in_float32_whatever_runs_around_it() -> None:
    body, head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 1, 1)
    pictures = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with rounded(CPU, "bf16"):
        features = body(pictures)
        made = InFloat32(head)(features)
        assert features.dtype == head(features).dtype == torch.bfloat16
    assert made.dtype == torch.float32
    assert torch.equal(made, head(features.float()))


@torch.inference_mode()
def test_fp32_changes_nothing() -> None:
    body = nn.Conv2d(3, 4, 3)
    pictures = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with rounded(CPU, "fp32"):
        assert torch.equal(body(pictures), body(pictures))
        assert body(pictures).dtype == torch.float32
