"""What the pictures of a dataset may be used for, as its corpus says: rows by licence, and the Hub's word for it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow.compute as pc

from manifests.dataset import Dataset
from manifests.layout import SOURCE
from manifests.parallel import in_parallel
from manifests.storage import read_columns

UNSAID = ""  # of rows whose corpus names no licence
SHORT = re.compile(r"(?:cc-)?(by(?:-nc)?(?:-sa|-nd)?)-(\d\.\d)")
LINK = re.compile(r"https?://creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)(?:/.*)?")
ZERO = re.compile(r"cc0(?:-1\.0)?|https?://creativecommons\.org/publicdomain/zero/1\.0(?:/.*)?")
ON_THE_HUB = {  # huggingface.co/docs/hub/repositories-licenses
    *("apache-2.0", "mit", "cc0-1.0", "odbl", "pddl", "odc-by", "unlicense", "cdla-permissive-2.0"),
    *(f"cc-{of}-{version}" for of in ("by", "by-sa", "by-nc", "by-nd", "by-nc-sa", "by-nc-nd") for version in ("4.0",)),
    *("cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-sa-3.0", "cc-by-nc-2.0", "cc-by-nc-3.0"),
    *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-nd-3.0"),
}


class Licences(NamedTuple):
    """Rows by licence, as the corpus writes it; rows whose source asks not to be used."""

    rows: Counter[str]
    optout: int


def count_licences(dataset: Dataset) -> Licences:
    """Read two small columns of source/; rows that were taken down are among them."""
    found, optout = Counter[str](), 0
    for licences, asked in in_parallel(lambda name: _of_shard(dataset, name), dataset.shards(SOURCE)):
        found.update(licences)
        optout += asked
    return Licences(found, optout)


def hub_licence(names: Sequence[str]) -> dict[str, str]:
    """The card's fields `license` and, where the Hub has no word of its own for it, `license_name`."""
    known = {_normal(name) for name in names}
    if known <= {UNSAID}:
        return {"license": "unknown"}
    if len(known) == 1 and known <= ON_THE_HUB:
        return {"license": known.pop()}
    return {"license": "other", "license_name": "several, see below" if len(known) > 1 else "see below"}


def _normal(name: str) -> str:
    """A licence as the Hub writes it, where it is one that the Hub knows; else in lower case."""
    text = "-".join(name.strip().lower().split())
    if ZERO.fullmatch(text):
        return "cc0-1.0"
    match = LINK.fullmatch(text) or SHORT.fullmatch(text)
    return f"cc-{match[1]}-{match[2]}" if match else text


def _of_shard(dataset: Dataset, name: str) -> tuple[Mapping[str, int], int]:
    table = read_columns(dataset.path(SOURCE, name), ["licence", "optout"], ["licence"])
    counted = pc.value_counts(table["licence"].combine_chunks().cast("string")).to_pylist()
    return {str(of["values"] or UNSAID): of["counts"] for of in counted}, pc.sum(table["optout"]).as_py() or 0
