"""Take-downs: pictures that must not be used any more, by request of whoever may ask."""

import hashlib
from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.dataset import Dataset
from manifests.layout import REMOVED, SUFFIX
from manifests.storage import publish, read_table

SCHEMA = pa.schema([("cluster", pa.string()), ("reason", pa.string()), ("day", pa.string())])


def remove_clusters(dataset: Dataset, clusters: Sequence[str], reason: str) -> None:
    """Note that these pictures, whatever their captions, in parts to come too, are not to be used any more.

    A request is a file of its own, so that none is lost when two are made at once. The index is to be built afterwards.
    """
    day = date.today().isoformat()
    table = pa.table([list(clusters), [reason] * len(clusters), [day] * len(clusters)], schema=SCHEMA)
    name = hashlib.sha256("\n".join([day, reason, *clusters]).encode()).hexdigest()[:16]
    publish(lambda partial: pq.write_table(table, partial), dataset.root / REMOVED / f"{name}{SUFFIX}")


def removed_clusters(dataset: Dataset) -> set[str]:
    """Clusters of duplicates that were taken down."""
    paths = sorted((dataset.root / REMOVED).glob(f"*{SUFFIX}"))
    return {cluster for path in paths for cluster in read_table(path)["cluster"].to_pylist()}
