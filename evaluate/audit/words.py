"""Words: captions that are missing, that many rows share, or that are no sentence about a picture."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from annotate.caption_quality import judge
from evaluate.audit.evidence import Evidence
from evaluate.audit.verdict import Limits, Verdict

EMPTY = Limits(warn=0.05, fail=1.0)  # a corpus without words is no fault: it can be given some
REPEATED = Limits(warn=0.10, fail=0.50)
ODD = Limits(warn=0.05, fail=0.20)
OFTEN = 10  # rows of one caption: as boilerplate has it
LONG = 1_000  # characters; CLIP reads some 300
SHOWN = 6


def check_words(evidence: Evidence) -> Iterator[Verdict]:
    """Shares of empty, of repeated, and of odd captions."""
    lengths = evidence.index["caption_length"].to_numpy()
    alive = evidence.alive()
    empty = np.flatnonzero((lengths == 0) & alive)
    root = evidence.dataset.root
    yield _verdict(
        "empty captions", empty, int(alive.sum()), EMPTY, "have no caption", f"annotate.py {root} caption makes some"
    )
    yield _repeated(evidence, alive)
    odd = [place for place, row in evidence.pictures.items() if is_odd(" ".join(row["captions"]))]
    yield _verdict(
        "odd captions",
        np.array(odd, np.int64),
        len(evidence.pictures),
        ODD,
        f"that were read have links, file names, markup, broken letters or over {LONG} characters in their caption",
        "clean them before ingest, or keep them out by `where` (caption_length, a caption_quality family)",
    )


def is_odd(caption: str) -> bool:
    """Whether a caption, if there is one, is something else than a sentence about a picture."""
    found = judge(caption)
    odd = found["odd"] > 0 or found["urls"] + found["tags"] + found["file_names"] > 0
    return bool(odd) or found["characters"] > LONG


def _repeated(evidence: Evidence, alive: NDArray[np.bool_]) -> Verdict:
    """Rows whose caption is that of many others, whose picture is another."""
    repeats = np.nan_to_num(evidence.index["caption_repeats"].cast(pa.float64()).to_numpy()).astype(np.int64)
    told = evidence.index["caption_length"].to_numpy() > 0
    bad = np.flatnonzero((repeats >= OFTEN) & told & alive)
    bad = bad[np.argsort(-repeats[bad], kind="stable")]
    what = f"have a caption that {OFTEN} rows or more have, {int(repeats[told & alive].max(initial=0))} at most"
    return _verdict(
        "repeated captions",
        bad,
        int(alive.sum()),
        REPEATED,
        what,
        "keep boilerplate out by `where: caption_repeats < 10`",
    )


def _verdict(check: str, places: NDArray[np.int64], of: int, limits: Limits, what: str, remedy: str) -> Verdict:
    share = len(places) / of if of else 0.0
    state = limits.judge(share)
    said, shown = (remedy, tuple(int(at) for at in places[:SHOWN])) if state != "pass" else ("", ())
    found = f"{len(places)} of {of} rows {what}"
    return Verdict(check, "", state, found, share, "share of rows", str(limits), said, shown)
