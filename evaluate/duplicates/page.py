"""A page of a dataset's clusters of duplicates: the pictures of each side by side, the largest first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from upath import UPath

from evaluate.duplicates.duplicates import Survey
from evaluate.page.render import render
from evaluate.page.thumbnail import thumbnail
from manifests.dataset import Dataset
from manifests.index import RANK
from manifests.layout import IMAGES
from manifests.row_groups import read_rows
from manifests.splits.joining import EXCLUDED
from manifests.splits.leaks import SPLITS
from manifests.storage import replace_text

SHOWN = 8  # pictures of a cluster


@dataclass(frozen=True)
class Copy:
    """One row of a cluster."""

    key: str
    split: str
    size: str
    caption: str  # from the corpus: untrusted text, escaped by the template
    picture: str
    best: bool


@dataclass(frozen=True)
class Shown:
    """One cluster: all its rows counted, some shown, the largest pictures first."""

    rows: int
    splits: str
    copies: tuple[Copy, ...]


def write_clusters_page(dataset: Dataset, found: Survey, path: Path | UPath, *, clusters: int) -> Path | UPath:
    """Write the page.

    Args:
        path: the HTML file.
        clusters: shown in each group: the largest, those of several splits, those kept out of all splits, cut chains.
    """
    groups = {
        title: [_shown(dataset, found, rows) for rows in chosen]
        for title, chosen in _choose(found, clusters).items()
        if chosen
    }
    replace_text(render("duplicates/clusters.html.j2", dataset=dataset, found=found, groups=groups), path)
    return path


def _choose(found: Survey, count: int) -> dict[str, list[np.ndarray]]:
    """Title of a group → positions of the rows of each cluster in it."""
    order = np.argsort(found.labels, kind="stable")
    starts = np.flatnonzero(np.diff(found.labels[order], prepend=~found.labels[order[:1]]))
    ends = np.append(starts, len(order))[1:]
    largest = np.argsort(starts - ends, kind="stable")
    copies = [order[starts[place] : ends[place]] for place in largest if ends[place] - starts[place] > 1]
    split = np.asarray(found.rows["split"].to_pylist(), object)
    held = np.isin(split, SPLITS)
    across = [rows for rows in copies if len({*split[rows[held[rows]]]}) > 1]
    out = [
        rows
        for rows in [order[start:end] for start, end in zip(starts, ends, strict=True)]
        if split[rows[0]] == EXCLUDED
    ]
    cut = [chain.rows for chain in found.capped]
    return {
        "Largest clusters": copies[:count],
        "Across splits": across[:count],
        "Near to two splits, and so in none": out[:count],
        "Chains that were cut": cut[:count],
    }


def _shown(dataset: Dataset, found: Survey, rows: np.ndarray) -> Shown:
    known = found.rows.take(pa.array(rows)).to_pylist()
    known.sort(key=lambda row: (row.get(RANK, not row["best_of_cluster"]), -row["width"] * row["height"], row["key"]))
    splits = sorted({row["split"] for row in known})
    return Shown(len(known), ", ".join(splits), tuple(_copy(dataset, row) for row in known[:SHOWN]))


def _copy(dataset: Dataset, row: dict[str, Any]) -> Copy:
    place = np.array([row["row"]], np.int32)
    stored = read_rows(dataset.path(IMAGES, row["shard"]), ["captions", "image"], place).to_pylist()[0]
    caption = next(iter(stored["captions"]), "")
    size = f"{row['width']} × {row['height']}"
    best = row["best_of_cluster"] and row["cluster_size"] > 1  # by the clusters that draws go by
    return Copy(row["key"], row["split"], size, caption, thumbnail(stored["image"]["bytes"]), best)
