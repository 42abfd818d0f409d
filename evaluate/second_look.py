"""A second look at what an evaluation drew: more numbers from its stored pictures, without drawing again."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from annotate.annotate_worker import pin_threads
from evaluate.anchors import CEILING, CONTROLLED, FLOOR, ORACLE
from evaluate.pictures import PANELS, PICTURES_FOLDER, decode
from evaluate.progress import Progress
from evaluate.scores import SCORES_FILE
from evaluate.workers import Batch, device, on_actors, with_trouble
from manifests.difference import differences
from manifests.storage import publish, replace, replace_text

IDENTITY_FILE = "look.json"
PANEL_OF = {CONTROLLED: "drawn", FLOOR: "floor", CEILING: "ceiling", ORACLE: "real"}  # by arm


@dataclass(frozen=True)
class Drawn:
    """Some of the pictures of an evaluation.

    Attributes:
        keys: B, of the samples.
        draws: B, which draw of the sample.
        captions: B, as they were drawn from.
        pictures: panel (`evaluate.pictures.PANELS`) → [B, H, W, 3] uint8 RGB.
    """

    keys: list[str]
    draws: list[int]
    captions: list[str]
    pictures: dict[str, NDArray[np.uint8]]


Looking = Callable[[Drawn], pa.Table]  # any number of rows; always the same columns


class Look(Protocol):
    """What looks at the pictures; it is sent to workers, so it holds settings and no network."""

    @property
    def name(self) -> str:
        """Of the file it leaves beside scores.parquet: NAME.parquet."""

    @property
    def identity(self) -> dict[str, Any]:
        """All that its numbers depend on: versions, settings, hashes of weights."""

    def load(self, device: torch.device) -> Looking:
        """Load what it needs, once a worker."""


class Worker:
    """A Ray actor: it holds the networks and looks at one file of pictures per call."""

    def __init__(self, look: Look, folder: Path) -> None:
        pin_threads()
        self._look, self._folder = look, folder
        self._looking: Looking | None = None

    def __call__(self, batch: Batch) -> Batch:
        """Look at files of pictures; what a user can mend comes back as a text."""
        return with_trouble(batch, [self._attempt(str(name)) for name in batch["file"]])

    def _attempt(self, name: str) -> str:
        try:
            self._looking = self._looking or self._look.load(device())
            table = self._looking(read_drawn(self._folder / PICTURES_FOLDER / name))
            publish(partial(pq.write_table, table), self._folder / self._look.name / name)
        except torch.OutOfMemoryError:
            return f"{self._folder}: {name} does not fit in memory. Evaluate with a lower evaluate.batch_size"
        except (ValueError, OSError) as error:
            return f"{error}"
        return ""


def look_again(look: Look, folder: Path, *, progress: Progress, actors: int | None = None) -> Path:
    """Look at every picture of an evaluation that this look has not seen yet.

    Args:
        folder: of a finished evaluation.
        progress: told at the start and after every file.
        actors: how many share the work. Default: one per GPU, else one per CPU.

    Returns:
        The file with all rows, sorted by key and draw.

    Raises:
        ValueError: The evaluation is not finished, the folder holds the same look with other settings, or nothing can
            look so.
    """
    if not (folder / SCORES_FILE).is_file():
        raise ValueError(f"{folder}: this evaluation is not finished. Finish it: python pipelines/evaluate.py RUN")
    seen = folder / look.name
    _claim(look, seen)
    files = sorted(path.name for path in (folder / PICTURES_FOLDER).glob("*.parquet"))
    missing = [name for name in files if not (seen / name).is_file()]
    done = len(files) - len(missing)
    progress(done, len(files))
    for _ in on_actors(Worker, (look, folder), [{"file": name} for name in missing], actors=actors):
        done += 1
        progress(done, len(files))
    table = pa.concat_tables([pq.read_table(seen / name) for name in files])
    ordered = table.sort_by([(column, "ascending") for column in ("key", "draw", "arm")])
    target = folder / f"{look.name}.parquet"
    replace(partial(pq.write_table, ordered), target)
    return target


def read_drawn(path: Path) -> Drawn:
    """Read one file of pictures."""
    rows = pq.read_table(path).to_pylist()
    return Drawn(
        keys=[row["key"] for row in rows],
        draws=[row["draw"] for row in rows],
        captions=[row["caption"] for row in rows],
        pictures={panel: np.stack([decode(row[panel]["bytes"]) for row in rows]) for panel in PANELS} if rows else {},
    )


def read_identity(path: Path) -> dict[str, Any]:
    """What the look behind NAME.parquet depends on."""
    identity = path.with_suffix("") / IDENTITY_FILE
    if not identity.is_file():
        raise ValueError(f"{path}: it is left of a look whose folder was deleted. Delete it too, or look again")
    found: dict[str, Any] = json.loads(identity.read_text(encoding="utf-8"))
    return found


def _claim(look: Look, seen: Path) -> None:
    """Refuse a folder that holds what the same look gave with other settings; forget what is left of a deleted one."""
    target = seen / IDENTITY_FILE
    if target.is_file():
        found = json.loads(target.read_text(encoding="utf-8"))
        named = differences(found, json.loads(json.dumps(look.identity)))
        if named:
            raise ValueError(f"{seen}: it was made otherwise: {'; '.join(named)}. Delete it, to look again")
        return
    seen.mkdir(parents=True, exist_ok=True)
    seen.with_name(f"{seen.name}.parquet").unlink(missing_ok=True)
    replace_text(json.dumps(look.identity, indent=2, sort_keys=True) + "\n", target)
