from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from train import autoencoder
from train.autoencoder import autoencoder_batches
from train.base import Base, decode_latents
from train.round_trip import round_trip


def test_larger_pictures_come_in_smaller_batches_and_none_is_left_out() -> None:
    assert autoencoder_batches(40, side=512) == [slice(0, 16), slice(16, 32), slice(32, 48)]
    assert [len(range(10)[batch]) for batch in autoencoder_batches(10, side=1_024)] == [4, 4, 2]
    assert autoencoder_batches(2, side=8_192) == [slice(0, 1), slice(1, 2)]


def test_pictures_are_the_same_whatever_the_batches(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    latents = torch.randn(3, *base.latent_shape(32), generator=torch.Generator().manual_seed(0))
    seen: list[int] = []
    base.vae.decoder.register_forward_hook(lambda _module, given, _made: seen.append(len(given[0])))
    ways: list[Callable[[], NDArray[np.uint8]]] = [
        lambda: round_trip(base.vae, pictures),
        lambda: decode_latents(base, latents),
    ]
    whole = [way() for way in ways]
    assert seen == [3, 3]
    monkeypatch.setattr(autoencoder, "AT_ONCE", 2 * 32 * 32)
    for way, together in zip(ways, whole, strict=True):
        assert np.abs(way().astype(int) - together).max() <= 1  # of 255: sums in another order
    assert seen[2:] == [2, 1, 2, 1]
