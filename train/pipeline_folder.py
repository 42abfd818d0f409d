"""What a pipeline in diffusers layout holds, and whether training can use it."""

from pathlib import Path

from diffusers import AutoencoderKL, DiffusionPipeline, UNet2DConditionModel

PARTS = ("vae", "unet", "text_encoder", "tokenizer", "scheduler")
XL_PARTS = (*PARTS, "text_encoder_2", "tokenizer_2")
# Inputs of other U-Nets: image embeddings, noise levels, guidance as a number. None of them is given here.
OTHER_INPUTS = ("class_embed_type", "num_class_embeds", "encoder_hid_dim_type", "time_cond_proj_dim")


def is_xl(unet: UNet2DConditionModel) -> bool:
    """Whether the U-Net takes what Stable Diffusion XL's takes beside a caption's states: pooled text and sizes."""
    return str(unet.config.addition_embed_type) == "text_time"


def check_folder(name_or_path: str, parts: tuple[str, ...]) -> None:
    """Refuse a folder without one of `parts`, and a path that leads nowhere; a name on the Hub passes."""
    folder = Path(name_or_path)
    if folder.is_dir():
        missing = [part for part in parts if not (folder / part).is_dir()]
        if missing:
            raise ValueError(
                f"base: {folder} lacks {', '.join(missing)}. Give a folder that holds a pipeline in diffusers layout"
            )
    elif folder.is_absolute() or name_or_path.startswith("."):
        raise ValueError(
            f"base: there is no folder {folder}. Give one that holds a pipeline in diffusers layout, or a Hub name"
        )


def check_networks(name_or_path: str, unet: UNet2DConditionModel, vae: AutoencoderKL) -> None:
    """Refuse networks that ask for more than noisy latents, a timestep, captions and sizes."""
    asked = {name: unet.config.get(name) for name in OTHER_INPUTS}
    asked["addition_embed_type"] = None if is_xl(unet) else unet.config.addition_embed_type
    found = [f"{name} {value!r}" for name, value in asked.items() if value is not None]
    if unet.config.in_channels != vae.config.latent_channels:
        found.append(f"{unet.config.in_channels} input channels beside {vae.config.latent_channels} of latents")
    if vae.config.get("latents_mean") is not None:
        found.append("an autoencoder with latents_mean")
    if found:
        raise ValueError(
            f"base: '{name_or_path}' has {', '.join(found)}, which training does not know. "
            "Take a text-to-image pipeline of Stable Diffusion 1.x, 2.x or XL"
        )


def empties_to_zeros(name_or_path: str) -> bool:
    """Whether a pipeline of Stable Diffusion XL draws with zeros where there is no negative prompt; by default it does.

    Raises:
        OSError: The index of a pipeline on the Hub cannot be read.
    """
    folder = Path(name_or_path)
    if folder.is_dir() and not (folder / DiffusionPipeline.config_name).is_file():
        return True
    return bool(DiffusionPipeline.load_config(name_or_path).get("force_zeros_for_empty_prompt", True))
