"""The page of a subset: its account, how it differs from the whole in each stat, and what its first rows look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from evaluate.page.panel import Panel, show
from evaluate.page.render import render, short
from evaluate.page.thumbnail import thumbnail
from evaluate.subset_look.compare import POPULATIONS, Look
from evaluate.subset_look.overlay import overlay
from evaluate.subset_look.words import in_words
from manifests.condition import decode
from manifests.layout import IMAGES
from manifests.manifest import Manifest, dump
from manifests.row_groups import read_rows
from manifests.storage import replace_text
from manifests.subset import Subset
from manifests.training_set.gather import WORDS, as_captions

EXAMPLES = 24  # rows at the beginning of the draw


@dataclass(frozen=True)
class Example:
    """One drawn row.

    Attributes:
        caption: from the corpus or a model: untrusted text, escaped by the template.
        picture: data URI.
    """

    key: str
    caption: str
    picture: str
    hint: Panel


def write_look(look: Look, subset: Subset, manifest: Manifest, path: Path | UPath, *, name: str) -> Path | UPath:
    """Write the page.

    Args:
        look: of this subset.
        path: the HTML file.
        name: of the manifest.
    """
    shown = [
        (difference, in_words(difference), overlay(difference.bins, difference.column))
        for difference in look.differences
    ]
    page = render(
        "subset_look/page.html.j2",
        name=name,
        manifest=manifest,
        yaml=dump(manifest),
        subset=subset,
        look=look,
        shown=shown,
        populations=POPULATIONS,
        examples=read_examples(subset, manifest),
        short=short,
    )
    replace_text(page, path)
    return path


def read_examples(subset: Subset, manifest: Manifest) -> list[Example]:
    """The first rows of the draw with their hints."""
    wanted = subset.rows.slice(0, EXAMPLES)
    found: dict[tuple[str, int], Example] = {}
    for shard in sorted(set(wanted["shard"].to_pylist())):
        rows = sorted(row["row"] for row in wanted.to_pylist() if row["shard"] == shard)
        read = _read(subset, manifest, shard, rows)
        try:
            found |= {(shard, row): _example(subset, *records) for row, *records in zip(rows, *read, strict=True)}
        except ValueError as error:
            path, again = subset.dataset.path(manifest.condition, shard), f"{manifest.dataset} {manifest.condition}"
            raise ValueError(f"{path}: {error}. Delete it, then: python pipelines/annotate.py {again}") from error
    return [found[row["shard"], row["row"]] for row in wanted.to_pylist()]


def _read(subset: Subset, manifest: Manifest, shard: str, rows: list[int]) -> list[list[dict[str, Any]]]:
    """Of one shard the pictures, the conditions and the captions."""
    dataset = subset.dataset
    pictures = read_rows(dataset.path(IMAGES, shard), ["key", "captions", "image"], rows).to_pylist()
    conditions = read_rows(dataset.path(manifest.condition, shard), ["key", "condition"], rows).to_pylist()
    if not manifest.captions:
        return [pictures, conditions, pictures]
    words = read_rows(dataset.path(manifest.captions, shard), WORDS, rows).to_pylist()
    return [pictures, conditions, [{"captions": as_captions(said)} for said in words]]


def _example(
    subset: Subset, picture: Mapping[str, Any], condition: Mapping[str, Any], words: Mapping[str, Any]
) -> Example:
    assert picture["key"] == condition["key"], "a family's rows are those of images/"
    measured = decode(subset.card.kind, condition["condition"])
    hint = show(subset.card.family, subset.card.kind, measured, status="ok", said="")
    caption = next(iter(words["captions"]), "")
    return Example(picture["key"], caption, thumbnail(picture["image"]["bytes"]), hint)
