"""Pictures that the base draws without a control: the same for every control, and drawn once where they are found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Floors:
    """Pictures without control that an evaluation kept.

    Attributes:
        files: where each lies, by key and draw.
    """

    files: Mapping[tuple[str, int], Path]

    def read(self, pictures: Sequence[tuple[str, int]]) -> Pictures | None:
        """Some of them.

        Args:
            pictures: key and draw of B.

        Returns:
            [B, H, W, 3] uint8 RGB, the very pixels that were drawn; None where one is missing.
        """
        if not all(picture in self.files for picture in pictures):
            return None
        found: dict[tuple[str, int], bytes] = {}
        for path in sorted({self.files[picture] for picture in pictures}):
            table = pq.read_table(
                path, columns=["key", "draw", FLOOR], filters=[("key", "in", [key for key, _ in pictures])]
            )
            found |= {(row["key"], row["draw"]): row[FLOOR]["bytes"] for row in table.to_pylist()}
        return np.stack([decode(found[picture]) for picture in pictures])


def load_floors(folder: Path) -> Floors:
    """See which pictures an evaluation kept, and in which files: no picture is read."""
    files: dict[tuple[str, int], Path] = {}
    for path in sorted((folder / PICTURES_FOLDER).glob("*.parquet")):
        table = pq.read_table(path, columns=["key", "draw"])
        files |= {(row["key"], row["draw"]): path for row in table.to_pylist()}
    return Floors(files)
