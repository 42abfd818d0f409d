"""ControlNets in the original single-file layout, held against diffusers' own reading of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, DDIMScheduler, StableDiffusionControlNetPipeline, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from train.base import Base
from train.interchange.ldm_config import config_of
from train.interchange.ldm_names import ldm_names
from train.interchange.single_file import net_of, write_single_file
from train.interchange.weights_file import fill, read_weights

TINY_UNET = Path(__file__).parents[3] / "train/tiny_base/model/unet"
NARROW = (16, 32, 64, 64)  # of the proportions of Stable Diffusion
SHAPES: dict[str, dict[str, Any]] = {
    "sd1": {"block_out_channels": NARROW, "cross_attention_dim": 24, "attention_head_dim": 4, "norm_num_groups": 8},
    "sd2": {
        "block_out_channels": NARROW,
        "cross_attention_dim": 24,
        "norm_num_groups": 8,
        "attention_head_dim": [1, 2, 4, 4],
        "use_linear_projection": True,
    },
    "two_levels": {
        "block_out_channels": (16, 16),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "cross_attention_dim": 16,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
        "layers_per_block": 1,
    },
}
RELEASED = {  # as in the files of lllyasviel/ControlNet
    "conv_in.bias": "input_blocks.0.0.bias",
    "time_embedding.linear_2.weight": "time_embed.2.weight",
    "down_blocks.0.downsamplers.0.conv.weight": "input_blocks.3.0.op.weight",
    "down_blocks.1.resnets.0.conv_shortcut.weight": "input_blocks.4.0.skip_connection.weight",
    "down_blocks.1.resnets.1.time_emb_proj.bias": "input_blocks.5.0.emb_layers.1.bias",
    "down_blocks.2.attentions.1.proj_in.weight": "input_blocks.8.1.proj_in.weight",
    "down_blocks.2.attentions.1.transformer_blocks.0.attn2.to_out.0.bias": (
        "input_blocks.8.1.transformer_blocks.0.attn2.to_out.0.bias"
    ),
    "down_blocks.3.resnets.1.norm2.weight": "input_blocks.11.0.out_layers.0.weight",
    "mid_block.attentions.0.norm.weight": "middle_block.1.norm.weight",
    "mid_block.resnets.1.conv1.weight": "middle_block.2.in_layers.2.weight",
    "controlnet_down_blocks.11.weight": "zero_convs.11.0.weight",
    "controlnet_mid_block.bias": "middle_block_out.0.bias",
    "controlnet_cond_embedding.blocks.5.weight": "input_hint_block.12.weight",
    "controlnet_cond_embedding.conv_out.weight": "input_hint_block.14.weight",
}


def trained(net: ControlNetModel) -> ControlNetModel:
    """The network with weights none of which is zero or like another's."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return net.eval()


@pytest.fixture(params=[*SHAPES, "tiny_base"])
def net(request: pytest.FixtureRequest) -> ControlNetModel:
    if request.param == "tiny_base":
        return trained(ControlNetModel.from_unet(UNet2DConditionModel.from_pretrained(TINY_UNET)))
    return trained(ControlNetModel(**SHAPES[request.param]))


@pytest.fixture(scope="module")
def sd1() -> ControlNetModel:
    return trained(ControlNetModel(**SHAPES["sd1"]))


def written(net: ControlNetModel, folder: Path, dtype: torch.dtype = torch.float32) -> Path:
    path = folder / "net.safetensors"
    write_single_file(net, path, header={"pairmill.rows": "7"}, dtype=dtype)
    return path


def same(first: ControlNetModel, second: ControlNetModel) -> bool:
    mine, theirs = first.state_dict(), second.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_single_file_gives_back_every_bit_and_setting(net: ControlNetModel, tmp_path: Path) -> None:
    back = net_of(read_weights(written(net, tmp_path)))
    assert same(back, net)
    settings = json.loads(json.dumps(dict(net.config)))
    assert json.loads(json.dumps({name: back.config[name] for name in settings})) == settings


def test_diffusers_reads_the_same_weights_from_the_file(net: ControlNetModel, tmp_path: Path) -> None:
    net.save_pretrained(tmp_path / "folder")
    theirs = ControlNetModel.from_single_file(str(written(net, tmp_path)), config=str(tmp_path / "folder"))
    assert same(theirs, net)


def test_names_are_those_of_the_released_files(sd1: ControlNetModel) -> None:
    names = ldm_names(sd1.state_dict())
    assert {name: names[name] for name in RELEASED} == RELEASED
    assert len({*names.values()}) == 340  # as cldm_v15.yaml has


def test_a_file_read_by_diffusers_draws_the_same_pictures(base: Base, base_folder: Path, tmp_path: Path) -> None:
    net = trained(ControlNetModel.from_unet(base.unet))
    net.save_pretrained(tmp_path / "folder")
    theirs = ControlNetModel.from_single_file(str(written(net, tmp_path)), config=str(tmp_path / "folder"))
    hint = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8))
    first, second, without = (
        drawn(base_folder, each, hint, scale) for each, scale in ((net, 1), (theirs, 1), (net, 0))
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, without)  # the control has a say


def drawn(base_folder: Path, net: ControlNetModel, hint: Image.Image, scale: float) -> np.ndarray:
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(base_folder, controlnet=net, safety_checker=None)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(3)
    said = {"num_inference_steps": 2, "generator": generator, "controlnet_conditioning_scale": float(scale)}
    return np.asarray(pipeline("red ball", image=hint, height=32, width=32, **said).images[0])


def test_a_whole_model_and_a_nested_pickle_are_read_as_the_control_in_them(
    sd1: ControlNetModel, tmp_path: Path
) -> None:
    tensors = load_file(written(sd1, tmp_path))
    whole = {
        **tensors,
        "model.diffusion_model.input_blocks.0.0.bias": torch.ones(3),
        "cond_stage_model.x": torch.ones(1),
    }
    bare = {name.removeprefix("control_model."): tensor for name, tensor in tensors.items()}
    nested = {"state_dict": whole, "epoch": 3}
    torch.save(nested, tmp_path / "nested.pth")
    torch.save(bare, tmp_path / "bare.ckpt")
    save_file(whole, tmp_path / "whole.safetensors")
    for name in ("nested.pth", "bare.ckpt", "whole.safetensors"):
        other = ControlNetModel(**SHAPES["sd1"])
        fill(other, read_weights(tmp_path / name))
        assert same(other, sd1), name


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({"control_model.input_hint_block.0.weight": Path("x")}, path)
    with pytest.raises(ValueError, match=r"net\.pth: not read, for it is damaged or holds more than weights"):
        read_weights(path)


def test_projections_may_be_convolutions_there_and_linear_here(tmp_path: Path) -> None:
    convolved = trained(ControlNetModel(**{**SHAPES["sd2"], "use_linear_projection": False}))
    linear = ControlNetModel(**SHAPES["sd2"])
    fill(linear, read_weights(written(convolved, tmp_path)))
    inputs = torch.ones(1, 4, 8, 8), torch.tensor([5]), torch.ones(1, 3, 24), torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        first, second = (each.eval()(*inputs, return_dict=False)[1] for each in (convolved, linear))
    assert float(first.abs().max()) > 0.01
    torch.testing.assert_close(first, second)


def test_a_file_of_half_the_size_holds_rounded_weights(sd1: ControlNetModel, tmp_path: Path) -> None:
    whole, half = written(sd1, tmp_path).stat().st_size, written(sd1, tmp_path, torch.float16)
    assert half.stat().st_size < 0.55 * whole
    back = net_of(read_weights(half)).state_dict()
    assert all(torch.equal(back[name], tensor.half()) for name, tensor in sd1.state_dict().items())


def test_a_weight_too_large_for_half_precision_is_named(sd1: ControlNetModel, tmp_path: Path) -> None:
    large = trained(ControlNetModel(**SHAPES["sd1"]))
    with torch.no_grad():
        large.conv_in.bias[0] = 1e6
    with pytest.raises(ValueError, match=r"conv_in\.bias: a weight of 1e\+06 cannot be written as torch\.float16"):
        written(large, tmp_path, torch.float16)
    assert list(tmp_path.iterdir()) == []


def test_the_header_says_what_it_was_given(sd1: ControlNetModel, tmp_path: Path) -> None:
    header = read_weights(written(sd1, tmp_path)).header
    assert header["pairmill.rows"] == "7"
    assert header["format"] == "pt"
    assert json.loads(header["pairmill.config"])["norm_num_groups"] == 8


@pytest.mark.parametrize("linear", [False, True], ids=["sd1", "sd2"])
def test_how_released_files_are_built_is_read_from_their_weights(linear: bool) -> None:
    said = {"cross_attention_dim": 1024, "use_linear_projection": True, "attention_head_dim": [5, 10, 20, 20]}
    with torch.device("meta"):
        net = ControlNetModel(**(said if linear else {"cross_attention_dim": 768}))
    weights = {name: net.state_dict()[own] for own, name in ldm_names(net.state_dict()).items()}
    config = config_of(weights, "net.pth")
    assert json.dumps(config) == json.dumps({name: net.config[name] for name in config})


def test_a_narrower_file_of_others_says_too_little(sd1: ControlNetModel, tmp_path: Path) -> None:
    save_file(load_file(written(sd1, tmp_path)), tmp_path / "bare.safetensors")
    with pytest.raises(ValueError, match=r"bare\.safetensors: its first level is 16 channels wide"):
        net_of(read_weights(tmp_path / "bare.safetensors"))


def changed(tensors: dict[str, Tensor], change: str) -> dict[str, Tensor]:
    match change:
        case "no_control":
            return {"model.diffusion_model.out.0.weight": torch.ones(2)}
        case "lora":
            return {**tensors, "lora_controlnet": torch.ones(1)}
        case "difference":
            return {**tensors, "difference": torch.ones(1)}
        case "cut":
            return {name: tensor for name, tensor in tensors.items() if "zero_convs.1" not in name}
        case "xl":
            return {**tensors, "control_model.label_emb.0.0.weight": torch.ones(2)}
    raise AssertionError(change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("no_control", r"not a ControlNet \(no hint encoder\)\. It holds model\.diffusion_model\.out\.0\.weight"),
        ("lora", "a control-LoRA, not a whole ControlNet"),
        ("difference", "a difference to a base's weights, not a whole ControlNet"),
        ("cut", r"it lacks zero_convs\.1\.0\.weight, zero_convs\.1\.0\.bias, zero_convs\.10\.0\.weight and 3 more"),
        ("xl", r"another architecture than the base's: beyond it has label_emb\.0\.0\.weight"),
    ],
)
def test_what_is_no_whole_controlnet_is_refused_by_name(
    sd1: ControlNetModel, tmp_path: Path, change: str, said: str
) -> None:
    save_file(changed(load_file(written(sd1, tmp_path)), change), tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=said):
        fill(ControlNetModel(**SHAPES["sd1"]), read_weights(tmp_path / "other.safetensors"))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"cross_attention_dim": 32}, r"another base: input_blocks\.\d+\.1\.\S+attn2\.to_k\.weight is \[16, 24\]"),
        ({"conditioning_channels": 4}, "its hints have 3 channels, those of this training 4"),
    ],
)
def test_weights_of_another_shape_are_refused(
    sd1: ControlNetModel, tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    net = ControlNetModel(**{**SHAPES["sd1"], **other})
    with pytest.raises(ValueError, match=said):
        fill(net, read_weights(written(sd1, tmp_path)))


def test_a_truncated_file_is_refused(sd1: ControlNetModel, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes(written(sd1, tmp_path).read_bytes()[:5000])
    with pytest.raises(ValueError, match="no safetensors file, or one that is cut off"):
        read_weights(path)


def test_another_hint_encoder_has_no_place_in_the_layout(tmp_path: Path) -> None:
    net = ControlNetModel(**{**SHAPES["sd1"], "conditioning_embedding_out_channels": (16, 32)})
    with pytest.raises(ValueError, match="no place for a hint encoder of 4 convolutions, not 8"):
        written(net, tmp_path)


def test_only_safetensors_are_written(sd1: ControlNetModel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"net\.pth: written as \.safetensors alone"):
        write_single_file(sd1, tmp_path / "net.pth", header={}, dtype=torch.float32)
