"""Which rows are harmed, and how: drawn from a seed and the rows' numbers, so that fewer are among more."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa

from annotate.draws import generator
from annotate.image import RGB
from annotate.planted.clean import Clean, Numbers, hashes_of
from annotate.planted.exchanged import exchange
from annotate.planted.harmable import harmable, is_alone, trained
from annotate.planted.pictures import COPIED, DAMAGED, drawn_quality, greyed, saved
from manifests.dataset import Settings
from manifests.salt import salted_order

GREYS = 8  # pictures that stand there many times over


@dataclass(frozen=True)
class Planting:
    """What is asked for, written beside the corpus: shares of the rows that train, from 0 to 1."""

    greys: float = 0.0
    jpeg: float = 0.0
    captions: float = 0.0
    seed: int = 0

    @property
    def shares(self) -> dict[str, float]:
        """By fault, in the order in which rows are given to them."""
        return {"greys": self.greys, "jpeg": self.jpeg, "captions": self.captions}


@dataclass(frozen=True)
class Harm:
    """What one row becomes.

    Attributes:
        shows: the row whose picture it gets.
        says: the row whose captions it gets.
        quality: of the JPEG that the picture is saved as; 0: it stays as it is.
    """

    fault: str
    shows: int
    says: int
    quality: int = 0


@dataclass(frozen=True)
class Drawn:
    """What is to be planted.

    Attributes:
        trained: how many rows are in train, of which those to harm are a share.
        harms: by the number of the row that is harmed.
        greys: the pictures that stand there many times over, [H, W, 3] uint8 RGB, by the number of the row they are of.
    """

    trained: int
    harms: Mapping[int, Harm]
    greys: Mapping[int, RGB]


def draw(clean: Clean, planting: Planting, settings: Settings) -> Drawn:
    """Draw the rows of smallest salted hash among those that may be harmed; no row has two faults.

    Args:
        settings: by which the corpus with its faults will be ingested.

    Raises:
        ValueError: a share is none, or there are too few such rows.
    """
    rows = int(trained(clean, settings).sum())
    wanted = _wanted(planting, rows)
    able = np.flatnonzero(harmable(clean, settings))
    order = able[salted_order(pa.chunked_array([able.astype(str).tolist()], pa.string()), str(planting.seed))].tolist()
    taken = order[: wanted["greys"]]
    greys = _greys(clean, order) if taken else {}
    harms = {row: _grey(row, planting.seed, list(greys)) for row in taken}
    rest = order[len(taken) :]
    fit = (row for row in rest if is_alone(clean.damaged[row], clean, but=row))
    for row in islice(fit, wanted["jpeg"]):
        harms[row] = Harm("jpeg", row, row, drawn_quality(planting.seed, row, DAMAGED))
    left = [row for row in rest if row not in harms and clean.captions[row]][: wanted["captions"]]
    for row, other in exchange(left, _captions(clean)).items():
        harms[row] = Harm("captions", row, other)
    _check(wanted, harms)
    return Drawn(rows, harms, greys)


def _wanted(planting: Planting, rows: int) -> dict[str, int]:
    """How many rows each fault gets, of those that train."""
    shares = planting.shares
    if min(shares.values()) < 0 or sum(shares.values()) > 1:
        said = ", ".join(f"{fault} {share}" for fault, share in shares.items())
        raise ValueError(f"{said}: no shares of the rows. Each is 0 or more, and their sum at most 1")
    return {fault: round(share * rows) for fault, share in shares.items()}


def _check(wanted: Mapping[str, int], harms: Mapping[int, Harm]) -> None:
    found = Counter(harm.fault for harm in harms.values())
    for fault, rows in wanted.items():
        if found[fault] < rows:
            raise ValueError(
                f"{fault}: {rows} rows were to be harmed, and {found[fault]} can be so that no other row changes its "
                "split. Plant fewer, or with --duplicates exact, and ingest so too"
            )


def _captions(clean: Clean) -> dict[int, set[str]]:
    """By row, all captions that its picture has, in other rows too: none of them would be wrong."""
    numbers = clean.pictures.tolist()
    known: dict[int, set[str]] = {}
    for number, captions in zip(numbers, clean.captions, strict=True):
        known.setdefault(number, set()).update(captions)
    return {row: known[number] for row, number in enumerate(numbers)}


def _grey(row: int, seed: int, greys: Sequence[int]) -> Harm:
    shown = greys[int(generator(seed, f"shows:{row}").integers(len(greys)))]
    return Harm("greys", shown, shown, drawn_quality(seed, row, COPIED))


def _greys(clean: Clean, order: Sequence[int]) -> dict[int, RGB]:
    """The first rows of an order whose pictures, greyed and copied, are near to no other row's."""
    found: dict[int, RGB] = {}
    for row in order:
        image = greyed(clean.stored(*clean.raw([row])))
        if all(is_alone(hashes, clean, but=row) for hashes in _of_copies(image, clean)):
            found[row] = image
        if len(found) == GREYS:
            return found
    raise ValueError(
        f"greys: of {len(order)} rows only {len(found)} can be copied in grey without coming near another row; "
        f"{GREYS} are wanted. Take a larger corpus, or --duplicates exact, and ingest so too"
    )


def _of_copies(image: RGB, clean: Clean) -> Iterator[Numbers]:
    """Hashes [K] of a picture's copies at every quality; none where nobody asks what is near."""
    if clean.hashes.shape[1]:
        for quality in range(COPIED[0], COPIED[1] + 1):
            yield np.array(hashes_of(saved(image, quality=quality, comment="")), np.uint64)
