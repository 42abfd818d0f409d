"""Whether a family of latents goes with a training: they are its base's, of its resolution, and mirrored if asked."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from manifests.family import FamilyCard
from manifests.storage import sha256_of

WEIGHTS = "vae/diffusion_pytorch_model.safetensors"


def check_latents(card: FamilyCard, *, base: str, resolution: int, flip: float) -> None:
    """Hold a family's card against what a manifest says.

    Args:
        base: a folder that holds a pipeline, or the Hub name of one that lies in the cache.
        resolution: side of the pictures in pixels.
        flip: share of the samples that are mirrored.

    Raises:
        ValueError: the family holds something else, or the latents of another autoencoder, or views of another size,
            or none that are mirrored.
    """
    if card.kind != "latents":
        raise ValueError(f"latents: {card.family} holds {card.kind}. Name a family that the annotator latents made")
    again = f"annotate.py DATASET latents_2=latents --set latents_2.base={base} --set latents_2.size={resolution}"
    if card.settings["size"] != resolution:
        raise ValueError(
            f"resolution: {resolution}, but the views of {card.family} have {card.settings['size']} pixels a side. "
            f"Name other latents: {again}"
        )
    if flip and not card.settings["flips"]:
        raise ValueError(
            f"train.flip: {flip}, but {card.family} has no mirrored views. Set it to 0, or name other latents: "
            f"{again} --set latents_2.flips=true"
        )
    if not _same_autoencoder(card, base):
        raise ValueError(
            f"latents: {card.family} was made with the autoencoder of {card.settings['base']}, which is not that of "
            f"{base}. Name other latents: {again}"
        )


def _same_autoencoder(card: FamilyCard, base: str) -> bool:
    """Whether they are a base's: by the sha256 of its weights where they are at hand, else by its name."""
    cached = base if Path(base).is_dir() else try_to_load_from_cache(base, WEIGHTS)
    weights = Path(base) / WEIGHTS if cached == base else cached
    if not isinstance(weights, str | Path) or not Path(weights).is_file():
        return bool(card.settings["base"] == base)
    return {each.file: each.sha256 for each in card.weights}.get(Path(WEIGHTS).name) == sha256_of(Path(weights))
