"""Encodings of captions, kept by caption: a corpus repeats some, and prompt drop repeats the empty one."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from train.base import Base, encode_tokens
from train.text import Text, joined


class TextCache:
    """The encodings used last, up to a number of bytes, on the device they are used on.

    On the CPU every caption is encoded by itself, for a product of matrices may depend on how many there are in a
    batch: so what is kept changes no bit of any result. On a GPU the new ones of a batch are encoded together.
    """

    def __init__(self, base: Base, *, resolution: int, limit_bytes: int) -> None:
        """Begin with nothing.

        Args:
            resolution: side of the pictures in pixels, which Stable Diffusion XL is told.
            limit_bytes: 0 keeps nothing. 118 KB hold a caption of Stable Diffusion 1.5 in bfloat16, 318 KB one of XL.
        """
        self._base = base
        self._resolution = resolution
        self._limit = limit_bytes
        self._kept: OrderedDict[bytes, Text] = OrderedDict()  # oldest use first
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of what is kept."""
        return self._bytes

    def encode(self, tokens: Tensor, device: torch.device) -> Text:
        """Encode captions, or find them encoded; the host does not wait for the device.

        Args:
            tokens: [B, T] or [B, 2, T] int64 on the CPU, where they are compared.
            device: the base's.

        Returns:
            As `encode_tokens`.
        """
        assert tokens.device.type == "cpu", "reading tokens back from a device would wait for it"
        keys = [row.numpy().tobytes() for row in tokens]
        new = {key: row for key, row in zip(keys, tokens, strict=True) if key not in self._kept}
        texts = dict(zip(new, self._encoded(list(new.values()), device), strict=True))
        texts |= {key: self._kept[key] for key in keys if key in self._kept}
        for key in keys:
            self._keep(key, texts[key])
        return joined([texts[key] for key in keys])

    def _encoded(self, rows: Sequence[Tensor], device: torch.device) -> list[Text]:
        """Encode captions, each [1, ...] of the result in memory of its own."""
        if not rows:
            return []
        if device.type == "cpu":
            return [encode_tokens(self._base, row[None], resolution=self._resolution) for row in rows]
        tokens = torch.stack(list(rows)).pin_memory().to(device, non_blocking=True)
        return encode_tokens(self._base, tokens, resolution=self._resolution).rows()

    def _keep(self, key: bytes, text: Text) -> None:
        """Make it the one used last, and forget those used longest ago that no longer fit."""
        if key not in self._kept:
            self._kept[key] = text
            self._bytes += text.nbytes
        self._kept.move_to_end(key)
        while self._bytes > self._limit:
            _, forgotten = self._kept.popitem(last=False)
            self._bytes -= forgotten.nbytes
