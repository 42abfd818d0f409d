"""A bound on failed rows, so that a job that is going wrong ends early and says why."""

from collections import Counter
from dataclasses import dataclass, field

from manifests.dataset import Dataset


def parse_share(words: str) -> float:
    """A share in [0, 1] from "0.1%" or "0.001".

    Raises:
        ValueError: it is neither.
    """
    try:
        share = float(words.removesuffix("%")) / (100 if words.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"--max-failed {words}: not a share. Write 0.1% or 0.001")
    return share


@dataclass
class Limit:
    """Counts failed rows by family and code, and stops the job once it can no longer end within its bound.

    Attributes:
        share: of a family's rows that may fail.
        rows: of the family, all of them.
        counted: family and name of the shards that are counted already.
    """

    share: float
    rows: int
    failed: dict[str, Counter[str]] = field(default_factory=dict)
    counted: set[tuple[str, str]] = field(default_factory=set)

    def check(self, dataset: Dataset, family: str, name: str) -> None:
        """Count the failed rows of a shard, once.

        Raises:
            ValueError: there are too many.
        """
        if (family, name) in self.counted or not dataset.path(family, name).exists():
            return
        self.counted.add((family, name))
        rows = dataset.read(family, name, ["status", "code"]).to_pylist()
        total = self.failed.setdefault(family, Counter())
        total.update(row["code"] for row in rows if row["status"] == "failed")
        why = ", ".join(f"{code} {count}" for code, count in total.most_common())
        self.settle(family, total.total(), f" ({why})")

    def settle(self, family: str, failed: int, why: str = "") -> None:
        """Hold a number of failed rows against the bound.

        Raises:
            ValueError: it is beyond.
        """
        if failed > self.share * self.rows:
            raise ValueError(
                f"{family}: {failed} rows have failed{why}, and of {self.rows} at most {self.share:.3%} may. "
                "What is made stays; mend the cause, then --retry failed, or raise --max-failed"
            )
