import importlib.util

import pytest
import torch

from manifests.train_settings import TrainSettings
from train.optimizer import make_optimizer


def test_adamw_has_the_settings_of_the_released_code() -> None:
    weight = torch.nn.Parameter(torch.zeros(2))
    (group,) = make_optimizer([{"params": [weight]}], TrainSettings()).param_groups
    said = {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad", "fused")}
    assert said == {
        "lr": 1e-5,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 1e-2,
        "amsgrad": False,
        "fused": True,
    }


def test_a_group_may_have_a_rate_of_its_own() -> None:
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    groups = [{"params": [weights[0]]}, {"params": [weights[1]], "lr": 2e-6}]
    assert [group["lr"] for group in make_optimizer(groups, TrainSettings()).param_groups] == [1e-5, 2e-6]


def test_eight_bits_without_their_package_are_refused_with_the_way_out() -> None:
    if importlib.util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed here")
    weight = torch.nn.Parameter(torch.zeros(2))
    with pytest.raises(ValueError, match="pip install bitsandbytes"):
        make_optimizer([{"params": [weight]}], TrainSettings(optimizer="adamw_8bit"))
