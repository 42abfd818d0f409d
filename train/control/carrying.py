"""Stages: what one control has learned goes on in the next."""

import torch

from train.control.control import Control


@torch.no_grad()
def carry(before: Control, after: Control) -> None:
    """Copy the weights that were trained in `before` and that `after` has under the same name, bit for bit.

    So mid-only goes on as a whole ControlNet whose other zero convolutions are still at zero, or as drawn, and that
    goes on beside an unlocked decoder which begins as the base's.

    Raises:
        ValueError: nothing goes over.
    """
    there = dict(after.named_parameters())
    both = [
        (parameter, there[name])
        for name, parameter in before.named_parameters()
        if parameter.requires_grad and name in there and there[name].shape == parameter.shape
    ]
    if not both:
        raise ValueError(
            f"train.stages: nothing that {type(before).__name__} has learned can go on in {type(after).__name__}. "
            "Stages are of mid_only, controlnet and unlocked_decoder"
        )
    for source, place in both:
        place.copy_(source)
