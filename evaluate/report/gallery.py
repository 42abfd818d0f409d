"""Which samples a report shows, by rules that leave nobody a choice."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from evaluate.measures.measure import Measure
from evaluate.page.thumbnail import thumbnail
from evaluate.pictures import Found, decode, encode, find
from evaluate.report.error_map import error_map
from evaluate.report.examples import EXAMPLES
from evaluate.scores import first_draw
from manifests.condition import Kind

SHOWN = ("condition", "real", "drawn", "reannotated", "error", "floor")


@dataclass(frozen=True)
class Sample:
    """One row of a gallery."""

    key: str
    caption: str  # from the corpus: untrusted text, escaped by the template
    score: float
    panels: dict[str, str]  # panel -> data URI


@dataclass(frozen=True)
class Gallery:
    """Samples chosen by one rule."""

    title: str
    rule: str
    samples: tuple[Sample, ...]


def galleries(scores: pa.Table, pictures: Path, *, measure: Measure, kind: Kind) -> list[Gallery]:
    """Choose the random, best, median and worst samples and make their thumbnails.

    Args:
        scores: rows of scores.parquet.
        pictures: folder of the pictures' Parquet files.
        measure: the primary one, by which the samples are ranked.
        kind: of the conditions.
    """
    ranked = rank(scores, measure=measure.name, higher_is_better=measure.higher_is_better)
    count = min(EXAMPLES, len(ranked))
    best, worst = ("highest", "lowest") if measure.higher_is_better else ("lowest", "highest")
    middle = (len(ranked) - count) // 2
    chosen = [
        ("Random", "the samples whose hashed key is smallest: no score is looked at", random_keys(list(ranked), count)),
        ("Best", f"the {count} {best} by {measure.name}", list(ranked)[:count]),
        ("Median", f"the {count} in the middle by {measure.name}", list(ranked)[middle : middle + count]),
        ("Worst", f"the {count} {worst} by {measure.name}, the very worst first", list(ranked)[::-1][:count]),
    ]
    found = find(pictures, {key for _, _, keys in chosen for key in keys})
    return [
        Gallery(title, rule, tuple(_sample(key, ranked[key], found[key], kind) for key in keys if key in found))
        for title, rule, keys in chosen
    ]


def rank(scores: pa.Table, *, measure: str, higher_is_better: bool) -> dict[str, float]:
    """Order keys from best to worst by the controlled picture of the first draw; equal scores by key."""
    sign = -1 if higher_is_better else 1
    return dict(sorted(first_draw(scores, measure).items(), key=lambda pair: (sign * pair[1], pair[0])))


def random_keys(keys: list[str], count: int) -> list[str]:
    """The `count` keys of smallest hash."""
    return sorted(keys, key=lambda key: sha256(f"gallery:{key}".encode()).digest())[:count]


def _sample(key: str, score: float, found: Found, kind: Kind) -> Sample:
    departs = error_map(kind, decode(found.panels["condition"]), decode(found.panels["reannotated"]))
    panels = {**found.panels, "error": encode(departs)}
    return Sample(key, found.caption, score, {panel: thumbnail(panels[panel]) for panel in SHOWN})
