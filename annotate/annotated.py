"""A batch annotated: what a detector can't bear is a fact about a picture, what the machine can't is none."""

import re
from collections.abc import Sequence
from typing import Any

import torch

from annotate.annotator import Annotate, Condition, Parameters
from annotate.rows import Fault

OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)
NO_MEMORY = re.compile(r"out of memory|can't allocate memory|ALLOC_FAILED|Failed to allocate memory")  # in other words
OF_MACHINE = re.compile(r"CUDA|CUDNN|cuDNN|CUBLAS|HIP error|NCCL")  # a driver's or library's own trouble


def annotated(annotate: Annotate, arrays: Any, drawn: Sequence[Parameters]) -> list[Condition | Fault]:
    """Annotate a batch; when a picture spoils it, each picture by itself.

    Raises:
        MemoryError: The batch doesn't fit; and whatever else is the machine's fault, as it comes.
    """
    try:
        return annotate(arrays, drawn)
    except (*OUT_OF_MEMORY, OSError, torch.AcceleratorError):  # not the picture's fault
        raise
    except Exception as error:  # whatever else a detector raises is a fact about these pictures
        if NO_MEMORY.search(str(error)):
            raise MemoryError(str(error)) from error
        if OF_MACHINE.search(str(error)):
            raise
        if len(arrays) == 1:
            return [Fault("annotate", type(error).__name__, str(error))]
        return [
            result
            for place in range(len(arrays))
            for result in annotated(annotate, arrays[place : place + 1], [drawn[place]])
        ]
