"""Which rows a manifest means: those that fulfil `where`, in an order fixed by seed and key, the first so many."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.dataset import Dataset
from manifests.family import FamilyCard
from manifests.index import ROWS, read_index
from manifests.manifest import Manifest
from manifests.where import check, select


@dataclass(frozen=True)
class Subset:
    """Rows of a dataset in draw order.

    Attributes:
        rows: columns key, shard, row (within the shard).
        found: how many rows fulfilled the conditions, of which `rows` are the first.
    """

    dataset: Dataset
    card: FamilyCard
    rows: pa.Table
    found: int

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the sha256 over the family's fingerprint and the keys in order."""
        text = "\n".join([self.card.fingerprint, *self.rows["key"].to_pylist()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def resolve(manifest: Manifest) -> Subset:
    """Draw the subset of a manifest from the train split.

    Raises:
        ValueError: No such dataset or condition, a refused `where`, or too few rows (says how many there are).
    """
    dataset = Dataset.open(manifest.dataset)
    card = dataset.card(manifest.condition)
    eligible = candidates(dataset, manifest.condition, "train", where=manifest.where, parts=manifest.parts)
    drawn = draw(eligible, rows=len(eligible), seed=manifest.seed)
    if len(drawn) < manifest.rows:
        filtered = f" with {manifest.where!r}" if manifest.where else ""
        raise ValueError(
            f"{manifest.dataset}: {manifest.rows} rows are asked for and {len(drawn)} of the train split have "
            f"an ok {manifest.condition}{filtered}. Lower rows, widen where, or ingest more"
        )
    return Subset(dataset, card, drawn.slice(0, manifest.rows), len(drawn))


def held_out(dataset: Dataset, condition: str, split: str, *, samples: int, seed: int) -> pa.Table:
    """The first `samples` rows of a split other than train, drawn as a subset is: columns key, shard, row.

    Fewer if the split has fewer, none if it has none.
    """
    return draw(candidates(dataset, condition, split), rows=samples, seed=seed)


def candidates(
    dataset: Dataset, condition: str, split: str, *, where: str = "", parts: Sequence[int] | None = None
) -> pa.Table:
    """Rows of a split whose condition is ok and which fulfil `where`: columns key, shard, row, cluster."""
    dataset.card(condition)
    rows = read_index(dataset, ROWS)
    families = _named_families(dataset, condition, where)
    tables = {ROWS: rows, **{family: read_index(dataset, family) for family in families}}
    for family in families:
        if len(tables[family]) != len(rows):
            raise ValueError(
                f"{dataset.root}: {family} covers {len(tables[family])} of {len(rows)} rows. "
                f"Finish it: python pipelines/annotate.py {dataset.root} {family}"
            )
    kept = pc.and_(pc.equal(rows["split"], split), pc.equal(tables[condition]["status"], "ok"))
    kept = pc.and_not(kept, rows["removed"])
    if parts is not None:
        kept = pc.and_(kept, pc.is_in(rows["part"], pa.array(parts, pa.int32())))
    if where:
        kept = pc.and_(kept, pa.array(select(where, tables)))
    return rows.filter(kept).select(["key", "shard", "row", "cluster"])


def draw(eligible: pa.Table, *, rows: int, seed: int) -> pa.Table:
    """The `rows` rows of smallest salted hash of their key, one of each duplicate cluster: columns key, shard, row.

    A smaller draw is a prefix of every larger one. Which row stands for its cluster is the hash's choice, among the
    eligible: the corpus's order has no say, and pinning a part does not lose the pictures that an earlier part has too.
    """
    keys = eligible["key"].to_pylist()
    hashes = [hashlib.sha256(f"{seed}:{key}".encode()).digest() for key in keys]
    order = sorted(range(len(keys)), key=hashes.__getitem__)
    clusters = eligible["cluster"].to_pylist()
    first: dict[str, int] = {}  # equal keys are of one cluster; the sort is stable, so the earlier row stands for them
    for position in order:
        first.setdefault(clusters[position], position)
    return eligible.take(np.fromiter(first.values(), dtype=np.int64)[:rows]).select(["key", "shard", "row"])


def _named_families(dataset: Dataset, condition: str, where: str) -> list[str]:
    """The condition's family, then those that `where` names as family.column or by a column that only they have."""
    card = dataset.card(condition)
    near = {*read_index(dataset, ROWS).column_names, "status", "code", *card.parameters, *card.stats}
    columns = check(where) if where else []
    # A bare column that the rows or the condition have is theirs, whatever other families have one of that name.
    named = {names[0] for names in columns if len(names) > 1 or names[0] not in near}
    others = [family for family in dataset.families() if family != condition]
    wanted = [
        family
        for family in others
        if family in named or named & ({*dataset.card(family).parameters, *dataset.card(family).stats})
    ]
    return [condition, *wanted]
