"""What is recorded of the draw that a training set holds, so that it need not be drawn again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from manifests.account import Account, account_from, of_first
from manifests.storage import replace_text
from manifests.subset import Subset

FILE = "draw.json"  # replaced when the dataset has changed and the draw has not


@dataclass(frozen=True)
class Drawn:
    """The draw of a training set's first rows.

    Attributes:
        rows: that are known to be the draw.
        found: rows that fulfilled the conditions.
        account: why the other rows of the dataset are not among them.
        state: the dataset's, of which this is the draw.
    """

    rows: int
    found: int
    account: Account
    state: Mapping[str, str]

    def first(self, rows: int, *, wordless: int) -> Account:
        """The account of a smaller draw.

        Args:
            wordless: how many of its rows have no words.
        """
        return of_first(self.account, rows, found=self.found, wordless=wordless)


def record_draw(folder: Path, subset: Subset) -> None:
    """Record of which draw the training set's rows begin with."""
    drawn = Drawn(len(subset.rows), subset.found, subset.account, subset.state)
    replace_text(json.dumps(asdict(drawn), indent=1) + "\n", folder / FILE)


def recorded_draw(folder: Path) -> Drawn:
    """What is recorded of a training set that is complete."""
    record = json.loads((folder / FILE).read_text())
    return Drawn(**{**record, "account": account_from(record["account"])})
