"""Where the files of a dataset lie, and what they are called."""

import re

from upath import UPath

SHARD_ROWS = 2_048  # records of the plan that make one shard
ROW_GROUP = 128  # rows of a Parquet row group
SUFFIX = ".parquet"
IMAGES, SOURCE, DROPPED, PLAN, SPLITS, INDEX = "images", "source", "dropped", "plan", "splits", "index"
REMOVED = "removed"
FAMILY_NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = frozenset({IMAGES, SOURCE, DROPPED, PLAN, SPLITS, INDEX, REMOVED, "rows", "training_sets", "logs"})


def shard_name(part: int, number: int) -> str:
    """Name of shard `number` of ingest `part`, as `00-000000`; names sort as the rows do."""
    return f"{part:02d}-{number:06d}"


def shard_path(root: UPath, family: str, name: str) -> UPath:
    """File of one shard of one family."""
    return root / family / f"{name}{SUFFIX}"
