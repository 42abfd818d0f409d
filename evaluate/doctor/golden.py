"""Golden conditions: what annotators are known to make of one picture, so that a machine can be told from a broken one.

The photograph is NASA's portrait of the astronaut Eileen Collins (public domain), 256 pixels square. Detectors of the
playroom are shown one of its pictures instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from annotate.annotator import PICTURES, STORED, Annotator
from annotate.chain import Read, path_to, source
from annotate.corpora import playroom
from annotate.image import decode
from annotate.registry import make_card
from annotate.stored import Stored
from evaluate.adherence import ADHERENCE
from evaluate.measures.measure import SHARE, SIMILARITY
from manifests import condition
from manifests.condition import CELLS, Condition, Kind
from manifests.family import FamilyCard

FOLDER = Path(__file__).parent / "goldens"
CAPTION = "the astronaut Eileen Collins"
KEY = "golden"  # of the row: parameters that are drawn by key are drawn for it
PLAYROOM_ROW = 11  # of seed 0: a box, a person of whom every joint is seen, a cone
SLACK = 0.02  # of a share or similarity: what another machine or device may change in a network's output
SLACK_OF_UNITS = 0.5  # of whatever else a measure counts in: degrees, pixels, steps


@dataclass(frozen=True)
class Verdict:
    """Whether a condition is the golden one, and in words by how much it isn't."""

    same: bool
    said: str


def golden_input(annotators: Mapping[str, Annotator], family: str) -> Read:
    """What the first of the annotators behind a family reads, as a batch of one."""
    if source(annotators, path_to(annotators, family)[0]) == STORED:
        return [Stored((FOLDER / "photograph.webp").read_bytes(), (CAPTION,))]
    return golden_picture(annotators, family)[None]


def golden_picture(annotators: Mapping[str, Annotator], family: str) -> NDArray[np.uint8]:
    """What a family is tried on: [H, W, 3] uint8 RGB."""
    weights = [name for step in path_to(annotators, family) for name in annotators[step].weights]
    if any(name.startswith("tiny/") for name in weights):
        return playroom.record(0, PLAYROOM_ROW).image
    return decode((FOLDER / "photograph.webp").read_bytes())


def card_of(annotators: Mapping[str, Annotator], family: str) -> FamilyCard:
    """The card that a family made of the golden picture would have.

    Raises:
        ValueError: its weights, or those of a family that it reads, are missing or damaged.
    """
    reads = source(annotators, family)
    made_from = {} if reads in PICTURES else {annotators[reads].name: card_of(annotators, reads).fingerprint}
    return make_card(annotators[family], family, made_from=made_from, resolution=0)


def recorded(card: FamilyCard, folder: Path = FOLDER) -> Condition | None:
    """The golden condition of these settings and weights; None where nobody has recorded it."""
    path = _path(card, folder)
    if not path.exists():
        return None
    return condition.decode(card.kind, pq.read_table(path)["condition"][0].as_py())


def record(card: FamilyCard, made: Condition, folder: Path = FOLDER) -> Path:
    """Keep a condition as the golden one of these settings and weights."""
    path = _path(card, folder)
    column = pa.array([condition.encode(card.kind, made)], CELLS[card.kind])
    pq.write_table(pa.table({"condition": column}), path)
    return path


def compare(card: FamilyCard, golden: Condition, made: Condition, *, exact: bool) -> Verdict:
    """Tell whether a condition is the golden one.

    Args:
        exact: to the bit, as words always are; else by the annotator's primary measure, within the slack above.
    """
    if exact or card.annotator not in ADHERENCE:
        same = _stored(card.kind, golden) == _stored(card.kind, made)
        return Verdict(same, "as expected" if same else "not the golden condition, which is exact")
    adherence = ADHERENCE[card.annotator]
    primary = adherence.primary
    perfect, found = (adherence.score(golden, other)[primary.name].value for other in (golden, made))
    slack = SLACK if primary.unit in (SHARE, SIMILARITY) else SLACK_OF_UNITS
    said = f"{primary.title} {found:.3f}"
    if abs(found - perfect) <= slack:
        return Verdict(True, f"as expected ({said})")
    return Verdict(False, f"not the golden condition: {said}, not {perfect:.3f} within {slack}")


def _stored(kind: Kind, made: Condition) -> condition.Cell:
    """In the form of a shard, by this machine's own codecs, after one pass through them."""
    return condition.encode(kind, condition.decode(kind, condition.encode(kind, made)))


def _path(card: FamilyCard, folder: Path) -> Path:
    return folder / f"{card.annotator}-{card.fingerprint}.parquet"
