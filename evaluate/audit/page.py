"""An audit as one HTML page that needs nothing else: its verdicts, and rows to look at beside what was made again."""

from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from annotate.corpora.text import visible
from evaluate.audit.audit import Audit
from evaluate.audit.evidence import PICTURE, Evidence
from evaluate.audit.sample import Record, at, read
from evaluate.audit.verdict import State, Verdict
from evaluate.page.panel import KINDS, Panel, show
from evaluate.page.render import render
from evaluate.page.thumbnail import thumbnail
from manifests.condition import CELLS, Condition, decode
from manifests.family import FamilyCard
from manifests.layout import IMAGES
from manifests.storage import replace_text

STATES: tuple[State, ...] = ("fail", "warn", "pass", "skipped")
LONGEST = 300  # characters of a caption on the page


@dataclass(frozen=True)
class Shown:
    """One row to look at."""

    key: str
    split: str
    caption: str  # from the corpus: untrusted text, escaped by the template
    picture: str
    said: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Group:
    """The rows of one verdict."""

    verdict: Verdict
    rows: tuple[Shown, ...]


def write_page(found: Audit, path: Path | UPath) -> Path | UPath:
    """Write the page."""
    evidence = found.evidence
    groups = [
        Group(verdict, tuple(_shown(evidence, verdict, place) for place in verdict.places))
        for state in STATES[:2]
        for verdict in found.verdicts
        if verdict.state == state and verdict.places
    ]
    counts = {state: sum(verdict.state == state for verdict in found.verdicts) for state in STATES}
    asking = sorted((one for one in found.verdicts if one.state in STATES[:2]), key=lambda one: STATES.index(one.state))
    quiet = [one for one in found.verdicts if one.state not in STATES[:2]]
    page = render(
        "audit/audit.html.j2",
        dataset=evidence.dataset,
        audit=found,
        asking=asking,
        quiet=quiet,
        counts=counts,
        groups=groups,
    )
    replace_text(page, path)
    return path


def _shown(evidence: Evidence, verdict: Verdict, place: int) -> Shown:
    known = evidence.index.select(["key", "split"]).slice(place, 1).to_pylist()[0]
    picture = evidence.pictures.get(place)
    if picture is None:
        (picture,) = read(evidence.dataset, IMAGES, at(evidence.index, [place]), PICTURE)
    finding = next((one for one in evidence.findings.get(verdict.family, ()) if one.place == place), None)
    said = finding.said if finding and finding.cause == verdict.check else ""
    caption = visible(next(iter(picture["captions"]), "")) if picture else ""
    short = caption if len(caption) <= LONGEST else caption[: LONGEST - 1] + "…"
    data = _thumbnail(picture)
    return Shown(known["key"], known["split"], short, data, said, _panels(evidence, verdict, place))


def _thumbnail(picture: Record | None) -> str:
    try:
        return thumbnail(picture["image"]["bytes"]) if picture else ""
    except OSError:  # Pillow's word for what is no picture
        return ""


def _panels(evidence: Evidence, verdict: Verdict, place: int) -> tuple[Panel, ...]:
    """The stored condition, and the one made again."""
    family = evidence.families.get(verdict.family)
    if family is None or family.card.kind not in KINDS:
        return ()
    pair = next((pair for pair in family.pairs if pair.place == place), None)
    if pair is None:
        return (_stored(evidence, family.card, place),)
    panels = [_drawn(family.card, "stored", pair.stored, pair.row)]
    if not isinstance(family.again, str):
        name = "made again" if family.again.is_own else f"by {family.again.annotator.name}"
        panels.append(_drawn(family.card, name, pair.again, None))
    return tuple(panels)


def _stored(evidence: Evidence, card: FamilyCard, place: int) -> Panel:
    """What lies in the shard of a row that is not in the sample."""
    columns = ["status", "code", *(["condition"] if card.kind in CELLS else [])]
    (row,) = read(evidence.dataset, card.family, at(evidence.index, [place]), columns)
    stored = decode(card.kind, row["condition"]) if row and row["status"] != "failed" else None
    return _drawn(card, "stored", stored, row)


def _drawn(card: FamilyCard, name: str, condition: Condition | None, row: Record | None) -> Panel:
    status = row["status"] if row else ""
    if condition is None:
        return Panel(name, status, str(row["code"]) if row else "not made")
    return show(name, card.kind, condition, status=status, said="")
