"""Strokes of soft edges, a whole batch at once in torch: the steps of `annotate.strokes`, for a GPU."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from annotate.annotator import Parameters
from annotate.strokes import FAINTEST, STEPS, UNIT, diameter, disc, left_out


@torch.inference_mode()
def draw_strokes_on(
    soft: NDArray[np.uint8], parameters: Sequence[Parameters], *, sigma: float, device: torch.device
) -> list[NDArray[np.uint8]]:
    """Scribbles of soft edges [B, H, W] uint8: B maps [H, W] uint8 in {0, 1}.

    Equal, bit for bit, to those of `annotate.strokes`, as OpenCV makes them on processors with AVX2: up to the last
    W % 8 columns, where it rounds otherwise and a ridge may move by a pixel.
    """
    scale = min(soft.shape[1:]) / UNIT
    rows = {name: _column(parameters, name, device) for name in ("threshold", "thinned", "line_width")}
    edges = grown(torch.from_numpy(soft).to(device), [round(row["growth"] * scale) for row in parameters])
    smooth = smoothed(edges, sigma)
    thin = torch.where(rows["line_width"] > 0, crests(smooth), ridges(smooth))
    lines = (smooth > rows["threshold"]) & (thin | ~rows["thinned"])
    hidden = np.stack([left_out(soft.shape[1:], row["mask_share"], row["mask_seed"]) for row in parameters])
    lines &= ~torch.from_numpy(hidden).to(device)
    across = [diameter(row["line_width"], scale) for row in parameters]
    drawn = torch.where(rows["line_width"] > 0, penned(lines, across), blurred(lines, sigma))
    return list(torch.where(rows["thinned"], drawn, lines).byte().cpu().numpy())


def grown(edges: Tensor, radii: Sequence[int]) -> Tensor:
    """Soft edges [B, H, W] uint8, each map's broader by its own radius on either side; narrower if it is negative."""
    signs = torch.tensor([[[radius < 0]] for radius in radii], device=edges.device)
    upright = torch.where(signs, 255 - edges, edges)  # what shrinks the bright grows the dark
    spread = _spread(upright, [2 * abs(radius) + 1 for radius in radii])
    return torch.where(signs, 255 - spread, spread)


def smoothed(edges: Tensor, sigma: float) -> Tensor:
    """[B, H, W] uint8 to [B, H, W] float32 in [0, 255]; OpenCV's rounding, which decides between equal neighbours.

    It adds a row's terms in turn and a column's in pairs from the middle, each by a fused multiply-add.
    """
    kernel = cv2.getGaussianKernel(round(sigma * 8 + 1) | 1, sigma, cv2.CV_32F)[:, 0].tolist()
    reach, (height, width) = len(kernel) // 2, edges.shape[1:]
    around = _mirrored(edges.float(), 2, reach)
    across = torch.zeros_like(edges, dtype=torch.float32)
    for place, weight in enumerate(kernel):
        across = _add_product(across, around.narrow(2, place, width), weight)
    around = _mirrored(across, 1, reach)
    smooth = _add_product(torch.zeros_like(across), across, kernel[reach])
    for step in range(1, reach + 1):
        pair = around.narrow(1, reach + step, height) + around.narrow(1, reach - step, height)
        smooth = _add_product(smooth, pair, kernel[reach + step])
    return smooth


def ridges(smooth: Tensor) -> Tensor:
    """Pixels of maps [B, H, W] that are the greatest along any of four directions: controlnet_aux's nms."""
    ridge = torch.zeros_like(smooth, dtype=torch.bool)
    for one, other in _neighbours(functional.pad(smooth, (1, 1, 1, 1), value=-1)):  # nothing beyond the border counts
        ridge |= (smooth >= one) & (smooth >= other)
    return ridge


def crests(smooth: Tensor) -> Tensor:
    """Pixels of maps [B, H, W] that are the greatest across the edge: along the direction in which it bends most."""
    sharpest, crest = torch.zeros_like(smooth), torch.zeros_like(smooth, dtype=torch.bool)
    around = functional.pad(smooth[None], (1, 1, 1, 1), mode="replicate")[0]
    for (down, across), (one, other) in zip(STEPS, _neighbours(around), strict=True):
        bend = (2 * smooth - one - other) / (down * down + across * across)
        crest = torch.where(bend > sharpest, (smooth >= one) & (smooth > other), crest)
        sharpest = torch.maximum(sharpest, bend)
    return crest


def penned(lines: Tensor, across: Sequence[int]) -> Tensor:
    """Lines [B, H, W] bool, each map's drawn with a round pen of its own diameter in pixels."""
    return _spread(lines, across)


def blurred(lines: Tensor, sigma: float) -> Tensor:
    """Lines [B, H, W] bool drawn with controlnet_aux's pen."""
    kernel = _whole_kernel(sigma)
    ink = lines.double() * 255  # sums of whole numbers, which are exact
    for axis in (1, 2):
        around, length = _mirrored(ink, axis, len(kernel) // 2), ink.shape[axis]
        ink = torch.zeros_like(ink)
        for place, weight in enumerate(kernel):
            ink += around.narrow(axis, place, length) * weight
    return torch.floor(ink / 256**2 + 0.5) > FAINTEST


def _whole_kernel(sigma: float) -> list[int]:
    """The Gaussian by which OpenCV blurs bytes, in 256ths: what it makes of a single white pixel."""
    spot = np.zeros((2 * round(sigma * 8 + 1) + 1, 1), np.uint8)
    spot[len(spot) // 2] = 255
    response = cv2.GaussianBlur(spot, (0, 0), sigma)[:, 0]
    return [int(weight) for weight in np.trim_zeros(response)]


def _spread(maps: Tensor, across: Sequence[int]) -> Tensor:
    """The greatest of maps [B, H, W], uint8 or bool, under each map's own disc."""
    (height, width), reach = maps.shape[1:], max(across) // 2
    discs = np.zeros((len(across), 2 * reach + 1, 2 * reach + 1), bool)
    for spot, size in zip(discs, across, strict=True):
        corner = reach - size // 2  # OpenCV's anchor
        spot[corner : corner + size, corner : corner + size] = disc(size)
    covered = torch.from_numpy(discs).to(maps.device)
    around = functional.pad(maps, (reach,) * 4)
    spread = torch.zeros_like(maps)
    for down, right in np.argwhere(discs.any(axis=0)).tolist():
        moved = around[:, down : down + height, right : right + width]
        spread = torch.maximum(spread, moved * covered[:, down, right, None, None])
    return spread


def _neighbours(around: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The two neighbours along each of `STEPS` of pixels [B, H, W], given one more pixel on every side."""
    height, width = around.shape[1] - 2, around.shape[2] - 2

    def moved(down: int, across: int) -> Tensor:
        return around[:, 1 + down : 1 + down + height, 1 + across : 1 + across + width]

    return [(moved(down, across), moved(-down, -across)) for down, across in STEPS]


def _add_product(total: Tensor, maps: Tensor, weight: float) -> Tensor:
    """total + maps * weight, [B, H, W] float32, rounded once."""
    return (total.double() + maps.double() * weight).float()


def _mirrored(maps: Tensor, axis: int, reach: int) -> Tensor:
    """Maps [B, H, W] continued by their mirror image, which begins beside the border (OpenCV's reflect-101)."""
    length = maps.shape[axis]
    period = max(2 * (length - 1), 1)
    index = torch.arange(-reach, length + reach, device=maps.device).abs() % period
    return maps.index_select(axis, torch.minimum(index, period - index).clamp(max=length - 1))


def _column(parameters: Sequence[Parameters], name: str, device: torch.device) -> Tensor:
    """One number of each row: [B, 1, 1]."""
    return torch.tensor([row[name] for row in parameters], device=device)[:, None, None]
