"""Words: captions that are missing, that many rows share, or that are no sentence about a picture."""

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluate.audit.evidence import Evidence
from evaluate.audit.verdict import Limits, Verdict
from manifests.layout import IMAGES
from manifests.parallel import in_parallel
from manifests.storage import read_columns

EMPTY = Limits(warn=0.05, fail=1.0)  # a corpus without words is no fault: it can be given some
REPEATED = Limits(warn=0.10, fail=0.50)
ODD = Limits(warn=0.05, fail=0.20)
OFTEN = 10  # rows of one caption: as boilerplate has it
MOST_READ = 1_000_000  # rows whose captions are read
LONG = 1_000  # characters; CLIP reads some 300
COLUMN = "caption_repeats"
SHOWN = 6
ODD_WORDS = re.compile(
    r"https?://|www\.|<[a-z/][^>]*>|&(amp|quot|lt|gt|nbsp|#\d+);|\ufffd|Ã.|â€|\.(jpe?g|png|gif|webp)\b|\b(img|dsc|pict)_?\d+",
    re.IGNORECASE,
)


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
    return bool(caption) and (len(caption) > LONG or bool(ODD_WORDS.search(caption)))


def _repeated(evidence: Evidence, alive: NDArray[np.bool_]) -> Verdict:
    """Rows whose caption is that of many others, whose picture is another."""
    repeats, read = _repeats(evidence)
    bad = np.flatnonzero((repeats >= OFTEN) & read & alive)
    bad = bad[np.argsort(-repeats[bad], kind="stable")]
    of = int((read & alive).sum())
    what = f"have a caption that {OFTEN} rows or more have, {int(repeats.max(initial=0))} at most"
    return _verdict(
        "repeated captions", bad, of, REPEATED, what, "keep boilerplate out by `where: caption_repeats < 10`"
    )


def _repeats(evidence: Evidence) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """In how many rows each row's first caption is, and which rows were looked at: [N] each."""
    index, rows = evidence.index, len(evidence.index)
    if COLUMN in index.column_names:
        return np.nan_to_num(index[COLUMN].cast(pa.float64()).to_numpy()).astype(np.int64), np.ones(rows, bool)
    if rows <= MOST_READ:
        return _counted(evidence), np.ones(rows, bool)
    counts = Counter(row["captions"][0] for row in evidence.pictures.values() if row["captions"])
    found, read = np.zeros(rows, np.int64), np.zeros(rows, bool)
    for place, row in evidence.pictures.items():
        read[place] = True
        found[place] = counts[row["captions"][0]] if row["captions"] else 0
    return found, read


def _counted(evidence: Evidence) -> NDArray[np.int64]:
    dataset = evidence.dataset

    def first(name: str) -> pa.Array:
        captions = read_columns(dataset.path(IMAGES, name), ["captions"])["captions"].combine_chunks()
        return pc.list_slice(captions, 0, 1, return_fixed_size_list=True).flatten()

    found = np.zeros(len(evidence.index), np.int64)
    texts = pa.chunked_array(list(in_parallel(first, dataset.shards())), pa.string()).combine_chunks()
    codes = np.nan_to_num(texts.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(float), nan=-1)
    _, inverse, counts = np.unique(codes.astype(np.int64), return_inverse=True, return_counts=True)
    known = min(len(found), len(codes))
    found[:known] = np.where(codes >= 0, counts[inverse], 0)[:known]
    return found


def _verdict(check: str, places: NDArray[np.int64], of: int, limits: Limits, what: str, remedy: str) -> Verdict:
    share = len(places) / of if of else 0.0
    state = limits.judge(share)
    said, shown = (remedy, tuple(int(at) for at in places[:SHOWN])) if state != "pass" else ("", ())
    found = f"{len(places)} of {of} rows {what}"
    return Verdict(check, "", state, found, share, "share of rows", str(limits), said, shown)
