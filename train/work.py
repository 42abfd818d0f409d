"""What all legs of a training share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from manifests.families import Cards
from manifests.manifest import Manifest
from manifests.training_set.rows import Rows
from train.seal import Origin


@dataclass(frozen=True)
class Work:
    """What is trained on, how, and where it is put."""

    manifest: Manifest
    run: Path
    cards: Cards  # of the families that are trained on
    table: Rows  # the training set
    origin: Origin  # what checkpoints say of where they come from
    say: Callable[[str], None]  # told something once, however many processes there are
