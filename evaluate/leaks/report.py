"""The report of an audit: one HTML file with the pairs found, and the same numbers as JSON and Markdown."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluate.leaks.audit import Audit
from evaluate.leaks.gap import Gap
from evaluate.leaks.nearest import FAR
from evaluate.leaks.pairs import groups_of, how
from evaluate.leaks.rate import Rate, in_words
from evaluate.leaks.trained import Trained
from evaluate.leaks.words import sentences, verdict
from evaluate.page.render import cell, numbers, render, with_interval
from evaluate.page.written import write_pages
from manifests.splits.near import DISTANCE

BITS = 16  # beyond these the table of distances is cut off


def write_audit(found: Audit, trained: Trained, folder: Path) -> Path:
    """Write report.html, report.json and report.md of an audit; returns the HTML file."""
    return write_pages(folder, as_json(found, trained), markdown=as_markdown(found), page=as_html(found, trained))


def as_json(found: Audit, trained: Trained) -> dict[str, Any]:
    """All numbers and the keys of all pairs, without pictures."""
    leaked, copies, likeness = found.leaked, found.copies, found.likeness
    key = trained.index["key"]
    return {
        "headline": verdict(found),
        "evaluation": found.spec.fingerprint,
        "subset": found.spec.subset_fingerprint,
        "trained": found.trained,
        "leaks": {
            "distance": DISTANCE,
            "equal": _rate(leaked.equal),
            "near": _rate(leaked.near),
            "unsought": leaked.unsought,
            "told": leaked.told,
            "base": asdict(leaked.base) | {"expected": leaked.base.expected} if leaked.base else None,
            "pairs": [{"key": leak.key, "row": key[leak.row].as_py(), "how": how(leak.bits)} for leak in leaked.leaks],
            "primary_measure": {
                "all": numbers(found.all_samples),
                "without": numbers(found.clean) if found.clean else None,
            },
        },
        "copies": {
            "distance": copies.bits,
            "rows": copies.rows,
            "drawn": _rate(copies.drawn),
            "floor": _rate(copies.floor),
            "explained": _rate(copies.explained),
            "p": copies.p,
            "told": copies.told,
            "nearest": {arm: list(counts) for arm, counts in copies.distances.items()},
            "pairs": [asdict(copy) | {"row": key[copy.row].as_py()} for copy in copies.copies],
        },
        "likeness": _likeness(found, trained) if likeness else None,
        "gap": _gap(found.gap) if found.gap else None,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {"count": rate.count, "of": rate.of, "share": numbers(rate.interval)}


def _likeness(found: Audit, trained: Trained) -> dict[str, Any]:
    assert found.likeness is not None
    said = asdict(found.likeness) | {"tells": found.likeness.tells, "rate": _rate(found.likeness.rate)}
    said["unrelated"] = said["unrelated"] if math.isfinite(said["unrelated"]) else None
    said["alike"] = [asdict(each) | {"row": trained.index["key"][each.row].as_py()} for each in found.likeness.alike]
    return said


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "samples": {"trained": gap.trained_samples, "test": gap.test_samples},
        "measures": {
            line.measure.name: {
                "unit": line.measure.unit,
                "higher_is_better": line.measure.higher_is_better,
                "primary": line.measure.primary,
                "trained": numbers(line.trained),
                "test": numbers(line.test),
                "difference": numbers(line.difference),
                "normalised_difference": numbers(line.normalised),
                "ceiling_difference": numbers(line.ceilings),
                "told": line.told,
            }
            for line in gap.lines
        },
    }


def as_markdown(found: Audit) -> str:
    """The counts, to paste elsewhere."""
    leaked, copies = found.leaked, found.copies
    near = "not sought" if leaked.unsought else in_words(leaked.near)
    rows = {
        "test samples whose file was trained on": in_words(leaked.equal),
        "test samples of which another copy was trained on": near,
        "samples drawn as a copy of one trained on": copied(found, copies.drawn),
        "the same without control": copied(found, copies.floor),
    }
    table = "".join(f"| {what} | {count} |\n" for what, count in rows.items())
    said = "".join(f"- {cell(sentence)}\n" for sentence in sentences(found))
    gap = _gap_table(found.gap) if found.gap else ""
    return f"# Leaks of {cell(found.spec.run)}\n\n{cell(verdict(found))}\n\n| | |\n|---|---|\n{table}\n{said}{gap}"


def copied(found: Audit, rate: Rate) -> str:
    """A rate of copies, where they can be told."""
    return "can't be told" if found.copies.bits < 0 else in_words(rate)


def _gap_table(gap: Gap) -> str:
    head = "\n| measure | trained on | test | gap | gap, normalised |\n|---|---:|---:|---:|---:|\n"
    return head + "".join(
        f"| {line.measure.name} | {with_interval(line.trained)} | {with_interval(line.test)} | "
        f"{with_interval(line.difference, sign='+')} | {with_interval(line.normalised, sign='+')} |\n"
        for line in gap.lines
    )


def as_html(found: Audit, trained: Trained) -> str:
    """The page."""
    return render(
        "leaks/leaks.html.j2",
        found=found,
        headline=verdict(found),
        sentences=sentences(found),
        rates={
            "test samples whose file was trained on": in_words(found.leaked.equal),
            "test samples of which another copy was trained on": in_words(found.leaked.near),
            "samples drawn as a copy of one trained on": copied(found, found.copies.drawn),
            "the same without control": copied(found, found.copies.floor),
        },
        distances=_distances(found),
        groups=groups_of(found, trained),
    )


def _distances(found: Audit) -> list[tuple[str, list[int]]]:
    """How many pictures of each arm are so many bits from the nearest one trained on: what a reader judges by."""
    arms = [found.copies.distances[arm] for arm in ("drawn", "floor", "real")]
    rows = [(f"{bits}", [counts[bits] for counts in arms]) for bits in range(BITS + 1)]
    return [*rows, (f"{BITS + 1} and more", [sum(counts[BITS + 1 : FAR]) for counts in arms])]
