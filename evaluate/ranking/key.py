"""The key of a ranking: which run drew which picture of the page; it stays with the experimenter."""

import json
from pathlib import Path
from typing import Self

from pydantic import BaseModel, NonNegativeInt, PositiveInt, ValidationError, model_validator

from manifests.storage import replace_text

KEY_FILE = "key.json"


class KeyedRun(BaseModel, frozen=True, extra="forbid"):
    """A run that was ranked."""

    name: str
    rows: NonNegativeInt  # trained on
    steps: NonNegativeInt
    fingerprint: str  # of its evaluation


class KeyedMeasure(BaseModel, frozen=True, extra="forbid"):
    """The primary measure of adherence, which is held against what people say."""

    name: str
    title: str
    higher_is_better: bool


class KeyedSample(BaseModel, frozen=True, extra="forbid"):
    """One sample of the page."""

    key: str
    runs: tuple[NonNegativeInt, ...]  # of the sample's pictures, in the order of the page: each run's number
    scores: tuple[float | None, ...]  # by the primary measure, in the order of the runs; None: undefined


class Key(BaseModel, frozen=True, extra="forbid"):
    """All that the page does not say."""

    page: str  # its fingerprint: votes of another page are refused
    seed: int
    condition: str
    protocol_fingerprint: str
    repeats: NonNegativeInt  # samples that every rater sees twice
    version: PositiveInt = 1  # of this file
    measure: KeyedMeasure
    runs: tuple[KeyedRun, ...]
    samples: tuple[KeyedSample, ...]

    @model_validator(mode="after")
    def _each_run_drew_each_sample(self) -> Self:
        for sample in self.samples:
            if sorted(sample.runs) != list(range(len(self.runs))) or len(sample.scores) != len(self.runs):
                raise ValueError(f"sample {sample.key} does not have one picture of each run")
        return self


def write_key(key: Key, folder: Path) -> Path:
    """Write key.json."""
    replace_text(json.dumps(key.model_dump(mode="json"), indent=2) + "\n", folder / KEY_FILE)
    return folder / KEY_FILE


def read_key(folder: Path) -> Key:
    """Read the key that an export left in a folder.

    Raises:
        ValueError: There is none, or it was changed.
    """
    path = folder / KEY_FILE
    if not path.is_file():
        raise ValueError(
            f"{folder}: no ranking was exported here (no {KEY_FILE}). "
            "Export one: python pipelines/rank.py export OUT EVALUATION EVALUATION"
        )
    try:
        return Key.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(f"{path}: {first_error(error)}. Restore the file that the export wrote") from error


def first_error(error: ValidationError) -> str:
    """The first field that is wrong, its value and why, in one line."""
    found = error.errors(include_url=False)[0]
    field = ".".join(map(str, found["loc"]))
    return f"{field} = {found['input']!r:.80}: {found['msg']}" if field else found["msg"]
