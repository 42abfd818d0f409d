"""A digest of the locked copy's weights, taken at the speed of memory: another base under the same name is noticed."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields

import numpy as np
import torch

from train.base import Base

SCHEDULE = (  # of a scheduler's config, what decides the noise of a step and what is predicted; the rest is drawing
    *("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas"),
    *("rescale_betas_zero_snr", "prediction_type"),
)


def base_digest(base: Base) -> str:
    """First 16 hex digits of a sha256 over the noise schedule and, of every weight, its name, shape, dtype and sum.

    The sum is of its bits as 64-bit integers, modulo 2^64, whatever the order. So it is exact on every machine, and
    sees every change that is no permutation within one weight. As the base is loaded, before its weights are rounded.
    Settings of schedulers that a later version of diffusers adds do not change it.
    """
    schedule = {name: base.scheduler.config[name] for name in SCHEDULE if base.scheduler.config.get(name)}
    digest = hashlib.sha256(json.dumps(schedule, sort_keys=True, default=str).encode())
    for name, module in _modules(base):
        for weight, tensor in sorted(module.state_dict().items()):
            said = f"{name}.{weight} {list(tensor.shape)} {tensor.dtype} {_sum_of_bits(tensor)}\n"
            digest.update(said.encode())
    return digest.hexdigest()[:16]


def check_base(base: Base, name: str, *, digest: str) -> None:
    """Refuse a base that has changed since the control was trained on it; what was not recorded is not held against it.

    Args:
        base: as it was loaded.
        name: of it, for the error.
        digest: recorded in training; "": of a run before it was.
    """
    found = base_digest(base) if digest else ""
    if found != digest:
        raise ValueError(
            f"{name}: its weights or its noise schedule are not those that the control was trained on ({found}, not "
            f"{digest}). Put the base back, or train on this one"
        )


def _modules(base: Base) -> Iterator[tuple[str, torch.nn.Module]]:
    for field in fields(base):
        value = getattr(base, field.name)
        for number, part in enumerate(value if isinstance(value, tuple) else (value,)):
            if isinstance(part, torch.nn.Module):
                yield f"{field.name}.{number}", part


def _sum_of_bits(tensor: torch.Tensor) -> str:
    """Sum a tensor's bytes as 64-bit integers, and give those left over at its end as they are."""
    octets = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    whole = len(octets) // 8 * 8
    total = int(np.add.reduce(octets[:whole].view(np.int64)))
    return f"{total} {octets[whole:].tobytes().hex()}"
