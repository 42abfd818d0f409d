"""Latents: views of a picture as a base's autoencoder sees them, encoded once, so that training need not do it again.

What is stored is the posterior (its mean and standard deviation), of which training draws a sample anew each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.draws import generator
from annotate.forward import forward
from annotate.precision import InFloat32, Precision, rounded
from annotate.pretrained import load_model
from manifests.condition import Kind
from manifests.figures import Moments, Size, View
from manifests.geometry import corner

CENTRE = (0.5, 0.5)


@dataclass(frozen=True)
class Latents(Annotator):
    """Posterior moments of square views, of which the trainer cuts the hints alike.

    In bf16 on an accelerator, the last two convolutions are computed in float32.
    """

    name: ClassVar[str] = "latents"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "latents"
    parameters: ClassVar[dict[str, pa.DataType]] = {"crop_seed": pa.int64()}
    stats: ClassVar[dict[str, pa.DataType]] = {"latent_mean": pa.float32(), "latent_std": pa.float32()}

    base: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # or a folder; of its pipeline the folder vae is loaded
    size: Annotated[int, Field(ge=1)] = 512  # side of a view in pixels: the manifest's `resolution`
    crops: Annotated[int, Field(ge=1)] = 1  # squares of each picture; 1: its centre, more: drawn for each row
    flips: bool = False  # each square mirrored, too, encoded by itself: an autoencoder does not commute with mirrors
    precision: Precision = "fp32"

    @property
    def weights(self) -> tuple[str, ...]:
        """One model."""
        return (f"{self.base.rstrip('/')}/vae",)

    def check(self, resolution: int) -> None:
        """Views lie within the picture."""
        if 0 < resolution < self.size:
            raise ValueError(
                f"latents.size: squares of {self.size} pixels do not fit into pictures whose short side is "
                f"{resolution}. Say --set FAMILY.size={resolution}, or --resolution {self.size}"
            )

    def draw(self, seed_key: str) -> dict[str, Any]:
        """What the places of the row's squares are drawn from, if there are several."""
        return {"crop_seed": int(generator(0, seed_key).integers(2**63))}

    def load(self, device: torch.device) -> Annotate:
        """Put the encoder on `device`."""
        vae = load_encoder(self.weights[0], device)
        stride = 2 ** (len(vae.config.block_out_channels) - 1)
        if self.size % stride:
            raise ValueError(
                f"latents.size: {self.size} is not a multiple of {stride}, the pixels of a latent of {self.base}. "
                f"Take {max(stride, self.size - self.size % stride)}"
            )
        return partial(encode_views, network=partial(posterior, vae=vae, precision=self.precision), settings=self)

    def measure(self, condition: Moments) -> dict[str, float]:
        """Of the posterior means of all views, not scaled: their mean, and their standard deviation.

        The latter is small in flat pictures.
        """
        means = condition.values[:, 0].astype(np.float32)
        return {"latent_mean": float(means.mean()), "latent_std": float(means.std())}

    def empty(self, condition: Moments) -> bool:
        """Every picture has latents."""
        return False


def load_encoder(name: str, device: torch.device) -> Any:
    """An AutoencoderKL of diffusers without its decoder, as `annotate.weights.find_model` finds it."""
    from diffusers import AutoencoderKL  # takes a second, which a job of other families must not pay

    vae = load_model(AutoencoderKL, name, device)
    del vae.decoder, vae.post_quant_conv
    vae.encoder.conv_out = InFloat32(vae.encoder.conv_out)
    if vae.quant_conv is not None:
        vae.quant_conv = InFloat32(vae.quant_conv)
    return vae.to(memory_format=torch.channels_last)


@torch.inference_mode()
def encode_views(
    images: NDArray[np.uint8], parameters: Sequence[Parameters], *, network: Any, settings: Latents
) -> list[Moments]:
    """Encode views of pictures [B, H, W, 3] uint8 RGB, view by view, the batch at once."""
    size: Size = (images.shape[1], images.shape[2])
    views = [views_of(size, settings, row) for row in parameters]
    made = [
        network(np.stack([cut(image, view, settings.size) for image, view in zip(images, nth, strict=True)]))
        for nth in zip(*views, strict=True)
    ]
    return [Moments(size, of_row, values) for of_row, values in zip(views, np.stack(made, axis=1), strict=True)]


def views_of(size: Size, settings: Latents, parameters: Parameters) -> tuple[View, ...]:
    """The views of a picture of `size` (height, width).

    Raises:
        ValueError: it is smaller than they.
    """
    if min(size) < settings.size:
        raise ValueError(f"a square of {settings.size} pixels does not fit into {size[1]} x {size[0]}")
    offsets = [CENTRE]
    if settings.crops > 1:
        drawn = [generator(parameters["crop_seed"], str(number)).random(2) for number in range(settings.crops)]
        offsets = [(float(down), float(right)) for down, right in drawn]
    corners = [corner(offset, size, settings.size) for offset in offsets]
    flips = (False, True) if settings.flips else (False,)
    return tuple(View(*place, flip) for place in corners for flip in flips)


def cut(image: NDArray[np.uint8], view: View, side: int) -> NDArray[np.uint8]:
    """A view of a picture [H, W, 3] uint8 RGB: [side, side, 3]."""
    square = image[view.top : view.top + side, view.left : view.left + side]
    return square[:, ::-1] if view.flip else square


def posterior(squares: NDArray[np.uint8], *, vae: Any, precision: Precision) -> NDArray[np.float16]:
    """Posteriors of squares [B, S, S, 3] uint8 RGB: [B, 2, C, h, w] float16, mean and standard deviation.

    A mean beyond what float16 holds is infinite.
    """
    pixels = scaled(torch.from_numpy(squares).to(vae.device)).contiguous(memory_format=torch.channels_last)
    with rounded(pixels.device, precision):
        moments = forward(partial(_moments, vae), pixels)
    return np.asarray(moments.half().cpu().numpy())


def scaled(squares: Tensor) -> Tensor:
    """Turn [B, H, W, 3] uint8 RGB into [B, 3, H, W] float32 in [-1, 1], by table.

    On a GPU torch divides by multiplying with the inverse, and would be off by a bit from what training computes.
    """
    table = torch.arange(256, dtype=torch.float32).div(127.5).sub(1).to(squares.device)
    return table[squares.permute(0, 3, 1, 2).int()]


def _moments(vae: Any, pixels: Tensor) -> Tensor:
    found = vae.encode(pixels).latent_dist
    return torch.stack([found.mean, found.std], dim=1)
