"""Pictures that the base draws without a control: the same for every control, and drawn once where they are found."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from evaluate.anchors import FLOOR
from evaluate.pictures import PICTURES_FOLDER, decode
from evaluate.scores import SCORES_FILE
from evaluate.spec import SPEC_FILE, read_spec
from train.sampler import Pictures


def find_floors(folder: Path, among: Iterable[Path]) -> Path | None:
    """The first finished evaluation whose pictures without control are those that another one would draw.

    Args:
        folder: of the other one, claimed by its spec.
        among: folders of evaluations, or what is none.
    """
    wanted = read_spec(folder).protocol.floor
    finished = [other for other in among if (other / SCORES_FILE).is_file() and (other / SPEC_FILE).is_file()]
    others = (other for other in finished if other.resolve() != folder.resolve())
    return next((other for other in others if _floor(other) == wanted), None)


def _floor(folder: Path) -> Mapping[str, Any] | None:
    """What decides the pictures there; None where they are of another version of this code."""
    try:
        return read_spec(folder).protocol.floor
    except ValueError:
        return None


def read_floors(folder: Path, pictures: Sequence[tuple[str, int]]) -> Pictures | None:
    """Pictures without control that an evaluation kept.

    Args:
        pictures: key and draw of B.

    Returns:
        [B, H, W, 3] uint8 RGB, the very pixels that were drawn; None where one is missing.
    """
    keys, found = sorted({key for key, _ in pictures}), dict[tuple[str, int], bytes]()
    for path in sorted((folder / PICTURES_FOLDER).glob("*.parquet")):
        table = pq.read_table(path, columns=["key", "draw", FLOOR], filters=[("key", "in", keys)])
        found |= {(row["key"], row["draw"]): row[FLOOR]["bytes"] for row in table.to_pylist()}
    if not all(picture in found for picture in pictures):
        return None
    return np.stack([decode(found[picture]) for picture in pictures])
