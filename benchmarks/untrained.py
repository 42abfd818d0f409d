"""Stand-ins for weights that are not at hand: untrained networks of the true architecture, in the published form.

They cost what the published ones cost, but for what comes after them: they find no people and few lines.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from annotate.borrowed import borrow

ADE20K = 150  # classes


def provide(name: str, given: Path | None, folder: Path) -> str:
    """Put weights into `folder` under their name: those in the folder given, else untrained ones.

    Returns:
        "given" or "untrained".

    Raises:
        ValueError: neither can be had.
    """
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if given and (given / name).exists():
        place.symlink_to((given / name).resolve())
        return "given"
    if name in FILES:
        torch.save(FILES[name](), place)
    elif name in MODELS:
        MODELS[name](place)
    else:
        raise ValueError(f"no {name}, and nothing to stand in for it")
    return "untrained"


def _state(module: str, network: str, *settings: Any, **named: Any) -> dict[str, torch.Tensor]:
    return getattr(borrow(module), network)(*settings, **named).state_dict()


def _pidinet() -> dict[str, Any]:
    return {"state_dict": {f"module.{name}": value for name, value in _state("pidi.model", "pidinet").items()}}


def _anime() -> dict[str, torch.Tensor]:
    norm = partial(nn.InstanceNorm2d, affine=False, track_running_stats=False)
    return _state("lineart_anime", "UnetGenerator", 3, 1, 8, 64, norm_layer=norm, use_dropout=False)


def _pose(part: str) -> dict[str, torch.Tensor]:
    """Without the first part of each name, which its file does not have."""
    found = _state("open_pose.model", f"{part}pose_model")
    return {name.partition(".")[2]: value for name, value in found.items()}


def _upernet(folder: Path) -> None:
    """UPerNet with ConvNeXt-small, 82 million parameters."""
    from transformers import (
        ConvNextConfig,
        SegformerImageProcessor,
        UperNetConfig,
        UperNetForSemanticSegmentation,
    )

    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = ConvNextConfig(depths=[3, 3, 27, 3], hidden_sizes=[96, 192, 384, 768], out_features=stages)
    config = UperNetConfig(backbone_config=backbone, num_labels=ADE20K, auxiliary_in_channels=384)
    UperNetForSemanticSegmentation(config).save_pretrained(folder)
    SegformerImageProcessor(do_reduce_labels=True).save_pretrained(folder)


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "ControlNetHED.pth": partial(_state, "hed", "ControlNetHED_Apache2"),
    "table5_pidinet.pth": _pidinet,
    "mlsd_large_512_fp32.pth": partial(_state, "mlsd.models.mbv2_mlsd_large", "MobileV2_MLSD_Large"),
    "sk_model.pth": partial(_state, "lineart", "Generator", 3, 1, 3),
    "sk_model2.pth": partial(_state, "lineart", "Generator", 3, 1, 3),
    "netG.pth": _anime,
    "dpt_hybrid-midas-501f0c75.pt": partial(
        _state, "midas.midas.dpt_depth", "DPTDepthModel", backbone="vitb_rn50_384", non_negative=True
    ),
    "body_pose_model.pth": partial(_pose, "body"),
    "hand_pose_model.pth": partial(_pose, "hand"),
    "facenet.pth": partial(_state, "open_pose.face", "FaceNet"),
}
MODELS: dict[str, Callable[[Path], None]] = {"openmmlab/upernet-convnext-small": _upernet}
