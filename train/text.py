"""Encoded captions, as a U-Net takes them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Text(NamedTuple):
    """What the text encoders say of B captions."""

    states: Tensor  # [B, T, D] floating: a state for each token
    pooled: Tensor | None = None  # [B, P] floating: a state for the whole caption; Stable Diffusion XL's alone
    sizes: Tensor | None = None  # [B, 6] floating: source size, crop and target size in pixels; XL's alone

    def of(self, dtype: torch.dtype) -> dict[str, Any]:
        """The arguments of diffusers' U-Nets and ControlNets."""
        named: dict[str, Any] = {"encoder_hidden_states": self.states.to(dtype)}
        if self.pooled is not None and self.sizes is not None:
            named["added_cond_kwargs"] = {"text_embeds": self.pooled.to(dtype), "time_ids": self.sizes.to(dtype)}
        return named

    def beside(self, other: "Text") -> "Text":
        """These captions and then those of `other`, in one batch."""
        return joined([self, other])

    def silent(self) -> "Text":
        """Zeros for every caption, which is how Stable Diffusion XL says nothing; sizes stay."""
        pooled = None if self.pooled is None else torch.zeros_like(self.pooled)
        return Text(torch.zeros_like(self.states), pooled, self.sizes)

    def rows(self) -> list["Text"]:
        """Each caption by itself, [1, ...], in memory of its own."""
        parts = [[None] * len(self.states) if part is None else _rows(part) for part in self[1:]]
        return [Text(*row) for row in zip(_rows(self.states), *parts, strict=True)]

    @property
    def nbytes(self) -> int:
        """Bytes that it takes in memory."""
        return sum(part.nbytes for part in self if part is not None)


def joined(texts: Sequence[Text]) -> Text:
    """Captions of several batches in one, in their order."""
    pooled = [text.pooled for text in texts if text.pooled is not None]
    sizes = [text.sizes for text in texts if text.sizes is not None]
    return Text(
        torch.cat([text.states for text in texts]),
        torch.cat(pooled) if pooled else None,
        torch.cat(sizes) if sizes else None,
    )


def square_sizes(rows: int, resolution: int, *, device: torch.device) -> Tensor:
    """What Stable Diffusion XL is told of whole square pictures, as diffusers orders it.

    Args:
        resolution: side in pixels.

    Returns:
        [rows, 6] float32: height and width of the source, top and left of the crop, height and width of the target.
    """
    # Filled on the device: a copy from the host would wait for it.
    sizes = torch.full((rows, 6), float(resolution), device=device)
    sizes[:, 2:4] = 0
    return sizes


def _rows(part: Tensor) -> list[Tensor]:
    return [row.clone() for row in part.split(1)]
