"""One line of the table of truths."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One detector on one set of pictures.

    Attributes:
        figures: by name; empty where nothing could be measured.
        remark: why it could not, or what else to know.
    """

    task: str
    detector: str
    data: str
    figures: dict[str, float]
    remark: str = ""
