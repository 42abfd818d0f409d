"""Shards to be made again. They are withdrawn: what is missing is what every job makes, however often it is killed."""

import json
from collections.abc import Sequence
from itertools import compress

import pyarrow.compute as pc
from upath import UPath

from annotate.task import Task
from manifests.dataset import Dataset
from manifests.footer import made_by, read_footer
from manifests.index import forget_index
from manifests.layout import IMAGES
from manifests.parallel import in_parallel
from manifests.storage import read_columns, replace_text

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


def retry_failed(dataset: Dataset, family: str, code: str) -> None:
    """Withdraw the shards that hold a failed row, of this code if it isn't "": each once, until the job has ended.

    A job that was killed and is started again goes on with those that it had not withdrawn: rows that failed once more
    since would else be made again with every start.
    """
    path = _retried(dataset, family)
    before = json.loads(path.read_text()) if path.exists() else {"code": code, "shards": []}
    done = before["shards"] if before["code"] == code else []
    names = [name for name in failed_shards(dataset, family, code) if name not in set(done)]
    withdraw(dataset, family, names)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(json.dumps({"code": code, "shards": [*done, *names]}) + "\n", path)


def end_retry(dataset: Dataset, family: str) -> None:
    """Forget what a job withdrew: the next one withdraws whatever holds a failed row then."""
    _retried(dataset, family).unlink(missing_ok=True)


def _retried(dataset: Dataset, family: str) -> UPath:
    return dataset.root / "logs" / "retry" / f"{family}.json"


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
        forget_index(dataset, family)
    for name in names:
        dataset.path(family, name).unlink(missing_ok=True)
