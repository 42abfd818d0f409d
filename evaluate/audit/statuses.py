"""Statuses: how many rows of each family are empty or failed, and why they failed."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.audit.evidence import Evidence, Family
from evaluate.audit.verdict import Limits, Verdict, skipped
from manifests.parallel import in_parallel
from manifests.storage import read_columns

FAILED = Limits(warn=0.01, fail=0.10)
EMPTY = Limits(warn=0.50, fail=1.0)
SHOWN = 6


def check_statuses(evidence: Evidence) -> Iterator[Verdict]:
    """Every family: the failed by code, then the empty."""
    for name, family in evidence.families.items():
        table = _table(evidence, family)
        if not len(table):
            yield skipped("failed", name, "it has no rows yet")
            continue
        yield _failed(evidence, family, table)
        empty = int(pc.sum(pc.equal(table["status"], "empty")).as_py() or 0)
        state = EMPTY.judge(empty / len(table))
        yield Verdict(
            "empty",
            name,
            state,
            f"{empty} of {len(table)} rows are empty: a fact of the picture, no fault",
            empty / len(table),
            "share of rows",
            f"warn > {100 * EMPTY.warn:g} %",
            "is it the right condition for these pictures? A draw leaves empty rows out" if state != "pass" else "",
        )


def _failed(evidence: Evidence, family: Family, table: pa.Table) -> Verdict:
    name = family.card.family
    wrong = pc.equal(table["status"], "failed")
    codes = Counter(table.filter(wrong)["code"].cast(pa.string()).to_pylist())
    state = FAILED.judge(codes.total() / len(table))
    why = ", ".join(f"{code or 'no code'} {count}" for code, count in codes.most_common(4))
    places = np.flatnonzero(np.asarray(wrong))[:SHOWN] if len(table) == len(evidence.index) and state != "pass" else ()
    return Verdict(
        "failed",
        name,
        state,
        f"{codes.total()} of {len(table)} rows failed" + (f": {why}" if why else ""),
        codes.total() / len(table),
        "share of rows",
        str(FAILED),
        f"annotate.py {evidence.dataset.root} {name} --retry failed; logs/ says more" if state != "pass" else "",
        tuple(int(place) for place in places),
    )


def _table(evidence: Evidence, family: Family) -> pa.Table:
    """status and code of every row that there is, from the index, or from the shards while some are missing."""
    if family.index is not None:
        return family.index.select(["status", "code"])
    dataset, name = evidence.dataset, family.card.family
    paths = [dataset.path(name, shard) for shard in dataset.shards(name)]
    tables = list(in_parallel(lambda path: read_columns(path, ["status", "code"]), paths))
    return pa.concat_tables(tables) if tables else pa.table({"status": [], "code": []})
