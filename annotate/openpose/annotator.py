"""People: OpenPose's body, hand and face networks in batches, in parity with controlnet_aux's OpenposeDetector.

Measured against it, with the same weights or maps: the same people, and every joint in the same pixel. Behind other
networks too: the playroom's tiny one, and DWPose (Apache-2.0), as OpenPose's own weights are for non-commercial use.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import nn

from annotate.annotator import Annotate, Annotator, Parameters
from annotate.openpose import body, dwpose, face, hands
from annotate.openpose.extremities import Extremities, with_extremities
from annotate.stats import of_people
from manifests.condition import Kind
from manifests.figures import Poses

TINY = "tiny/openpose"


@dataclass(frozen=True)
class OpenPose(Annotator):
    """Bodies of 18 points in OpenPose's order; with hands or face people of 130."""

    name: ClassVar[str] = "openpose"
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "keypoints"
    stats: ClassVar[dict[str, pa.DataType]] = {
        "persons": pa.int32(),
        "keypoints": pa.int32(),  # visible, of all people
        "largest_person": pa.float32(),  # share of the picture that the box around their points takes
    }

    model: Literal["openpose", "tiny", "dwpose"] = "openpose"
    hands: bool = False
    face: bool = False

    def __post_init__(self) -> None:
        """Refuse what no network can find."""
        if self.model == "tiny" and (self.hands or self.face):
            raise ValueError("model 'tiny' knows bodies only; leave out hands and face, or choose another model")

    @property
    def weights(self) -> tuple[str, ...]:
        """A file for each network."""
        if self.model == "tiny":
            return (TINY,)
        if self.model == "dwpose":
            return dwpose.WEIGHTS
        return (body.WEIGHTS, *[hands.WEIGHTS] * self.hands, *[face.WEIGHTS] * self.face)

    def load(self, device: torch.device) -> Annotate:
        """Put the networks on `device`; DWPose's run in onnxruntime, on the GPU where its GPU package is installed."""
        if self.model == "dwpose":
            find = dwpose.load(device)
            return partial(annotate_whole, find=find, hands=self.hands, face=self.face)
        network = _tiny(device) if self.model == "tiny" else body.load_body(device)
        more = Extremities(
            hand=hands.load_hand(device) if self.hands else None,
            face=face.load_face(device) if self.face else None,
        )
        return partial(annotate, network=network, more=more, device=device)

    def measure(self, condition: Poses) -> dict[str, float]:
        """`persons`, `keypoints` and `largest_person`."""
        return of_people(condition)

    def empty(self, condition: Poses) -> bool:
        """Nobody is there."""
        return not condition.people


def annotate(
    images: NDArray[np.uint8],
    parameters: Sequence[Parameters],
    *,
    network: nn.Module,
    more: Extremities,
    device: torch.device,
) -> list[Poses]:
    """People of pictures [B, H, W, 3] uint8 RGB, by their bodies."""
    bodies = body.find_bodies(images, network, device)
    size = images.shape[1:3]
    return [Poses(size, tuple(people)) for people in with_extremities(images, bodies, more, device)]


def annotate_whole(
    images: NDArray[np.uint8],
    parameters: Sequence[Parameters],
    *,
    find: Callable[[NDArray[np.uint8]], list[list[NDArray[np.float32]]]],
    hands: bool,
    face: bool,
) -> list[Poses]:
    """People of pictures [B, H, W, 3] uint8 RGB, by a network that finds all 130 points at once."""
    size = images.shape[1:3]
    return [Poses(size, dwpose.wanted(people, hands=hands, face=face)) for people in find(images)]


def _tiny(device: torch.device) -> nn.Module:
    from annotate.tiny.pose_network import load_network

    network: nn.Module = load_network().to(device)
    return network
