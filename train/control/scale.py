"""How strongly a control speaks: one factor for all it adds, or one for each place where it adds."""

from collections.abc import Sequence

from diffusers import UNet2DConditionModel

from manifests.evaluate_settings import Guess

Scale = float | tuple[float, ...]  # of several: skips in the U-Net's order, last the middle block
DECAY = 0.825  # of the released code's guess mode, from each place to the one before it


def at_places(scale: Scale, count: int) -> tuple[float, ...]:
    """A factor for each of `count` places."""
    if isinstance(scale, float | int):
        return (float(scale),) * count
    assert len(scale) == count, "one factor for each skip, and one for the middle block"
    return scale


def overall(scale: Scale) -> float:
    """The one factor of a control that has no such places."""
    assert isinstance(scale, float | int), "only residuals are weighed place by place"
    return float(scale)


def guess_scales(guess: Guess, strides: Sequence[int]) -> tuple[float, ...]:
    """Factors of guess mode, for a control that shall be followed without a caption.

    Args:
        guess: "code": 0.825^(n - 1 - i), of lllyasviel/ControlNet, gradio_canny2image.py; "diffusers": ten to the power
            of n even steps from -1 to 0, of `ControlNetModel.forward`; "paper": 64 / h of section 3.4, where h is the
            side of a place of a picture of 512 pixels, so its stride in latents.
        strides: how often the latents are larger than each place.
    """
    last = len(strides) - 1
    if guess == "paper":
        return tuple(float(stride) for stride in strides)
    if guess == "diffusers":
        return tuple(10.0 ** (place / last - 1) for place in range(len(strides)))
    assert guess == "code", guess
    return tuple(DECAY ** (last - place) for place in range(len(strides)))


def strides_of(unet: UNet2DConditionModel) -> list[int]:
    """How often the latents are larger than each skip of the U-Net, and, last, than what leaves its middle block."""
    widths, layers = list(unet.config.block_out_channels), unet.config.layers_per_block
    counts = [layers] * len(widths) if isinstance(layers, int) else list(layers)
    strides = [1]
    for level, count in enumerate(counts):
        strides += [2**level] * count
        if level < len(widths) - 1:
            strides.append(2 ** (level + 1))
    return [*strides, 2 ** (len(widths) - 1)]
