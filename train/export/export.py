"""What an export holds: a manifest's subset as `train`, held-out rows as `validation` and `test`, for other trainers.

Its columns are those that diffusers' examples/controlnet/train_controlnet.py reads, by name and by place: `image`,
`text`, `conditioning_image`; then `key`, `licence` and whatever else of source/ was asked for, which it passes over.
"""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pydantic import BaseModel, ConfigDict
from upath import UPath

from manifests.condition import IMAGE
from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.footer import keys_digest
from manifests.manifest import Manifest
from manifests.record import SOURCE, readable
from manifests.storage import publish_text
from manifests.subset import held_out, resolve
from manifests.training_set.gather import Families

RECORD = "export.json"
DATA = "data"
ALWAYS = ("key", "licence")  # of source/


class ExportRecord(BaseModel):
    """export.json: what decides every row of an export; written first, never rewritten. It names no path."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    layout: int = 1
    dataset: str  # id
    condition: str  # name of the family
    fingerprint: str  # of the family
    captions: str  # name of the family of words, "" for the corpus's
    words: str  # its fingerprint, or ""
    where: str
    seed: int
    parts: tuple[int, ...] | None
    resolution: int
    shard_rows: int
    source: tuple[str, ...]  # columns of source/
    rows: dict[str, int]  # of each split that has any
    keys: dict[str, str]  # 16 hex digits over the keys of each split, in order

    @property
    def digest(self) -> str:
        """First 16 hex digits of the sha256 of all of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Export:
    """What is to be exported.

    Attributes:
        card: of the condition's family.
        splits: split → its rows in order: columns key, shard, row. Splits without rows are left out.
        found: split → how many rows there are of which these are the first.
    """

    dataset: Dataset
    card: FamilyCard
    families: Families
    record: ExportRecord
    splits: dict[str, pa.Table]
    found: dict[str, int]

    @property
    def schema(self) -> pa.Schema:
        """Columns of its shards, in which `datasets` knows the pictures."""
        source = [(name, SOURCE.field(name).type) for name in self.record.source]
        return readable(pa.schema([("image", IMAGE), ("text", pa.string()), ("conditioning_image", IMAGE), *source]))

    def shards(self, split: str) -> int:
        """How many shards a split has."""
        return -(-len(self.splits[split]) // self.record.shard_rows)

    def path(self, out: UPath, split: str, number: int) -> UPath:
        """File of one shard."""
        return out / DATA / f"{split}-{number:05d}-of-{self.shards(split):05d}.parquet"

    def files(self, out: UPath) -> dict[str, list[UPath]]:
        """Files of all shards, by split."""
        return {split: [self.path(out, split, number) for number in range(self.shards(split))] for split in self.splits}


def plan_export(manifest: Manifest, *, held: int, shard_rows: int, source: Sequence[str] = ()) -> Export:
    """Draw the rows of every split.

    Args:
        held: rows of validation and of test, at most. Those of test are drawn as the evaluation of a run draws them,
            those of validation as its sample grids are: like them, from all rows of the split, whatever `where` says.
        source: columns of source/ to carry beside key and licence.

    Raises:
        ValueError: what `resolve` refuses, or no such column.
    """
    unknown = sorted({*source} - {*SOURCE.names})
    if unknown:
        raise ValueError(f"--source {unknown[0]}: no such column of source/. There are {', '.join(SOURCE.names[1:])}")
    subset = resolve(manifest)
    drawn, found = {"train": subset.rows}, {"train": subset.found}
    for split, seed in (("validation", 0), ("test", manifest.evaluate.seed)):
        rows = held_out(manifest, split, samples=sys.maxsize, seed=seed)
        drawn[split], found[split] = rows.slice(0, held), len(rows)
    splits = {split: rows for split, rows in drawn.items() if len(rows)}
    record = ExportRecord(
        dataset=subset.dataset.settings.id,
        condition=manifest.condition,
        fingerprint=subset.card.fingerprint,
        captions=manifest.captions,
        words=subset.words.fingerprint if subset.words else "",
        where=manifest.where,
        seed=manifest.seed,
        parts=manifest.parts,
        resolution=manifest.resolution,
        shard_rows=shard_rows,
        source=tuple(dict.fromkeys([*ALWAYS, *source])),
        rows={split: len(rows) for split, rows in splits.items()},
        keys={split: keys_digest(rows["key"].to_pylist()) for split, rows in splits.items()},
    )
    families = Families(manifest.condition, manifest.captions)
    return Export(subset.dataset, subset.card, families, record, splits, found)


def begin_export(export: Export, out: UPath) -> None:
    """Put the record into place, or go on with the export that has the same one.

    Raises:
        ValueError: another export is there, or other files are.
    """
    path = out / RECORD
    if not path.exists() and out.exists() and any(out.iterdir()):
        raise ValueError(f"{out}: other files are there, and no export. Give a folder that is empty, or a new one")
    publish_text(export.record.model_dump_json(indent=1) + "\n", path)
    there, asked = ExportRecord.model_validate_json(path.read_text()).model_dump(), export.record.model_dump()
    names = [name for name in asked if there[name] != asked[name]]
    differing = [f"{name}: {there[name]!r} there, {asked[name]!r} asked for" for name in names]
    if differing:
        raise ValueError(f"{out}: another export is there ({'; '.join(differing)}). Choose another folder")


def missing_shards(export: Export, out: UPath) -> dict[str, list[int]]:
    """Split → numbers of the shards that are yet to be made."""
    present = {path.name for path in (out / DATA).glob("*.parquet")}
    files = export.files(out).items()
    return {split: [at for at, path in enumerate(paths) if path.name not in present] for split, paths in files}
