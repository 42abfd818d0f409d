"""What is wrong with one row of a family, if anything: one cause, the first that explains it."""

from dataclasses import dataclass
from typing import Literal

Cause = Literal["", "size", "values", "polarity", "alignment", "pairing", "agreement"]


@dataclass(frozen=True)
class Finding:
    """The cause found for one sampled row.

    Attributes:
        place: of the row in the index.
        cause: the check that it is for; "" where nothing is wrong, or nothing could be compared.
        said: what exactly, in a few words that rows of the same fault share.
        compared: whether the row was compared with its condition made again.
        agreement: the primary measure of adherence between the two; None where it was not taken.
    """

    place: int
    cause: Cause = ""
    said: str = ""
    compared: bool = False
    agreement: float | None = None
