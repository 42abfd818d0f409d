"""Line drawings: the networks and weights of controlnet_aux's lineart detectors, in batches, white on black."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.borrowed import borrow
from annotate.forward import forward
from annotate.weights import fill, load_weights
from manifests.condition import Kind

WEIGHTS = {"realistic": "sk_model.pth", "coarse": "sk_model2.pth", "anime": "netG.pth"}
LIKELY = 128  # of 255: more likely a line than not
INK_STEP = 4  # pixels: these networks halve a picture twice
ANIME_STEP = 256  # pixels: the anime network halves a picture eight times
SIGMA = 6.0  # pixels: what counts as the surroundings of a line, of the model without a network
FAINTEST = 8  # of 255: darker than its surroundings by less, a pixel says nothing of how strong lines are
WEAKEST = 16  # of 255: lines weaker than this are not strengthened further

Model = Literal["realistic", "coarse", "anime", "standard"]


@dataclass(frozen=True)
class Lineart(Annotator):
    """How surely each pixel lies on a line of a drawing of the picture, as 8 bits.

    `realistic` and `coarse` are networks of Chan et al. 2022 (informative drawings), `anime` draws as one inks a
    cartoon, `standard` needs no network: it takes what is darker than its surroundings.
    """

    name: ClassVar[str] = "lineart"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "soft"

    model: Model = "realistic"

    @property
    def weights(self) -> tuple[str, ...]:
        """One file, or none for `standard`."""
        return (WEIGHTS[self.model],) if self.model in WEIGHTS else ()

    def load(self, device: torch.device) -> Annotate:
        """Put the model's network on `device`; `standard` runs on the CPU whatever the device."""
        if self.model == "standard":
            return trace_dark
        file = WEIGHTS[self.model]
        # The anime weights were saved from within a wrapper for several GPUs.
        state = {name.removeprefix("module."): value for name, value in load_weights(file).items()}
        network = fill(_network(self.model), state, file).to(device)
        draw = draw_anime if self.model == "anime" else draw_ink
        return partial(annotate, device=device, draw=partial(draw, network=network))

    def empty(self, condition: NDArray[np.uint8]) -> bool:
        """No pixel is more likely a line than not."""
        return int(condition.max()) < LIKELY


def _network(model: Model) -> nn.Module:
    if model == "anime":
        norm = partial(nn.InstanceNorm2d, affine=False, track_running_stats=False)
        anime: nn.Module = borrow("lineart_anime").UnetGenerator(3, 1, 8, 64, norm_layer=norm, use_dropout=False)
        return anime
    ink: nn.Module = borrow("lineart").Generator(3, 1, 3)
    return ink


@torch.inference_mode()
def annotate(
    images: NDArray[np.uint8],
    parameters: Sequence[Parameters],
    *,
    device: torch.device,
    draw: Callable[[Tensor], Tensor],
) -> list[NDArray[np.uint8]]:
    """Lines of pictures [B, H, W, 3] uint8 RGB: B maps [H, W] uint8, 255 a sure line.

    Args:
        draw: from images [B, 3, H, W] float32 in [0, 255] to ink [B, H, W] float32: 0 a line, 255 paper.
    """
    ink = draw(torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float())
    return list(255 - ink.clamp(0, 255).to(torch.uint8).cpu().numpy())


def draw_ink(images: Tensor, *, network: nn.Module) -> Tensor:
    """Ink by a generator of Chan et al.: [B, H, W] float32 in [0, 255].

    Sides that are no multiple of 4 are continued to the right and below by their last pixels, and cut off again: of
    three ways tried this changes the rest least (by less than 1.1 of 255 in the mean, on random weights). Left alone
    the network gives back up to three pixels more, which controlnet_aux squeezes into the picture's size.

    Args:
        images: [B, 3, H, W] float32 in [0, 255], RGB.
    """
    height, width = images.shape[-2:]
    whole = functional.pad(images / 255, (0, -width % INK_STEP, 0, -height % INK_STEP), mode="replicate")
    ink = forward(network, whole)
    return ink[:, 0, :height, :width] * 255


def draw_anime(images: Tensor, *, network: nn.Module) -> Tensor:
    """Ink by the anime network, which sees the picture enlarged to multiples of 256: [B, H, W] float32, about [0, 255].

    Args:
        images: [B, 3, H, W] float32 in [0, 255], RGB.
    """
    size = images.shape[-2:]
    height, width = (side + -side % ANIME_STEP for side in size)
    enlarged = _resize(images, (height, width)).round().clamp(0, 255)  # as whole numbers, as OpenCV leaves them
    ink = forward(network, enlarged / 127.5 - 1)
    return _resize(ink * 127.5 + 127.5, (size[0], size[1]))[:, 0]


def trace_dark(images: NDArray[np.uint8], parameters: Sequence[Parameters]) -> list[NDArray[np.uint8]]:
    """What is darker than its surroundings in every channel, of pictures [B, H, W, 3] uint8 RGB.

    Returns:
        B maps [H, W] uint8; the median of a picture's clear lines is 127.
    """
    return [_dark(image.astype(np.float32)) for image in images]


def _dark(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    darker = (cv2.GaussianBlur(image, (0, 0), SIGMA) - image).min(axis=2).clip(0, 255)
    clear = darker[darker > FAINTEST]
    strength = max(WEAKEST, float(np.median(clear))) if clear.size else WEAKEST
    return (darker / strength * 127).clip(0, 255).astype(np.uint8)


def _resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Cubic, as OpenCV does it: the same kernel (a = -0.75), no blur before shrinking."""
    if images.shape[-2:] == size:
        return images
    return functional.interpolate(images, size, mode="bicubic", align_corners=False)
