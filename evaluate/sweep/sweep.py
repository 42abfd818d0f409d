"""A sweep: one run evaluated again and again with one setting varied, as curves and not as points."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate.adherence import ADHERENCE
from evaluate.anchors import CONTROLLED, SPAN
from evaluate.comparison.alike import same_samples
from evaluate.measures.measure import Measure
from evaluate.quality.measures import CLIP_SCORE, KID
from evaluate.report.findings import Findings, read_findings
from evaluate.spec import LATER, Protocol
from evaluate.statistics import Interval
from manifests.difference import differences
from manifests.evaluate_settings import EvaluateSettings

FIXED = {"batch_size", "geometry", "samples", "scored", "seed", "split"}  # of no say, or of which samples are scored
TRADED = (CLIP_SCORE.name, KID.name)  # measures of quality that adherence is drawn against


@dataclass(frozen=True)
class Setting:
    """One value of what was varied.

    Attributes:
        value: as the protocol has it.
        arms: floor, controlled and ceiling of the primary measure.
        share: of the way from floor to ceiling.
        found: how often the right condition was found among others; None of one sample.
        quality: measure@network → of the controlled pictures; empty where nobody looked.
    """

    value: Any
    folder: Path
    arms: dict[str, Interval]
    share: Interval
    found: Interval | None
    quality: dict[str, Interval]


@dataclass(frozen=True)
class Sweep:
    """All values, ascending where they are numbers."""

    run: str
    field: str
    protocol: Protocol
    measure: Measure
    samples: int
    settings: tuple[Setting, ...]

    @property
    def numeric(self) -> bool:
        """Whether what was varied is a number, so that there is a curve."""
        return all(isinstance(each.value, int | float) and not isinstance(each.value, bool) for each in self.settings)

    def qualities(self, measure: str) -> dict[str, list[tuple[Setting, Interval]]]:
        """Of a measure of quality, by its name with the network: each setting that has it."""
        names = sorted({name for each in self.settings for name in each.quality if name.partition("@")[0] == measure})
        return {name: [(one, one.quality[name]) for one in self.settings if name in one.quality] for name in names}


def check_field(field: str) -> None:
    """Refuse what is no setting, or one that decides which samples are scored, before anything is drawn.

    Args:
        field: of the evaluate section.
    """
    fields = [name for name in EvaluateSettings.model_fields if name not in FIXED]
    if field not in fields:
        raise ValueError(f"sweep: {field!r} can't be swept. Take one of {', '.join(fields)}")


def read_sweep(field: str, folders: Sequence[Path]) -> Sweep:
    """Read evaluations that differ in one setting alone.

    Args:
        field: of the evaluate section.

    Raises:
        ValueError: They differ in something else, or were made of different samples.
    """
    found = [read_findings(folder) for folder in folders]
    _check(field, found, folders)
    settings = [_setting(field, each, folder) for each, folder in zip(found, folders, strict=True)]
    first = found[0]
    sweep = Sweep(
        first.spec.run,
        field,
        first.spec.protocol,
        ADHERENCE[first.spec.protocol.annotator].primary,
        first.summary.samples,
        tuple(settings),
    )
    return sweep if not sweep.numeric else _sorted(sweep)


def _sorted(sweep: Sweep) -> Sweep:
    ordered = tuple(sorted(sweep.settings, key=lambda each: each.value))
    return Sweep(sweep.run, sweep.field, sweep.protocol, sweep.measure, sweep.samples, ordered)


def _check(field: str, found: Sequence[Findings], folders: Sequence[Path]) -> None:
    identities = []
    for each in found:
        settings = {name: value for name, value in each.spec.protocol.identity["settings"].items() if name != field}
        identity = {**each.spec.protocol.identity, "settings": settings}
        identities.append({**identity, "controlnet_sha256": each.spec.controlnet_sha256})
    for identity, folder in zip(identities, folders, strict=True):
        unlike = differences(identities[0], identity)
        if unlike:
            raise ValueError(f"{folder}: it differs from {folders[0]} not in {field} alone; {'; '.join(unlike)}")
    same_samples(folders)


def _setting(field: str, found: Findings, folder: Path) -> Setting:
    line, retrieval = found.summary.primary, found.summary.retrieval
    return Setting(
        value=found.spec.protocol.settings.get(field, LATER.get(field)),
        folder=folder,
        arms={arm: line.arms[arm] for arm in SPAN},
        share=line.normalised,
        found=retrieval.arms[CONTROLLED] if retrieval else None,
        quality={each.name: each.numbers.arms[CONTROLLED] for each in found.quality if CONTROLLED in each.numbers.arms},
    )
