import pytest

from manifests.manifest import Manifest
from train.legs import legs


def manifest(train: dict[str, object], kind: str = "unlocked_decoder") -> Manifest:
    return Manifest(dataset="data", condition="canny", rows=1, base="base", control={"kind": kind}, train=train)


def test_a_training_without_stages_is_one_leg() -> None:
    (only,) = legs(manifest({"steps": 7}, kind="film"))
    assert (only.start, only.stop, only.control.kind) == (0, 7, "film")


def test_stages_come_before_the_controls_own_kind_each_at_its_rate() -> None:
    stages = [{"kind": "mid_only", "steps": 2, "learning_rate": 1e-3}, {"kind": "controlnet", "steps": 3}]
    cut = legs(manifest({"steps": 10, "learning_rate": 1e-4, "stages": stages}))
    assert [(leg.start, leg.stop, leg.control.kind, leg.train.learning_rate) for leg in cut] == [
        (0, 2, "mid_only", 1e-3),
        (2, 5, "controlnet", 1e-4),
        (5, 10, "unlocked_decoder", 1e-4),
    ]


def test_stages_that_leave_nothing_for_the_control_are_refused() -> None:
    with pytest.raises(ValueError, match=r"they take 5 steps of train\.steps = 5"):
        legs(manifest({"steps": 5, "stages": [{"kind": "mid_only", "steps": 5}]}))


def test_a_control_without_stages_refuses_them() -> None:
    with pytest.raises(ValueError, match="a control of kind 'film' has none"):
        legs(manifest({"steps": 5, "stages": [{"kind": "mid_only", "steps": 2}]}, kind="film"))
