import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel

from tests.toy_sd2 import write_toy_sd2
from train.base import Base, decode_latents, encode_images, encode_tokens, load_base, place, tokenize

CPU = torch.device("cpu")
CAPTIONS = ["blue box", "a red ball and more than twelve letters", ""]


def tokens_of(base: Base) -> torch.Tensor:
    return torch.stack([tokenize(base.tokenizers, caption) for caption in CAPTIONS])


def changed(folder: Path, copy: Path, file: str, **settings: object) -> str:
    """A copy of a pipeline with other settings in one of its JSON files."""
    shutil.copytree(folder, copy)
    path = copy / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
    return str(copy)


def test_captions_are_encoded_as_diffusers_pipeline_does(base: Base, base_folder: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(base_folder, safety_checker=None)
    theirs, _ = pipeline.encode_prompt(CAPTIONS, CPU, 1, do_classifier_free_guidance=False)
    ours = encode_tokens(base, tokens_of(base), resolution=32)
    assert torch.equal(ours.states, theirs)
    assert set(ours.of(torch.float32)) == {"encoder_hidden_states"}


def test_captions_are_encoded_as_diffusers_xl_pipeline_does(xl_base: Base, xl_folder: Path) -> None:
    pipeline = StableDiffusionXLPipeline.from_pretrained(xl_folder, add_watermarker=False)
    states, _, pooled, _ = pipeline.encode_prompt(CAPTIONS, device=CPU, do_classifier_free_guidance=False)
    ours = encode_tokens(xl_base, tokens_of(xl_base), resolution=32)
    assert tokens_of(xl_base).shape == (3, 2, 12)
    assert torch.equal(ours.states, states)
    assert ours.pooled is not None
    assert torch.equal(ours.pooled, pooled)


def test_an_xl_base_is_told_that_its_pictures_are_whole_squares(xl_base: Base) -> None:
    sizes = encode_tokens(xl_base, tokens_of(xl_base), resolution=512).sizes
    assert sizes is not None
    assert sizes.tolist() == [[512, 512, 0, 0, 512, 512]] * 3


def test_every_text_encoder_of_a_base_is_locked(xl_base: Base) -> None:
    assert len(xl_base.text_encoders) == 2
    for part in (xl_base.vae, xl_base.unet, *xl_base.text_encoders):
        assert not part.training
        assert not any(parameter.requires_grad for parameter in part.parameters())


@pytest.mark.parametrize(
    ("dtype", "autoencoder"), [(torch.float16, torch.float32), (torch.bfloat16, torch.bfloat16)], ids=["fp16", "bf16"]
)
def test_the_autoencoder_of_xl_stays_float32_where_float16_would_overflow(
    xl_base: Base, dtype: torch.dtype, autoencoder: torch.dtype
) -> None:
    place(xl_base, device=CPU, dtype=dtype)
    assert xl_base.vae.dtype == autoencoder
    assert {part.dtype for part in (xl_base.unet, *xl_base.text_encoders)} == {dtype}


def test_an_autoencoder_whose_config_says_that_it_need_not_stay_float32_is_rounded(
    xl_folder: Path, tmp_path: Path
) -> None:
    base = load_base(changed(xl_folder, tmp_path / "fixed", "vae/config.json", force_upcast=False))
    place(base, device=CPU, dtype=torch.float16)
    assert base.vae.dtype == torch.float16


def test_the_autoencoder_of_older_bases_is_rounded_as_ever(base: Base) -> None:
    place(base, device=CPU, dtype=torch.float16)
    assert base.vae.dtype == torch.float16


def test_a_float32_autoencoder_stays_so_under_autocast(xl_base: Base) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels, noise = torch.rand((1, 3, 32, 32), generator=generator), torch.randn((1, 4, 4, 4), generator=generator)
    latents = encode_images(xl_base, pixels, noise)
    pictures = decode_latents(xl_base, latents)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(encode_images(xl_base, pixels, noise), latents)
        assert (decode_latents(xl_base, latents) == pictures).all()


def test_an_xl_folder_without_its_second_text_encoder_is_refused(xl_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(xl_folder, tmp_path / "half", ignore=shutil.ignore_patterns("text_encoder_2"))
    with pytest.raises(ValueError, match="half lacks text_encoder_2"):
        load_base(str(tmp_path / "half"))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no folder"):
        load_base(str(tmp_path / "nothing"))


def test_an_xl_base_says_whether_it_draws_from_zeros_where_nothing_is_said(xl_folder: Path, tmp_path: Path) -> None:
    said = load_base(changed(xl_folder, tmp_path / "said", "model_index.json", force_zeros_for_empty_prompt=False))
    shutil.copytree(xl_folder, tmp_path / "unsaid", ignore=shutil.ignore_patterns("model_index.json"))
    assert load_base(str(xl_folder)).zeros_for_empty
    assert not said.zeros_for_empty
    assert load_base(str(tmp_path / "unsaid")).zeros_for_empty


@pytest.mark.filterwarnings("ignore:The `local_dir_use_symlinks`:UserWarning")  # diffusers still gives it
def test_bases_are_loaded_by_their_names_on_the_hub(
    base_folder: Path, xl_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name, folder in (("models--toy--sd", base_folder), ("models--toy--xl", xl_folder)):
        shutil.copytree(folder, tmp_path / name / "snapshots" / ("0" * 40))
        (tmp_path / name / "refs").mkdir()
        (tmp_path / name / "refs" / "main").write_text("0" * 40)
    old, xl = load_base("toy/sd"), load_base("toy/xl")
    assert (len(old.text_encoders), old.zeros_for_empty) == (1, False)
    assert (len(xl.text_encoders), xl.zeros_for_empty) == (2, True)
    with pytest.raises(ValueError, match="no pipeline can be read from 'toy/none'"):
        load_base("toy/none")


def test_an_inpainting_base_is_refused(base: Base, base_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(base_folder, tmp_path / "inpainting")
    unet = UNet2DConditionModel.from_config(base.unet.config, in_channels=9)
    unet.save_pretrained(tmp_path / "inpainting" / "unet")
    with pytest.raises(ValueError, match="9 input channels beside 4 of latents, which training does not know"):
        load_base(str(tmp_path / "inpainting"))


def test_a_base_that_asks_for_noise_levels_is_refused(base: Base, base_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(base_folder, tmp_path / "upscaler")
    UNet2DConditionModel.from_config(base.unet.config, num_class_embeds=1000).save_pretrained(
        tmp_path / "upscaler" / "unet"
    )
    with pytest.raises(ValueError, match="num_class_embeds 1000"):
        load_base(str(tmp_path / "upscaler"))


def test_a_base_as_stable_diffusion_2_has_it_predicts_velocity(tmp_path: Path) -> None:
    write_toy_sd2(tmp_path / "sd2")
    base = load_base(str(tmp_path / "sd2"))
    assert base.scheduler.config.prediction_type == "v_prediction"
    assert base.text_encoder_2 is None
