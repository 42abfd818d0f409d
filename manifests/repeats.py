"""Boilerplate: how many rows have a caption in common, among millions.

A caption is hashed as its shard is read, and 64 bits of it are kept while all are counted: the words of twenty million
rows are never in memory together.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LETTERLESS = r"[^\pL\pM]+"  # digits, spaces, punctuation: what does not count


def caption_hashes(captions: pa.Array) -> pa.Array:
    """Hash of each caption [N] int64, equal where they are but for case, digits, spaces and punctuation; null stays.

    Python's own, of this process: to be counted, not kept.
    """
    letters = pc.utf8_trim_whitespace(pc.replace_substring_regex(pc.utf8_lower(captions), LETTERLESS, " "))
    hashes = np.fromiter(map(hash, letters.to_pylist()), np.int64, len(letters))
    return pa.array(hashes, mask=np.asarray(pc.is_null(captions)))


def repeats(hashes: pa.ChunkedArray) -> NDArray[np.int32]:
    """How many rows have a row's hash [N], itself among them; 0 where it is null."""
    there = np.asarray(pc.is_valid(hashes))
    _, which, counts = np.unique(pc.fill_null(hashes, 0).to_numpy()[there], return_inverse=True, return_counts=True)
    found = np.zeros(len(there), np.int32)
    found[there] = counts[which]
    return found
