"""Encoded captions, as a U-Net takes them."""

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
        return Text(
            torch.cat([self.states, other.states]),
            _joined(self.pooled, other.pooled),
            _joined(self.sizes, other.sizes),
        )


def _joined(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return None if one is None or other is None else torch.cat([one, other])
