"""Bodies of a batch: one forward, then peaks, limbs and people, in parity with controlnet_aux's `Body`.

The maps are never made at the size of the picture. Enlarging eight times, cutting off the padding, resizing to the
picture and smoothing are linear along each axis, so that their product is one small matrix for the rows and one for the
columns; only rows that can hold a peak are made, and fields are read where a limb may lie.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn

from annotate.borrowed import borrow
from annotate.openpose.limbs import Links, score_limbs
from annotate.openpose.peaks import Peaks, count, find_peaks
from annotate.openpose.people import assemble
from annotate.openpose.resizing import STRIDE, Band, Size, band, enlargement, network_input, resized, sample, way_to
from annotate.weights import fill, load_weights
from manifests.figures import BODY

WEIGHTS = "body_pose_model.pth"
HEIGHT = 0.5 * 368  # pixels: of the network's input, whatever the picture
SIGMA = 3  # pixels of the picture: smooths heat maps before their peaks are sought
FIELDS = 38
LONGEST = 1_024 * STRIDE  # pixels of the network's input: a picture 44 times as wide as high

Bodies: TypeAlias = list[NDArray[np.float32]]  # of one picture: [18, 3] x, y in pixels, score


def load_body(device: torch.device) -> nn.Module:
    """OpenPose's body network with its published weights."""
    network: nn.Module = borrow("open_pose.model").bodypose_model()
    return (
        fill(network, renamed(network, load_weights(WEIGHTS)), WEIGHTS).to(device).to(memory_format=torch.channels_last)
    )


def renamed(network: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Published names of parameters (`conv1_1.weight`) to those of the network (`model0.conv1_1.weight`)."""
    names = {name.split(".", 1)[1]: name for name in network.state_dict()}
    return {names.get(name, name): values for name, values in state.items()}


@torch.inference_mode()
def find_bodies(images: NDArray[np.uint8], network: nn.Module, device: torch.device) -> list[Bodies]:
    """Find the people of each picture.

    Args:
        images: [B, H, W, 3] uint8 RGB.
        network: of a batch as `network_input` makes it to fields [B, 38, h, w] and heat maps [B, 19, h, w] float32.

    Raises:
        ValueError: the network's maps have more peaks than people could have, or the pictures are too long.
    """
    size = images.shape[1:3]
    seen = _seen(size)
    if seen[1] > LONGEST:
        raise ValueError(
            f"{size[1]} x {size[0]} pixels: too long for OpenPose, which looks at all of its width at once"
        )
    pixels = network_input([resized(np.ascontiguousarray(image[..., ::-1]), seen) for image in images], device)
    fields, heat = network(pixels)
    peaks, links = _read(fields.double(), heat[:, :BODY].double(), _lens(tuple(heat.shape[2:]), seen, size, device))
    return _people(peaks, links)


@dataclass(frozen=True)
class Lens:
    """How the network's maps are enlarged to pictures of one size; matrices [pixels, cells] float64.

    Attributes:
        down: of the rows.
        across: of the columns.
        down_smooth, across_smooth: the same with heat maps' smoothing.
    """

    down: Tensor
    across: Band
    down_smooth: Tensor
    across_smooth: Tensor


def _seen(size: Size) -> Size:
    """Height and width at which the network sees a picture; at least a pixel, where controlnet_aux fails."""
    scale = HEIGHT / size[0]
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


@lru_cache(maxsize=8)  # pictures of a shard come sorted by shape
def _lens(cells: Size, seen: Size, size: Size, device: torch.device) -> Lens:
    way = way_to(seen, size)
    down, across = (enlargement(*axis, way) for axis in zip(cells, seen, size, strict=True))
    smooth = (torch.from_numpy(gaussian_filter1d(matrix, SIGMA, axis=0)).to(device) for matrix in (down, across))
    return Lens(torch.from_numpy(down).to(device), band(across, device), *smooth)


def _read(fields: Tensor, heat: Tensor, lens: Lens) -> tuple[Peaks, Links]:
    """Peaks and links of a batch from its fields [B, 38, h, w] and heat maps [B, 18, h, w], float64."""
    found = find_peaks(heat, lens.down_smooth, lens.across_smooth)
    rows = lens.down @ torch.cat([fields, heat], dim=1)
    picture, part, y, x = found.unbind(1)
    score = sample(rows, lens.across, (picture, FIELDS + part, y, x))
    peaks = Peaks(picture, part, y, x, score, count(found, len(heat), BODY))
    return peaks, score_limbs(peaks, rows, lens.across)


def _people(peaks: Peaks, links: Links) -> list[Bodies]:
    """The greedy assembly, picture by picture, on the CPU."""
    joints = torch.stack([peaks.x, peaks.y, peaks.score], dim=1).cpu().numpy()
    table = torch.stack([links.picture, links.limb, links.one, links.other], dim=1).cpu().numpy()
    scores = links.score.cpu().numpy()
    starts = np.concatenate([[0], peaks.counts.sum(1).cumsum(0).cpu().numpy()])
    bounds = np.searchsorted(table[:, 0], np.arange(len(starts)))
    people = []
    for picture, start in enumerate(starts[:-1]):
        mine = slice(bounds[picture], bounds[picture + 1])
        local = table[mine, 1:] - [0, start, start]
        people.append(assemble(joints[start : starts[picture + 1]], local, scores[mine]))
    return people
