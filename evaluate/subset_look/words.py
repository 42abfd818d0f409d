"""A difference in plain words: of what a subset has more, and of what less."""

import numpy as np
from numpy.typing import NDArray

from evaluate.page.render import short
from evaluate.subset_look.compare import ALL, DRAWN, Difference

NOUNS = {  # column, without its family → rows of low values, rows of high ones
    "aspect": ("upright pictures", "broad pictures"),
    "blockiness": ("pictures without blocks", "blocky pictures"),
    "brightness": ("dark pictures", "bright pictures"),
    "caption_length": ("short captions", "long captions"),
    "caption_repeats": ("captions of their own", "captions that repeat"),
    "captions": ("pictures of few captions", "pictures of many captions"),
    "cluster_size": ("pictures without copies", "pictures of many copies"),
    "colourfulness": ("dull pictures", "colourful pictures"),
    "edge_density": ("pictures of few edges", "pictures of many edges"),
    "height": ("flat pictures", "tall pictures"),
    "jpeg_quality": ("hard-pressed JPEGs", "lightly pressed JPEGs"),
    "noise": ("clean pictures", "noisy pictures"),
    "sharpness": ("blurred pictures", "sharp pictures"),
    "short_side": ("small pictures", "large pictures"),
    "width": ("narrow pictures", "wide pictures"),
}

BOTH = 0.4  # of the larger change at one end: the smaller at the other is worth naming


def in_words(difference: Difference) -> str:
    """One sentence, its figures the drawn rows' first and then those of all."""
    if not difference.spreads:
        return _of_categories(difference)
    whole, drawn = difference.spreads[ALL], difference.spreads[DRAWN]
    if not drawn.rows:
        return f"{difference.column} is known of no drawn row, and of {whole.rows:,} in all"
    middle, of_all = drawn.quartiles[1], whole.quartiles[1]
    if not difference.differs:
        return f"{difference.column} is spread as in all rows: median {short(middle)} against {short(of_all)}"
    place, shift = _shift(difference)
    median = f"median {difference.column} {short(middle)} against {short(of_all)}"
    return f"{shift}: {median}, {_up_to(difference, place)}"


def _shift(difference: Difference) -> tuple[int, str]:
    """In which bin the greatest gap ends, and of what there are more or fewer rows."""
    bare = difference.column.rpartition(".")[2]
    low, high = NOUNS.get(bare, (f"rows of low {bare}", f"rows of high {bare}"))
    more = _below(difference, DRAWN) - _below(difference, ALL)
    most, least = float(more.max()), float(more.min())
    place = int(abs(more).argmax())
    if min(most, -least) > BOTH * max(most, -least):
        return place, f"{'more' if more.argmax() < more.argmin() else 'fewer'} {low} and {high}"
    gained, lost = ("more", "fewer") if most > -least else ("fewer", "more")
    return place, f"{gained} {low}" if place < _half(difference) else f"{lost} {high}"


def _up_to(difference: Difference, place: int) -> str:
    """How many lie below the upper edge of a bin, or above it where these are fewer of all."""
    edge = short(difference.bins.edges[place + 1])
    drawn, whole = _below(difference, DRAWN)[place], _below(difference, ALL)[place]
    side = "below" if place < _half(difference) else "above"
    if side == "above":
        drawn, whole = 1 - drawn, 1 - whole
    return f"{_percent(drawn)} {side} {edge} against {_percent(whole)}"


def _below(difference: Difference, population: int) -> NDArray[np.float64]:
    """[K] in [0, 1]: the share of a population that lies below the upper edge of each bin."""
    bins = difference.bins
    under = bins.counts[population].cumsum() + bins.below[population]
    return under / max(1, difference.spreads[population].rows)


def _percent(share: float) -> str:
    return f"{short(100 * max(share, 0.0))} %"


def _half(difference: Difference) -> int:
    """The bin in which the median of all lies."""
    return int((_below(difference, ALL) < 0.5).sum())


def _of_categories(difference: Difference) -> str:
    if not difference.bins.labels:
        return f"{difference.column} is known of no row"
    shares = difference.bins.shares
    changes = shares[DRAWN] - shares[ALL]
    place = int(abs(changes).argmax())
    label = difference.bins.labels[place]
    figures = f"{_percent(shares[DRAWN][place])} against {_percent(shares[ALL][place])}"
    if not difference.differs:
        return f"{difference.column} is spread as in all rows: {label}, {figures}"
    return f"{'more' if changes[place] > 0 else 'fewer'} rows whose {difference.column} is {label}: {figures}"
