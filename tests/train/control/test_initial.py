"""Weights that a training goes on from, from every place that people keep them."""

from pathlib import Path

import pytest
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from manifests.control import ControlSettings
from train.base import Base
from train.control.controlnet import ControlNet
from train.control.initial import load_initial, read_controlnet
from train.control.registry import build_control, load_control, save_control
from train.interchange.single_file import write_single_file

pytestmark = pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks` argument")  # diffusers gives it to the Hub
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def net(base: Base) -> ControlNetModel:
    """A ControlNet for the toy base, all of whose weights were moved."""
    return moved(ControlNetModel.from_unet(base.unet))


def moved(net: ControlNetModel) -> ControlNetModel:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator))
    return net


def same(first: ControlNetModel, second: ControlNetModel) -> bool:
    mine, theirs = first.state_dict(), second.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def kept(net: ControlNetModel, place: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keep a network in a place; where it is."""
    folder = home / "run" / "controlnet"
    net.save_pretrained(folder)
    match place:
        case "run":
            return str(home / "run")
        case "folder":
            return str(folder)
        case "file of a folder":
            return str(folder / WEIGHTS)
        case "single file":
            write_single_file(net, home / "net.safetensors", header={}, dtype=torch.float32)
            return str(home / "net.safetensors")
        case "pickle":
            write_single_file(net, home / "net.safetensors", header={}, dtype=torch.float32)
            torch.save({"state_dict": load_file(home / "net.safetensors")}, home / "net.pth")
            return str(home / "net.pth")
        case "hub":
            revision = home / "hub" / "models--someone--controlnet-toy"
            net.save_pretrained(revision / "snapshots" / ("a" * 40))
            (revision / "refs").mkdir()
            (revision / "refs" / "main").write_text("a" * 40)
            monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
            return "someone/controlnet-toy"
    raise AssertionError(place)


@pytest.mark.parametrize("place", ["run", "folder", "file of a folder", "single file", "pickle", "hub"])
def test_a_training_goes_on_from_weights_wherever_they_are(
    base: Base, net: ControlNetModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    settings = ControlSettings(initial=kept(net, place, tmp_path, monkeypatch))
    control = build_control(base.unet, settings, seed=0)
    assert isinstance(control, ControlNet)
    assert same(control.net, net)
    assert control.training
    assert all(parameter.requires_grad for parameter in control.parameters())


def test_what_a_control_of_the_middle_alone_does_not_run_is_silent_in_what_it_goes_on_from(
    base: Base, net: ControlNetModel, tmp_path: Path
) -> None:
    net.save_pretrained(tmp_path / "net")
    settings = ControlSettings(kind="mid_only", initial=str(tmp_path / "net"))
    control = build_control(base.unet, settings, seed=0)
    assert isinstance(control, ControlNet)
    assert not any(weight.any() for weight in control.net.controlnet_down_blocks.parameters())
    assert torch.equal(control.net.controlnet_mid_block.weight, net.controlnet_mid_block.weight)


@pytest.mark.parametrize(
    ("read_otherwise", "said"),
    [
        ({"global_pool_conditions": True}, "has global_pool_conditions"),
        ({"controlnet_conditioning_channel_order": "bgr"}, "hints here are RGB"),
    ],
)
def test_a_controlnet_that_is_read_otherwise_is_refused(
    base: Base, net: ControlNetModel, tmp_path: Path, *, read_otherwise: dict[str, object], said: str
) -> None:
    net.register_to_config(**read_otherwise)
    net.save_pretrained(tmp_path / "net")
    with pytest.raises(ValueError, match=f"control.initial: .*{said}"):
        build_control(base.unet, ControlSettings(initial=str(tmp_path / "net")), seed=0)


def test_half_precision_weights_are_taken_into_full_precision(base: Base, net: ControlNetModel, tmp_path: Path) -> None:
    write_single_file(net, tmp_path / "net.safetensors", header={}, dtype=torch.float16)
    mine = ControlNetModel.from_unet(base.unet)
    load_initial(mine, str(tmp_path / "net.safetensors"))
    assert mine.dtype == torch.float32
    assert torch.equal(mine.conv_in.weight, net.conv_in.weight.half().float())


def test_a_control_of_which_a_part_alone_would_be_taken_is_refused(base: Base, tmp_path: Path) -> None:
    unlocked, two = ControlSettings(kind="unlocked_decoder"), ControlSettings()
    save_control(build_control(base.unet, unlocked, seed=0), unlocked, tmp_path / "unlocked")
    save_control(build_control(base.unet, two, seed=0, conditions=2), two, tmp_path / "two", conditions=2)
    for name, said in (("unlocked", "of kind unlocked_decoder, of which only"), ("two", "2 nets, a condition each")):
        with pytest.raises(ValueError, match=f"control.initial: .*{said}"):
            build_control(base.unet, ControlSettings(initial=str(tmp_path / name)), seed=0)


def test_a_trained_control_is_read_when_what_it_went_on_from_is_gone(
    base: Base, net: ControlNetModel, tmp_path: Path
) -> None:
    write_single_file(net, tmp_path / "net.safetensors", header={}, dtype=torch.float32)
    settings = ControlSettings(initial=str(tmp_path / "net.safetensors"))
    save_control(build_control(base.unet, settings, seed=0), settings, tmp_path / "controlnet")
    (tmp_path / "net.safetensors").unlink()
    read = load_control(tmp_path / "controlnet", base.unet)
    assert isinstance(read, ControlNet)
    assert same(read.net, net)


def test_a_controlnet_of_another_base_is_refused(base: Base, tmp_path: Path) -> None:
    other = UNet2DConditionModel.from_config(base.unet.config, cross_attention_dim=24)
    ControlNetModel.from_unet(other).save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match=r"control\.initial: .*other: a ControlNet of another base: .* is \[16, 24\]"):
        load_initial(ControlNetModel.from_unet(base.unet), str(tmp_path / "other"))


def test_hints_of_more_channels_are_refused(base: Base, tmp_path: Path) -> None:
    ControlNetModel.from_unet(base.unet, conditioning_channels=6).save_pretrained(tmp_path / "six")
    with pytest.raises(ValueError, match="its hints have 6 channels, those of this training 3"):
        load_initial(ControlNetModel.from_unet(base.unet), str(tmp_path / "six"))


def test_a_folder_with_a_weight_missing_is_refused(net: ControlNetModel, tmp_path: Path) -> None:
    net.save_pretrained(tmp_path / "cut")
    tensors = load_file(tmp_path / "cut" / WEIGHTS)
    del tensors["controlnet_mid_block.bias"]
    save_file(tensors, tmp_path / "cut" / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"cut: it lacks controlnet_mid_block\.bias"):
        read_controlnet(str(tmp_path / "cut"))


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("/nowhere/net.safetensors", "there is no such folder or file"),
        ("./runs/none", "there is no such folder or file"),
        ("nobody/no-such-controlnet", "no ControlNet can be read from there"),
        ("{base}/unet", "it holds a UNet2DConditionModel, not a ControlNetModel"),
        ("{base}", r"no ControlNet in it \(no config\.json, and none in controlnet/\)"),
        ("{base}/unet/config.json", r"neither \.safetensors nor \.pth"),
    ],
)
def test_what_is_no_controlnet_is_refused(base: Base, base_folder: Path, where: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"control.initial: .*{said}"):
        load_initial(ControlNetModel.from_unet(base.unet), where.format(base=base_folder))
