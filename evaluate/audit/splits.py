"""Splits: no picture is in two of them, and the test split can tell two checkpoints apart."""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.audit.duplicates import ASKED, cluster_numbers
from evaluate.audit.evidence import Evidence
from evaluate.audit.nearness import COLUMN, copies, hashes, why_not
from evaluate.audit.verdict import Limits, State, Verdict, share_verdict, skipped

LEAKS = Limits(warn=0.0, fail=0.005)  # of the rows held out
NONE = Limits(warn=0.0, fail=0.0)
ENOUGH = 200  # test rows
HELD_OUT = ("test", "validation")
DRAWN_FROM = (*HELD_OUT, "train")  # rows that touch two splits are `excluded`, and no leak


def check_splits(evidence: Evidence) -> Iterator[Verdict]:
    """Equal pictures in two splits, near ones, and how many test rows there are."""
    splits = evidence.index["split"].cast("string").combine_chunks()
    alive = evidence.alive()
    yield _equal(evidence, splits, alive)
    yield _near(evidence, splits, alive)
    there = int(pc.sum(pc.equal(splits, "test")).as_py() or 0)
    state: State = "pass" if there >= ENOUGH else "warn"
    yield Verdict(
        "test rows",
        "",
        state,
        f"{there} rows are held out for testing",
        float(there),
        "rows",
        f"warn < {ENOUGH}",
        "figures will be uncertain; ingest more, or begin a dataset with a larger share" if state == "warn" else "",
    )


def _equal(evidence: Evidence, splits: object, alive: NDArray[np.bool_]) -> Verdict:
    """Clusters whose rows are in more than one split."""
    numbers, names = cluster_numbers(evidence), np.asarray(splits)
    used = alive & np.isin(names, DRAWN_FROM)
    places = np.flatnonzero(used)
    codes = np.unique(names[used], return_inverse=True)[1]
    least, most = (np.full(int(numbers.max(initial=0)) + 1, fill) for fill in (len(DRAWN_FROM), -1))
    np.minimum.at(least, numbers[used], codes)
    np.maximum.at(most, numbers[used], codes)
    bad = places[(least < most)[numbers[used]]]
    bad = bad[np.argsort(numbers[bad], kind="stable")]
    return share_verdict(
        "splits",
        "",
        bad=len(bad),
        of=int(used.sum()),
        found=f"{len(bad)} rows show a picture that another split has too",
        remedy="what is tested on was trained on. splits/ was changed by hand: ingest the corpus again",
        places=tuple(int(place) for place in bad[:6]),
        limits=NONE,
    )


def _near(evidence: Evidence, splits: object, alive: NDArray[np.bool_]) -> Verdict:
    """Rows held out that have a near copy in another split."""
    if why := why_not(evidence):
        return skipped("splits", "", why, f"annotate.py {evidence.dataset.root} {COLUMN}")
    found = hashes(evidence)
    assert found is not None
    names, clusters = np.asarray(splits), cluster_numbers(evidence)
    used = alive & np.isin(names, DRAWN_FROM)
    held = np.flatnonzero(alive & np.isin(names, HELD_OUT))
    asked = np.sort(np.random.default_rng(evidence.seed).permutation(held)[:ASKED])
    bad: list[int] = []
    for place, like in zip(asked.tolist(), copies(found, asked), strict=True):
        other = like[used[like] & (names[like] != names[place]) & (clusters[like] != clusters[place])]
        bad += [place, int(other[0])] if len(other) else []
    return share_verdict(
        "splits",
        "",
        bad=len(bad) // 2,
        of=len(asked),
        found=f"{len(bad) // 2} of {len(asked)} rows held out have a near copy in another split",
        remedy="figures will flatter what was learned by heart. Ingest with `duplicates: near`",
        places=tuple(bad[:6]),
        limits=LEAKS,
    )
