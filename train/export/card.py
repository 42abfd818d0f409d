"""The README.md of an export, written last: by its YAML `datasets`, and the Hub's viewer, find split and columns."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from upath import UPath

from manifests.card import EXAMPLES, corpus_name, is_restricted, licence_lines
from manifests.footer import footer_of
from manifests.hub import CARD, extent_of
from manifests.licences import Licences, hub_licence
from manifests.markdown import page, plain, size_category, table
from manifests.parallel import in_parallel
from manifests.storage import read_metadata, replace_text
from train.export.export import DATA, Export

DTYPES = {"bool": "bool", "float": "float32", "string": "string"}  # Arrow's names → those of `datasets`


@dataclass(frozen=True)
class Made:
    """What the footers of a split's shards say.

    Attributes:
        digest: 16 hex digits over their names, sizes and footers.
        stored: bytes of the files.
        unpacked: bytes of the rows as Arrow tables.
    """

    digest: str
    rows: int
    stored: int
    unpacked: int
    licences: Licences


def write_export_card(export: Export, out: UPath) -> None:
    """Write README.md; every shard is there.

    `datasets` caches by this YAML and by the folder's name: so it holds a digest of the shards, and names each of them.
    """
    made = {split: _made(paths) for split, paths in export.files(out).items()}
    licences = Counter[str]()
    for of in made.values():
        licences.update(of.licences.rows)
    totals = Licences(licences, sum(of.licences.optout for of in made.values()))
    rows = sum(of.rows for of in made.values())
    header = {
        **hub_licence(list(licences)),
        "size_categories": [size_category(rows)],
        "task_categories": ["text-to-image"],
        "tags": ["controlnet", "pairmill", export.card.annotator],
        "configs": [_config(export, out)],
        "dataset_info": _info(export, made),
    }
    replace_text(page(header, _describe(export, out, made, totals)), out / CARD)


def _made(paths: Sequence[UPath]) -> Made:
    extent = extent_of(paths)
    said = [footer_of(metadata) for metadata in in_parallel(read_metadata, paths)]
    licences = Counter[str]()
    for of in said:
        licences.update(of["licences"])
    unpacked, optout = sum(of["bytes"] for of in said), sum(of["optout"] for of in said)
    return Made(extent.digest, extent.rows, extent.size, unpacked, Licences(licences, optout))


def _config(export: Export, out: UPath) -> dict[str, object]:
    files = export.files(out).items()
    data_files = [{"split": split, "path": [f"{DATA}/{path.name}" for path in paths]} for split, paths in files]
    return {"config_name": "default", "data_files": data_files}


def _info(export: Export, made: dict[str, Made]) -> dict[str, Any]:
    pictures = ("image", "conditioning_image")
    features = [
        {"name": field.name, "dtype": "image" if field.name in pictures else DTYPES[str(field.type)]}
        for field in export.schema
    ]
    return {
        "config_name": "default",
        "description": " ".join(of.digest for of in made.values()),
        "features": features,
        "splits": [{"name": name, "num_bytes": of.unpacked, "num_examples": of.rows} for name, of in made.items()],
        "download_size": sum(of.stored for of in made.values()),
        "dataset_size": sum(of.unpacked for of in made.values()),
    }


def _describe(export: Export, out: UPath, made: dict[str, Made], licences: Licences) -> list[str]:
    record, card = export.record, export.card
    corpora = ", ".join(corpus_name(corpus) for corpus in export.dataset.corpora())
    splits = [(name, f"{of.rows:,}", f"{export.found[name]:,}", f"`{record.keys[name]}`") for name, of in made.items()]
    settings = ", ".join(f"{name}={plain(str(value))}" for name, value in card.settings.items()) or "-"
    said = [
        ("dataset", f"{plain(export.dataset.root.name)}, id `{record.dataset}`, from {corpora}"),
        ("condition", f"{record.condition}: {card.annotator} v{card.version} ({settings}), `{card.fingerprint}`"),
        (
            "captions",
            f"{record.captions}, `{record.words}`" if record.captions else "the corpus's, the first of each",
        ),
        ("where", plain(record.where) if record.where else "all rows whose condition is ok"),
        ("parts", ", ".join(map(str, record.parts)) if record.parts is not None else "all"),
        ("seed of the draw", record.seed),
        ("short side", f"{card.resolution or 'as stored'}, at least {record.resolution} pixels"),
    ]
    shown = [f"![Pictures of it, each with its hint]({EXAMPLES})", ""] if (out / EXAMPLES).exists() else []
    return [
        f"# {out.name}",
        "",
        f"Pictures, captions and {record.condition} hints for training a ControlNet, exported by Pairmill in the "
        "columns that diffusers' `train_controlnet.py` reads.",
        "",
        *shown,
        *_loading(out.name, record.resolution),
        "## Rows",
        "",
        *table(("split", "rows", "of", "keys"), splits),
        "",
        "`train` is in the order of the draw: its first rows are the smaller subset of the same seed. Validation and "
        "test are rows held out by cluster of duplicates, whatever `where` says.",
        "",
        "## What it was made from",
        "",
        *table(("", ""), said),
        "",
        *licence_lines(licences, [card]),
        *_limits(export),
    ]


def _loading(name: str, resolution: int) -> list[str]:
    return [
        "```python",
        f'test = datasets.load_dataset("{name}", split="test")',
        f'rows = datasets.load_dataset("{name}", split="train", streaming=True)',
        "```",
        "",
        "```",
        f"accelerate launch train_controlnet.py --dataset_name {name} --resolution {resolution} \\",
        "    --pretrained_model_name_or_path BASE --output_dir OUT --proportion_empty_prompts 0.5",
        "```",
        "",
    ]


def _limits(export: Export) -> list[str]:
    lines = [
        "## Limits",
        "",
        "- A hint is a drawing of what an annotator measured, at one size; the measurement stays in the dataset.",
        "- Captions, consent, and what of the pictures is unfit to be seen were not checked.",
        f"- Duplicates across splits were looked for as `{export.dataset.settings.duplicates}` ones only.",
    ]
    if any(is_restricted(weights.licence) for weights in export.card.weights):
        lines.append("- Its hints come from weights that are not licensed for commercial use: see Licences.")
    return lines
