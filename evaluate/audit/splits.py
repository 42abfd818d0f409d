"""Splits: no picture is in two of them, and the test split can tell two checkpoints apart."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence
from evaluate.audit.nearness import why_not
from evaluate.audit.verdict import Limits, State, Verdict, share_verdict, skipped
from manifests.splits.hashes import HASHES
from manifests.splits.leaks import SPLITS, leaks

LEAKS = Limits(warn=0.0, fail=0.005)  # of the rows of a split that is held out
NONE = Limits(warn=0.0, fail=0.0)
ENOUGH = 200  # test rows


def check_splits(evidence: Evidence) -> Iterator[Verdict]:
    """Equal pictures in two splits, near ones, and how many test rows there are."""
    splits = np.asarray(evidence.index["split"].cast("string").combine_chunks())
    alive = evidence.alive()
    yield _equal(evidence, splits, alive)
    yield from _near(evidence, splits[alive])
    there = int((splits[alive] == "test").sum())
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


def _equal(evidence: Evidence, names: NDArray[np.object_], alive: NDArray[np.bool_]) -> Verdict:
    """Clusters whose rows are in more than one split; rows that touch two are `excluded`, and in none."""
    encoded = evidence.index["cluster"].combine_chunks().dictionary_encode()
    numbers = np.asarray(encoded.indices.to_numpy(), np.int64)
    used = alive & np.isin(names, SPLITS)
    places = np.flatnonzero(used)
    codes = np.unique(names[used], return_inverse=True)[1]
    least, most = (np.full(int(numbers.max(initial=0)) + 1, fill) for fill in (len(SPLITS), -1))
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


def _near(evidence: Evidence, names: NDArray[np.object_]) -> Iterator[Verdict]:
    """Rows held out that have a near copy in another split.

    Args:
        names: [N], the splits of rows that were not taken down.
    """
    if why := why_not(evidence.dataset):
        yield skipped("splits", "", why, f"annotate.py {evidence.dataset.root} {HASHES}")
        return
    found = leaks(evidence.dataset)
    if not found:
        yield share_verdict(
            "splits",
            "",
            bad=0,
            of=len(names),
            found="no row held out has a near copy in another split",
            remedy="",
            places=(),
            limits=LEAKS,
        )
    for leak in found:
        of = int((names == leak.split).sum())
        yield share_verdict(
            "splits",
            "",
            bad=leak.rows,
            of=of,
            found=f"{leak.rows} of {of} rows of {leak.split} have a near copy in {leak.near_to}",
            remedy="figures will flatter what was learned by heart. Ingest with `duplicates: near`",
            places=tuple(pc.index_in(pa.array(leak.keys[:6]), evidence.index["key"]).to_pylist()),
            limits=LEAKS,
        )
