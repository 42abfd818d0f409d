"""Whether a family of latents goes with a training: they are its base's, of its resolution, and mirrored if asked."""

from hashlib import file_digest
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from manifests.family import FamilyCard

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
    here, there = _digest(_weights(base)), {weights.file: weights.sha256 for weights in card.weights}
    if there.get(Path(WEIGHTS).name) != here:
        raise ValueError(
            f"latents: {card.family} was made with the autoencoder of {card.settings['base']}, whose sha256 is "
            f"{there.get(Path(WEIGHTS).name)}, but that of {base} is {here}. Name other latents: {again}"
        )


def _weights(base: str) -> Path:
    if Path(base).is_dir():
        return Path(base) / WEIGHTS
    cached = try_to_load_from_cache(base, WEIGHTS)
    return Path(cached) if isinstance(cached, str) else Path(base) / WEIGHTS


def _digest(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"latents: {path} is not there, so that nothing says whether they are this base's")
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
