"""Beside whom each annotator is timed: the detector people use for the same condition, as its README says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from annotate.borrowed import borrow

Detector = Callable[[Image.Image], Any]  # one picture to something that can be saved


@dataclass(frozen=True)
class Peer:
    """One line of the table.

    Attributes:
        annotator: ours, by its name in the registry.
        build: theirs, from a folder of weights, on a device.
        settings: of ours, where they are not the defaults.
        weights: that theirs loads beside what ours does.
    """

    annotator: str
    build: Callable[[Path, torch.device], Detector]
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[str, ...] = ()


def of_controlnet_aux(folder: Path, device: torch.device, *, detector: str, **options: Any) -> Detector:
    """`Detector.from_pretrained(folder).to(device)`; those without weights know neither."""
    family = getattr(borrow("processor"), detector)
    if not hasattr(family, "from_pretrained"):
        return partial(family(), **options)
    return partial(family.from_pretrained(str(folder)).to(device), **options)


def normals_of_midas(folder: Path, device: torch.device) -> Detector:
    """controlnet_aux's MiDaS makes a picture of the depth too, which a user of its normals has to throw away."""
    ask = of_controlnet_aux(folder, device, detector="MidasDetector", depth_and_normal=True)
    return lambda picture: ask(picture)[1]


def of_transformers(folder: Path, device: torch.device, *, task: str, model: str) -> Detector:
    """`pipeline(task, model=…)`, whose masks are laid into one picture."""
    from transformers import pipeline

    ask = pipeline(task, model=str(folder / model), device=device)
    return lambda picture: _in_one(ask(picture), picture)


def _in_one(found: list[dict[str, Any]], picture: Image.Image) -> Image.Image:
    classes = Image.new("L", picture.size)
    for number, part in enumerate(found):
        classes.paste(number % 256, mask=part["mask"])
    return classes


aux = partial(partial, of_controlnet_aux)
UPERNET = "openmmlab/upernet-convnext-small"
PEERS: dict[str, Peer] = {
    "canny": Peer("canny", aux(detector="CannyDetector")),
    "hed": Peer("hed", aux(detector="HEDdetector")),
    "softedge": Peer("softedge", aux(detector="PidiNetDetector")),
    "scribble": Peer("scribble", aux(detector="HEDdetector", scribble=True)),
    "mlsd": Peer("mlsd", aux(detector="MLSDdetector")),
    "lineart": Peer("lineart", aux(detector="LineartDetector"), weights=("sk_model2.pth",)),
    "lineart anime": Peer("lineart", aux(detector="LineartAnimeDetector"), {"model": "anime"}),
    "depth": Peer("depth", aux(detector="MidasDetector")),
    "normal": Peer("normal", normals_of_midas),
    "openpose": Peer("openpose", aux(detector="OpenposeDetector"), weights=("hand_pose_model.pth", "facenet.pth")),
    "segmentation": Peer(
        "segmentation", partial(of_transformers, task="image-segmentation", model=UPERNET), {"model": UPERNET}
    ),
}
