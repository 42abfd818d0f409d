"""Take-downs: pictures that must not be used any more, by request of whoever may ask."""

import hashlib
from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manifests.dataset import Dataset
from manifests.layout import REMOVED, SUFFIX
from manifests.storage import publish, read_table

SCHEMA = pa.schema([("picture", pa.string()), ("reason", pa.string()), ("day", pa.string())])


def remove_pictures(dataset: Dataset, pictures: Sequence[str], reason: str) -> None:
    """Note that these pictures, whatever their captions, in parts to come too, are not to be used any more.

    Near-duplicates of theirs are other pictures, and stay: who asked for one may not have a say in the other.

    A request is a file of its own, so that none is lost when two are made at once. The index is to be built afterwards.
    """
    day = date.today().isoformat()
    table = pa.table([list(pictures), [reason] * len(pictures), [day] * len(pictures)], schema=SCHEMA)
    name = hashlib.sha256("\n".join([day, reason, *pictures]).encode()).hexdigest()[:16]
    publish(lambda partial: pq.write_table(table, partial), dataset.root / REMOVED / f"{name}{SUFFIX}")


def removed_pictures(dataset: Dataset) -> set[str]:
    """Pictures that were taken down, by the first 16 hex digits of the sha256 of their source."""
    paths = [dataset.root / REMOVED / name for name in requests(dataset)]
    return {picture for path in paths for picture in read_table(path)["picture"].to_pylist()}


def taken_down(dataset: Dataset, pictures: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether each picture, named as `removed_pictures` does, was taken down by now, whatever an index says: bool."""
    return pc.is_in(pictures, pa.array(sorted(removed_pictures(dataset)), pa.string()))


def requests(dataset: Dataset) -> list[str]:
    """Names of the files of all take-downs; a file never changes."""
    return sorted(path.name for path in (dataset.root / REMOVED).glob(f"*{SUFFIX}"))
