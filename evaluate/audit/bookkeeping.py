"""Bookkeeping: shards have the rows of images/ and were made as their card says; the index is that of the shards."""

import hashlib
from collections.abc import Iterator
from typing import Any

from evaluate.audit.evidence import Evidence, Family
from evaluate.audit.verdict import State, Verdict
from manifests.footer import FOOTER, footer_of
from manifests.layout import IMAGES
from manifests.parallel import in_parallel
from manifests.storage import read_metadata

NAMED = 3  # shards that are named


def check_bookkeeping(evidence: Evidence) -> Iterator[Verdict]:
    """images/ and the index, then every family."""
    yield _pictures(evidence)
    footers = _footers(evidence, IMAGES)
    for family in evidence.families.values():
        yield _family(evidence, family, footers)


def _pictures(evidence: Evidence) -> Verdict:
    """Shards of images/, the rows of the index, and the bytes of the sampled pictures."""
    dataset, faults = evidence.dataset, list[str]()
    if lacking := dataset.missing(IMAGES):
        faults.append(f"{len(lacking)} shards of images/ are missing ({_named(lacking)})")
    if (rows := dataset.rows(IMAGES)) != len(evidence.index):
        faults.append(f"the index has {len(evidence.index)} rows, images/ {rows}")
    keys = evidence.index["key"]
    moved = [place for place, row in evidence.pictures.items() if keys[place].as_py() != row["key"]]
    if moved:
        faults.append(f"{len(moved)} sampled rows of the index are others than those of images/")
    if dataset.settings.duplicates == "exact":
        clusters = evidence.index["cluster"]
        other = [at for at, row in evidence.pictures.items() if not row["sha256"].startswith(clusters[at].as_py())]
        if other and not moved:
            faults.append(f"{len(other)} sampled rows are in the cluster of another picture")
    changed = [at for at, row in evidence.pictures.items() if _digest(row["image"]["bytes"]) != row["stored_sha256"]]
    if changed:
        faults.append(f"{len(changed)} sampled pictures have other bytes than they were stored with")
    return _verdict("", faults, f"python pipelines/index.py {dataset.root}; if that does not help, ingest it again")


def _family(evidence: Evidence, family: Family, footers: dict[str, dict[str, Any]]) -> Verdict:
    """Shards of a family beside those of images/, its card, and its index."""
    dataset, card, faults = evidence.dataset, family.card, list[str]()
    there = _footers(evidence, card.family)
    if lacking := [name for name in footers if name not in there]:
        faults.append(f"{len(lacking)} shards are missing ({_named(lacking)})")
    if beyond := [name for name in there if name not in footers]:
        faults.append(f"{len(beyond)} shards are of no shard of images/ ({_named(beyond)})")
    both = [name for name in there if name in footers]
    if other := [name for name in both if _rows_of(there[name]) != _rows_of(footers[name])]:
        faults.append(f"{len(other)} shards have other rows than images/ ({_named(other)})")
    if other := [name for name in both if there[name].get("fingerprint") != card.fingerprint]:
        faults.append(f"{len(other)} shards were made under another fingerprint than the card's ({_named(other)})")
    cards = {name: evidence.families[name].card for name in card.made_from if name in evidence.families}
    if other := [name for name, of in cards.items() if of.fingerprint != card.made_from[name]]:
        faults.append(f"it was made from {', '.join(other)} as it was before that was made again")
    keys = [(pair.row["key"], evidence.pictures[pair.place]["key"]) for pair in family.pairs if pair.row]
    if astray := sum(own != picture for own, picture in keys):
        faults.append(f"{astray} sampled rows have other keys than those of images/")
    faults += _stale(evidence, family, complete=not lacking)
    remedy = f"{card.command(dataset.root)} makes what is missing, with --refresh what is outdated; index.py the index"
    return _verdict(card.family, faults, remedy)


def _stale(evidence: Evidence, family: Family, *, complete: bool) -> list[str]:
    """What is wrong with a family's index."""
    table = family.index
    if table is None:
        return ["it is not indexed"] if complete else []
    if len(table) != len(evidence.index):
        return [f"its index has {len(table)} rows, that of the rows {len(evidence.index)}"]
    old = 0
    for pair in family.pairs:
        if pair.row is None:
            continue
        said = table.slice(pair.place, 1).to_pylist()[0]
        there = {"status": pair.row["status"], "code": pair.row["code"], **(pair.row.get("stats") or {})}
        old += any(name not in said or not _equal(said[name], value) for name, value in there.items())
    return [f"{old} sampled rows are otherwise in its index"] if old else []


def _footers(evidence: Evidence, family: str) -> dict[str, dict[str, Any]]:
    """What the footer of every shard says, and how many rows it has."""
    names = evidence.dataset.shards(family)
    read = in_parallel(lambda name: read_metadata(evidence.dataset.path(family, name)), names)
    return {
        name: (footer_of(metadata) if FOOTER in (metadata.metadata or {}) else {}) | {"rows": metadata.num_rows}
        for name, metadata in zip(names, read, strict=True)
    }


def _rows_of(footer: dict[str, Any]) -> tuple[Any, Any]:
    return footer.get("keys"), footer["rows"]


def _verdict(family: str, faults: list[str], remedy: str) -> Verdict:
    found = "; ".join(faults) or "shards, keys, fingerprints and index agree"
    state: State = "fail" if faults else "pass"
    return Verdict("bookkeeping", family, state, found, float(len(faults)), "faults", "none", remedy if faults else "")


def _equal(one: Any, other: Any) -> bool:
    """Whether two values are, NaN being equal to NaN."""
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124


def _named(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
