"""Shards to be made again. They are withdrawn: what is missing is what every job makes, however often it is killed."""

from collections.abc import Sequence
from itertools import compress

import pyarrow.compute as pc

from annotate.task import Task
from manifests.dataset import Dataset
from manifests.footer import made_by, read_footer
from manifests.index import index_path
from manifests.layout import IMAGES
from manifests.parallel import in_parallel
from manifests.storage import read_columns

RETRIED = "failed"


def parse_retry(words: str) -> str:
    """The code that `failed:CODE` names; "" for every failed row.

    Raises:
        ValueError: it is something else.
    """
    kind, _, code = words.partition(":")
    if kind != RETRIED:
        raise ValueError(f"--retry {words}: only failed rows are tried again. Write failed, or failed:CODE")
    return code


def failed_shards(dataset: Dataset, family: str, code: str) -> list[str]:
    """Shards of a family that hold a failed row, of this code if it isn't ""."""

    def failed(name: str) -> bool:
        table = read_columns(dataset.path(family, name), ["status", "code"])
        wanted = pc.equal(table["status"], "failed")
        if code:
            wanted = pc.and_(wanted, pc.equal(table["code"], code))
        return bool(pc.any(wanted).as_py())

    names = dataset.shards(family)
    return list(compress(names, in_parallel(failed, names)))


def outdated_shards(dataset: Dataset, task: Task) -> list[str]:
    """Shards that this job would make otherwise: by another annotator, other packages, or from other rows."""
    now = made_by(task.card)

    def outdated(name: str) -> bool:
        keys = read_footer(dataset.path(IMAGES, name))["keys"]
        return read_footer(dataset.path(task.family, name)) != {"keys": keys, **now}

    names = dataset.shards(task.family)
    return list(compress(names, in_parallel(outdated, names)))


def withdraw(dataset: Dataset, family: str, names: Sequence[str]) -> None:
    """Take shards away, the index of their family first: nobody draws from a family that lacks some."""
    if names:
        index_path(dataset, family).unlink(missing_ok=True)
    for name in names:
        dataset.path(family, name).unlink(missing_ok=True)
