"""Pictures: how many are grey, and how many JPEG has damaged: the faults of ControlNet's own first data."""

import io
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from annotate.image import RGB
from evaluate.audit.evidence import Evidence
from evaluate.audit.looks import Look
from evaluate.audit.verdict import Limits, Verdict

GREYS = Limits(warn=0.05, fail=0.20)
DAMAGED = Limits(warn=0.02, fail=0.10)
SPREAD = 6.0  # of 255: a picture whose channels lie no further apart, in 99 of 100 places, is grey
LOW = 40  # of IJG's quality: blocks are seen
SHOWN = 6
STANDARD, LEAST = 57.625, 10  # mean and minimum of the luminance table of quality 50 (ITU T.81, table K.1)
TOP = 255  # entries of low qualities are cut here
GREY_COLUMNS = ("grey", "grey_share", "greyness")  # of a quality family, where it has one of them
QUALITY_COLUMNS = ("jpeg_quality",)


def check_pictures(evidence: Evidence) -> Iterator[Verdict]:
    """Greys, then JPEG damage: of all rows where the index has columns of it, else of the pictures that were read."""
    grey = _places(evidence, GREY_COLUMNS, lambda values: values > 0.5, lambda row, seen: is_grey(seen.thumbnail))
    yield _verdict(
        evidence, "grey", grey, GREYS, "are grey", "keep them out by `where`, with a quality family's columns"
    )
    damaged = _places(
        evidence,
        QUALITY_COLUMNS,
        lambda values: (values > 0) & (values < LOW),
        is_damaged,
    )
    remedy = "networks draw the blocks too. Keep them out by `where`, with a quality family's columns"
    yield _verdict(evidence, "jpeg", damaged, DAMAGED, f"are JPEG below quality {LOW}", remedy)


def is_grey(thumbnail: RGB) -> bool:
    """Whether a picture has no colour, by its thumbnail [64, 64, 3] uint8."""
    small = thumbnail.astype(np.int16)
    return bool(np.quantile(np.ptp(small, axis=2), 0.99) <= SPREAD)


def is_damaged(data: bytes, seen: Look) -> bool:
    """Whether a picture is a JPEG of low quality; what was one, and was stored otherwise, a quality family finds."""
    return 0 < jpeg_quality(data) < LOW


def jpeg_quality(data: bytes) -> float:
    """IJG's quality, 1 to 100, by the mean of the luminance table; 0 of a file that is no JPEG."""
    with Image.open(io.BytesIO(data)) as picture:
        tables = getattr(picture, "quantization", None)
    if not tables:
        return 0.0
    table = np.array(tables[0], float)
    scale = 100 * table.mean() / STANDARD if table.max() < TOP else 100 * table.min() / LEAST
    return max(1.0, (200 - scale) / 2 if scale <= 100 else 5_000 / scale)


Found = tuple[NDArray[np.int64], int, str]  # places, of how many rows, and by what


def _places(
    evidence: Evidence,
    columns: tuple[str, ...],
    by_value: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    by_sight: Callable[[bytes, Look], bool],
) -> Found:
    for name, family in evidence.families.items():
        for column in columns:
            if family.card.kind == "scores" and family.index is not None and column in family.index.column_names:
                values = np.nan_to_num(family.index[column].cast(pa.float64()).to_numpy(), nan=0.0)
                alive = evidence.alive()[: len(values)]
                return np.flatnonzero(by_value(values) & alive), int(alive.sum()), f"{name}.{column}"
    seen = {place: one for place, one in evidence.looks.items() if one}
    bad = [at for at, one in seen.items() if by_sight(evidence.pictures[at]["image"]["bytes"], one)]
    return np.array(bad, np.int64), len(seen), ""


def _verdict(evidence: Evidence, check: str, found: Found, limits: Limits, what: str, remedy: str) -> Verdict:
    places, of, column = found
    share = len(places) / of if of else 0.0
    state = limits.judge(share)
    by = f" by {column}" if column else f" that were read; of all: annotate.py {evidence.dataset.root} quality"
    said = f"{len(places)} of {of} pictures{by if column else ''} {what}{'' if column else ' (' + by.strip() + ')'}"
    shown = tuple(int(place) for place in places[:SHOWN]) if state != "pass" else ()
    return Verdict(
        check, "", state, said, share, "share of rows", str(limits), remedy if state != "pass" else "", shown
    )
