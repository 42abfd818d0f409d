"""Which rows a manifest means: those that fulfil `where`, in an order fixed by seed and key, the first so many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from manifests.account import Account, Standing, account_of, first_reasons
from manifests.conjuncts import conjuncts
from manifests.dataset import Dataset
from manifests.families import Cards, cards_of
from manifests.family import FamilyCard
from manifests.index import RANK, ROWS, index_schema, read_index
from manifests.keys import fingerprint
from manifests.manifest import Manifest
from manifests.record import STATUSES
from manifests.removed import taken_down
from manifests.salt import salted_order
from manifests.splits.clusters import best_of_each, first_in_order
from manifests.splits.joining import EXCLUDED
from manifests.splits.splits import NAMES
from manifests.state import state_of
from manifests.training_set.folder import digest, training_folder
from manifests.training_set.remembered import KEPT, recall, remember
from manifests.where import Truth, check, check_pinned, select, truths
from manifests.whole import check_whole

DRAWN = ["key", "shard", "row", "cluster"]


@dataclass(frozen=True)
class Subset:
    """Rows of a dataset in draw order.

    Attributes:
        rows: columns key, shard, row (within the shard).
        found: how many rows fulfilled the conditions, of which `rows` are the first.
        account: why every other row of the dataset was not drawn.
        state: of the dataset before it was read.
    """

    dataset: Dataset
    cards: Cards
    rows: pa.Table
    found: int
    account: Account
    state: Mapping[str, str] = field(default_factory=dict)

    @property
    def card(self) -> FamilyCard:
        """Of the condition."""
        return self.cards.condition

    @property
    def words(self) -> FamilyCard | None:
        """Of the family whose words replace the captions; None: they are the corpus's."""
        return self.cards.words

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the sha256 over the families' fingerprints and the keys in order."""
        return fingerprint(self.cards.lines, self.rows["key"].chunks)


def resolve(manifest: Manifest) -> Subset:
    """Draw the subset of a manifest from the train split.

    Raises:
        ValueError: No such dataset or family, a family that does not hold what it is named for or is not whole, a
            refused `where`, or too few rows (says how many there are).
    """
    dataset = Dataset.open(manifest.dataset)
    cards = cards_of(manifest, dataset)
    state = state_of(dataset, (card.family for card in cards), manifest.where)
    for card in cards:
        check_whole(dataset, card.family, manifest.parts)
    standing = judge(
        dataset, manifest.condition, "train", where=manifest.where, parts=manifest.parts, latents=manifest.latents
    )
    eligible = standing.rows.filter(pa.array(standing.eligible))
    order = draw_order(eligible, manifest.seed)
    if len(order) < manifest.rows:
        filtered = f" with {manifest.where!r}" if manifest.where else ""
        raise ValueError(
            f"{manifest.dataset}: {manifest.rows} rows are asked for and {len(order)} of the train split have "
            f"an ok {manifest.condition}{filtered}. {account_of(standing, order=len(order), drawn=len(order))}. "
            "Lower rows, widen where, or ingest more"
        )
    drawn = order[: manifest.rows]
    places = np.flatnonzero(standing.eligible)[drawn]
    wordless = _wordless(dataset, cards.words, places, manifest.parts) if cards.words else 0
    account = account_of(standing, order=len(order), drawn=len(drawn), wordless=wordless)
    return Subset(dataset, cards, _take(eligible, drawn), len(order), account, state)


def held_out(manifest: Manifest, split: str, *, samples: int, seed: int, family: str = "") -> pa.Table:
    """The first `samples` rows of a split other than train, drawn as a subset is: columns key, shard, row.

    Fewer if the split has fewer, none if it has none. The first ones are remembered: then the index need not be read.

    Args:
        family: of which a row must have an ok condition; "": the manifest's first.
    """
    dataset, family = Dataset.open(manifest.dataset), family or manifest.condition
    state = state_of(dataset, [family])
    identity = [dataset.card(family).fingerprint, family, manifest.parts, split, seed]
    place = training_folder(manifest.dataset) / f"held-out-{digest(identity)}.parquet"
    known = recall(place, state, samples)
    if known is not None:
        return known
    eligible = candidates(dataset, family, split, parts=manifest.parts)
    drawn = draw(eligible, rows=max(samples, KEPT + 1), seed=seed)
    remember(place, state, drawn)
    return drawn.slice(0, samples)


def candidates(
    dataset: Dataset, condition: str, split: str, *, where: str = "", parts: Sequence[int] | None = None
) -> pa.Table:
    """Rows of a split whose condition is ok and which fulfil `where`: columns key, shard, row, cluster.

    Where clusters are of near pictures, cluster_rank too: 0 for the best row of each.
    """
    standing = judge(dataset, condition, split, where=where, parts=parts)
    return standing.rows.filter(pa.array(standing.eligible))


def judge(
    dataset: Dataset,
    condition: str,
    split: str,
    *,
    where: str = "",
    parts: Sequence[int] | None = None,
    latents: str = "",
) -> Standing:
    """Find of every row of a dataset whether it may be drawn, and if not, why.

    Args:
        latents: a family of encoded pictures that a row must have; "": none.

    Raises:
        ValueError: `where` is refused, or names what later parts change while `parts` pins some.
    """
    dataset.card(condition)
    if parts is not None:
        check_pinned(where, parts)
    families = _named_families(dataset, condition, where)
    for family in families:
        check_whole(dataset, family, parts)
    tables = _read(dataset, condition, families, where, parts)
    encoded = [read_index(dataset, latents, ["status"], parts=parts)] if latents else []
    covered = min(len(table) for table in (*tables.values(), *encoded))  # all rows, or those up to the pinned parts
    tables = {name: table.slice(0, covered) for name, table in tables.items()}
    outs = _kept_out(dataset, tables[ROWS], split, parts) | _not_ok("condition", condition, tables[condition])
    for table in encoded:
        outs |= _not_ok("latents", latents, table.slice(0, covered))
    reasons, masks, by_conjunct = [*outs], [out.to_numpy() for out in outs.values()], dict[str, Truth]()
    if where:
        texts = conjuncts(where)
        whole, *of_each = truths([where, *texts], tables)
        by_conjunct = dict(zip(texts, of_each, strict=True))
        reasons.append(("where", "not fulfilling where"))
        masks.append(~whole.fulfilled)
    rows = tables[ROWS]
    drawn = [*DRAWN, RANK] if RANK in rows.column_names else DRAWN
    return Standing(rows.select(drawn), tuple(reasons), first_reasons(len(rows), masks), by_conjunct)


def _kept_out(
    dataset: Dataset, rows: pa.Table, split: str, parts: Sequence[int] | None
) -> dict[tuple[str, str], pa.ChunkedArray]:
    """Which rows can't be drawn, whatever families say of them: reason, in short and in words → [rows] bool."""
    others = [other for other in (*NAMES, EXCLUDED) if other != split]
    outs = {(f"split_{other}", f"in the {other} split"): pc.equal(rows["split"], other) for other in others}
    outs["taken_down", "taken down"] = taken_down(dataset, rows["picture"])
    if parts is not None:
        outs["part", "of another part"] = pc.invert(pc.is_in(rows["part"], pa.array(parts, pa.int32())))
    return outs


def _not_ok(kind: str, family: str, rows: pa.Table) -> dict[tuple[str, str], pa.ChunkedArray]:
    """Which rows lack a condition, or latents, of a family: as `_kept_out`."""
    return {(f"{kind}_{bad}", f"with {family} {bad}"): pc.equal(rows["status"], bad) for bad in STATUSES[1:]}


def draw(eligible: pa.Table, *, rows: int, seed: int) -> pa.Table:
    """The `rows` rows of smallest salted hash of their key, one of each duplicate cluster: columns key, shard, row.

    A smaller draw is a prefix of every larger one. Which row stands for its cluster is chosen among the eligible, so
    that pinning a part does not lose the pictures that an earlier part has too: where clusters are of near pictures it
    is the best row, else the hash's choice. The corpus's order has no say.
    """
    return _take(eligible, draw_order(eligible, seed)[:rows])


def draw_order(eligible: pa.Table, seed: int) -> NDArray[np.int64]:
    """Positions of the rows that a draw may take, one of each duplicate cluster, in the order it takes them."""
    if RANK not in eligible.column_names:
        return first_in_order(eligible["cluster"], salted_order(eligible["key"], str(seed)))
    best = best_of_each(eligible["cluster"], eligible[RANK])
    return best[salted_order(eligible["key"].take(pa.array(best)), str(seed))]


def _take(eligible: pa.Table, positions: NDArray[np.int64]) -> pa.Table:
    taken = eligible.select(["key", "shard", "row"]).take(pa.array(positions))
    return taken.cast(pa.schema([("key", pa.string()), ("shard", pa.string()), ("row", pa.int32())]))


def _read(
    dataset: Dataset, condition: str, families: Sequence[str], where: str, parts: Sequence[int] | None
) -> dict[str, pa.Table]:
    """Of the index of rows and of these families the columns that a draw needs: a small part of them all."""
    schemas = {name: index_schema(dataset, name, parts=parts) for name in (ROWS, *families)}
    if where:  # before anything big is read: a wrong column is named beside all that there are
        select(where, {name: schema.empty_table() for name, schema in schemas.items()})
    named = {name for column in (check(where) if where else []) for name in column}
    needed = {name: {*named} for name in schemas}
    needed[ROWS] |= {*DRAWN, RANK, "split", "picture", "removed", "part"}
    needed[condition] |= {"status"}
    lowered = {name: {column.lower() for column in columns} for name, columns in needed.items()}  # SQL minds no case
    columns = {name: [field for field in schemas[name].names if field.lower() in lowered[name]] for name in schemas}
    return {name: read_index(dataset, name, columns[name], parts=parts) for name in schemas}


def _wordless(dataset: Dataset, words: FamilyCard, places: NDArray[np.int64], parts: Sequence[int] | None) -> int:
    """How many of the rows at these places of the index a family of words has none for."""
    status = read_index(dataset, words.family, ["status"], parts=parts)["status"].take(pa.array(places))
    return len(places) - int(pc.sum(pc.equal(status, "ok")).as_py() or 0)


def _named_families(dataset: Dataset, condition: str, where: str) -> list[str]:
    """The condition's family, then those that `where` names as family.column or by a column that only they have."""
    card = dataset.card(condition)
    near = _lowered([*index_schema(dataset, ROWS).names, "status", "code", *card.parameters, *card.stats])
    columns = [(names[0].lower(), len(names)) for names in (check(where) if where else [])]  # SQL minds no case
    # A bare column that the rows or the condition have is theirs, whatever other families have one of that name.
    named = {name for name, steps in columns if steps > 1 or name not in near}
    cards = [dataset.card(family) for family in dataset.families() if family != condition]
    wanted = [one.family for one in cards if named & _lowered([one.family, *one.parameters, *one.stats])]
    return [condition, *wanted]


def _lowered(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}
