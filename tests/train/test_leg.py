from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import DistributedType

from manifests.manifest import load_manifest
from train.leg import _check_finite, check_launch


def launched(how: DistributedType, *, processes: int = 2) -> Any:
    return SimpleNamespace(distributed_type=how, num_processes=processes)


def test_what_spread_weights_cannot_do_is_refused_before_a_step(manifest_path: Path) -> None:
    plain = load_manifest(manifest_path)
    for how in DistributedType:
        check_launch(plain, launched(how))
    stages = ["train.steps=4", "train.stages=[{kind: mid_only, steps: 2}]"]
    with pytest.raises(ValueError, match=r"train\.stages: no stage follows another"):
        check_launch(load_manifest(manifest_path, stages), launched(DistributedType.FSDP))
    check_launch(load_manifest(manifest_path, stages), launched(DistributedType.MULTI_GPU))


def test_weights_that_are_spread_are_not_averaged(manifest_path: Path) -> None:
    averaged = load_manifest(manifest_path, ["train.ema=0.99"])
    check_launch(averaged, launched(DistributedType.MULTI_GPU))
    with pytest.raises(ValueError, match=r"train\.ema: .* not averaged"):
        check_launch(averaged, launched(DistributedType.FSDP))


@pytest.mark.parametrize("setting", ["engine.micro_batch=1", "train.max_grad_norm=1"])
def test_what_deepspeed_would_do_otherwise_is_refused(manifest_path: Path, setting: str) -> None:
    manifest = load_manifest(manifest_path, ["train.batch_size=4", setting])
    check_launch(manifest, launched(DistributedType.FSDP))
    with pytest.raises(ValueError, match=f"{setting.partition('=')[0]}: DeepSpeed"):
        check_launch(manifest, launched(DistributedType.DEEPSPEED))


def test_weights_that_are_no_numbers_are_not_kept() -> None:
    engine: Any = SimpleNamespace(plain=torch.nn.Linear(2, 2))
    _check_finite(engine, Path("run"), 7)
    with torch.no_grad():
        engine.plain.bias[1] = torch.nan
    with pytest.raises(ValueError, match=r"run: step 7 left weights that are not finite, .* Begin a new run"):
        _check_finite(engine, Path("run"), 7)
