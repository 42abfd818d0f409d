"""The README.md of a trained ControlNet: what it was trained on and how, whose weights are in it, how well it obeys."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import ModelCard
from upath import UPath

from manifests.card import is_restricted, licence_lines, weights_lines
from manifests.dataset import Dataset
from manifests.families import Cards
from manifests.family import FamilyCard
from manifests.hub import CARD
from manifests.licences import Licences, count_licences
from manifests.markdown import page, plain, table
from manifests.storage import replace_text
from train.control.initial import PLAIN, SETTINGS_FILE
from train.control.weights import DIFFUSERS_FILE
from train.interchange.label import is_hub_name, public_manifest, public_name
from train.interchange.measured import Measured, Row
from train.run_folder import Provenance, load_provenance

ADHERENCE, NEXT = "## Adherence", "## Limits"
SHOWN_PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "datasets")


@dataclass(frozen=True)
class Trained:
    """What a card tells of a training.

    Attributes:
        families: cards of the conditions, and of whatever else was read, the condition first.
        pictures: licences of the dataset's pictures; None if they were not looked up.
        steps: done, which may be fewer than the manifest asks for.
    """

    provenance: Provenance
    families: Sequence[FamilyCard]
    pictures: Licences | None
    steps: int


def trained_by(cards: Cards, dataset: UPath, run: Path, *, steps: int) -> Trained:
    """What is known of a run once its weights are there.

    Args:
        cards: of the families that it was trained on.
        dataset: may be out of reach by now; then its licences aren't listed.
        steps: done.
    """
    try:
        pictures = count_licences(Dataset.open(dataset))
    except (OSError, ValueError):
        pictures = None
    return Trained(load_provenance(run), tuple(cards), pictures, steps)


def write_model_card(folder: Path, trained: Trained, found: Measured | None) -> None:
    """Write README.md beside the weights.

    Args:
        folder: of the ControlNet, RUN/controlnet.
        found: None: that it was not measured is said.
    """
    lines = [
        *_about(folder, trained),
        *_loading(trained.provenance, folder),
        *_training(trained),
        *_licences(trained),
        *adherence_lines(found),
        *_limits(trained),
    ]
    replace_text(page(_header(trained), lines), folder / CARD)


def rewrite_adherence(folder: Path, found: Measured) -> None:
    """Put new numbers into a card that was written before they were known; the rest of it stays as it is.

    Raises:
        ValueError: there is no card, or somebody took its section away.
    """
    path = folder / CARD
    text = path.read_text() if path.is_file() else ""
    if f"\n{ADHERENCE}\n" not in text or f"\n{NEXT}\n" not in text:
        raise ValueError(f"{path}: no card with the sections {ADHERENCE} and {NEXT}. Train the run again to its end")
    before, _, rest = text.partition(f"{ADHERENCE}\n")
    after = rest[rest.index(f"{NEXT}\n") :]
    replace_text(before + "\n".join(adherence_lines(found)) + "\n" + after, path)


def adherence_lines(found: Measured | None) -> list[str]:
    """The section with the numbers, each with floor and ceiling."""
    if found is None or not found.rows:
        said = "It was not measured. `python pipelines/evaluate.py RUN` does, against floor and ceiling."
        return [ADHERENCE, "", said, ""]
    header = ("measure", "better", "control off", "**drawn**", "real picture through the VAE", "way")
    return [
        *(ADHERENCE, "", " ".join(map(plain, found.how.split())), ""),
        *table(header, [_cells(row) for row in found.rows]),
        "",
        "The way goes from control off (0) to the best that this base can draw (1), brackets are 95 % intervals.",
        "",
    ]


def _cells(row: Row) -> tuple[str, ...]:
    value, low, high = (f"{number:.2f}" if math.isfinite(number) else "–" for number in row.way)
    interval = f" [{low}, {high}]" if "–" not in {low, high} else ""
    numbers = (f"{number:.3f}" if math.isfinite(number) else "–" for number in (row.floor, row.drawn, row.ceiling))
    unit = f" ({plain(row.unit)})" if row.unit else ""
    return f"{plain(row.name)}{unit}", "higher" if row.higher_is_better else "lower", *numbers, value + interval


def _header(trained: Trained) -> dict[str, Any]:
    """The YAML: fields that the Hub knows (huggingface.co/docs/hub/model-cards)."""
    provenance = trained.provenance
    base = {"base_model": provenance.base} if is_hub_name(provenance.base) else {}
    return {
        **_licence(trained),
        **base,
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "tags": ["controlnet", "diffusers", "pairmill", provenance.family],
    }


def _licence(trained: Trained) -> dict[str, str]:
    """That of the base by its own card, if it is a folder with one, unless pictures or annotators ask for more."""
    said = _base_licence(trained.provenance)
    if _restricted(trained):
        return {"license": "other", "license_name": "see Licences below"}
    return {"license": said} if said else {}


def _base_licence(provenance: Provenance) -> str:
    path = Path(provenance.base) / CARD
    return str(ModelCard.load(path).data.to_dict().get("license") or "") if path.is_file() else ""


def _restricted(trained: Trained) -> bool:
    of_weights = [of.licence for card in trained.families for of in card.weights]
    of_pictures = list(trained.pictures.rows) if trained.pictures else []
    return any(map(is_restricted, [*of_weights, *of_pictures]))


def _about(folder: Path, trained: Trained) -> list[str]:
    provenance, kind = trained.provenance, trained.provenance.manifest.get("control", {}).get("kind", "controlnet")
    return [
        f"# {plain(folder.absolute().parent.name)}: {provenance.family} for {plain(public_name(provenance.base))}",
        "",
        f"A control of kind `{kind}`, trained by Pairmill on {provenance.rows:,} pictures with their "
        f"{provenance.family} conditions for {trained.steps:,} steps of {_of(trained, 'train', 'batch_size', 1):,}. "
        "It draws what the hint asks for, in the words of a caption.",
        "",
    ]


def _loading(provenance: Provenance, folder: Path) -> list[str]:
    several = bool(provenance.manifest.get("further_conditions"))
    plain_kind = provenance.manifest.get("control", {}).get("kind", "controlnet") in PLAIN
    if several or not plain_kind or not (folder / DIFFUSERS_FILE).is_file():  # a paper's hint encoder is not diffusers'
        said = f"`train.control.registry.load_control(folder, unet)` loads it, by {SETTINGS_FILE} beside the weights."
        return [said, ""]
    base = provenance.base if is_hub_name(provenance.base) else f"FOLDER OF {public_name(provenance.base)}"
    config = folder / "config.json"
    xl = config.is_file() and json.loads(config.read_text()).get("addition_embed_type") == "text_time"
    pipeline = "StableDiffusionXLControlNetPipeline" if xl else "StableDiffusionControlNetPipeline"
    other = "For ComfyUI and the WebUI: `python pipelines/convert.py THIS_FOLDER OUT.safetensors --fp16`."
    return [
        "```python",
        "import torch",
        f"from diffusers import ControlNetModel, {pipeline}",
        "",
        'controlnet = ControlNetModel.from_pretrained("THIS FOLDER")',
        f"pipeline = {pipeline}.from_pretrained(",
        f'    "{base}", controlnet=controlnet, torch_dtype=torch.float32',
        ")",
        "picture = pipeline(caption, image=hint).images[0]  # the hint is RGB, of the picture's size",
        "```",
        "",
        *([] if xl else [other, ""]),
    ]


def _training(trained: Trained) -> list[str]:
    provenance, manifest = trained.provenance, public_manifest(trained.provenance.manifest)
    versions = ", ".join(
        f"{name} {provenance.versions[name]}" for name in SHOWN_PACKAGES if name in provenance.versions
    )
    said = [
        ("dataset", plain(str(manifest["dataset"]))),
        ("where", plain(str(manifest.get("where") or "")) or "all rows whose condition is ok"),
        ("rows", f"{provenance.rows:,}, subset `{provenance.subset_fingerprint}`"),
        *((f"family {card.family}", _family(card)) for card in trained.families),
        ("base", plain(public_name(provenance.base))),
        ("steps", f"{trained.steps:,} of {_of(trained, 'train', 'steps', trained.steps):,}"),
        ("samples seen", f"{trained.steps * _of(trained, 'train', 'batch_size', 1):,}"),
        ("processes", provenance.processes),
        ("manifest", f"`{provenance.manifest_fingerprint}`"),
        ("code", f"`{provenance.git}`"),
        ("packages", versions),
        ("begun", provenance.started),
    ]
    whole = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True).rstrip().split("\n")
    folded = ["<details><summary>The whole manifest</summary>", "", "```yaml", *whole, "```", "", "</details>", ""]
    return ["## What it was trained on", "", *table(("", ""), said), "", *folded]


def _family(card: FamilyCard) -> str:
    settings = ", ".join(f"{name}={plain(_shown(value))}" for name, value in card.settings.items())
    return f"{plain(card.annotator)} v{card.version}{f' ({settings})' if settings else ''}, `{card.fingerprint}`"


def _shown(value: Any) -> str:
    """A setting as a card may show it: of a folder's path not whose it is."""
    return public_name(value) if isinstance(value, str) and "/" in value else str(value)


def _licences(trained: Trained) -> list[str]:
    """Pictures and annotators' weights as a dataset's card says them, then what binds these weights."""
    if trained.pictures and trained.pictures.rows:
        lines = licence_lines(trained.pictures, trained.families)
    else:
        lines = ["## Licences", "", "Those of the pictures: see the dataset.", "", *weights_lines(trained.families)]
    base = _base_licence(trained.provenance)
    said = f"under `{plain(base)}`, says its card" if base else "under a licence that its own page names"
    return [*lines, f"This network began as a copy of part of its base, which is {said}.", ""]


def _limits(trained: Trained) -> list[str]:
    return [
        NEXT,
        "",
        "- Captions, consent, and what of the pictures is unfit to be seen were not checked; nor is what it draws.",
        "- It inherits what its base draws well and badly, and its hints err as their annotator does.",
        f"- Trained at {trained.provenance.manifest['resolution']} pixels; other sizes were not tried.",
    ]


def _of(trained: Trained, section: str, field: str, default: int) -> int:
    return int(trained.provenance.manifest.get(section, {}).get(field, default))
