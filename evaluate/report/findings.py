"""All that a report says of one evaluation, recomputed from the files in its folder, without a GPU."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from evaluate.adherence import ADHERENCE
from evaluate.cnpp.look import NAME as CNPP
from evaluate.cnpp.summary import Summary as Published
from evaluate.cnpp.summary import summarise as beside_published
from evaluate.quality.look import NAME as QUALITY
from evaluate.quality.quality import Line as Quality
from evaluate.quality.quality import quality_of
from evaluate.report.by_stratum import Stratified, by_stratum
from evaluate.report.course import ControlCourse, read_control_course
from evaluate.report.cross import Judged, cross_annotators
from evaluate.report.summary import Summary, summarise
from evaluate.scores import SCORES_FILE, read_scores
from evaluate.spec import Spec, read_spec
from evaluate.traits import read_traits


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes:
        scores: rows of scores.parquet.
        traits: of the samples.
        strata: the primary measure by each trait.
        judged: what each annotator says; only the own one's word if no other has looked.
        published: the same in ControlNet++'s arithmetic; None if that was not asked for.
        quality: of the pictures; empty if that was not asked for.
        course: of the training; None if it was not monitored.
    """

    spec: Spec
    scores: pa.Table
    summary: Summary
    traits: pa.Table
    strata: tuple[Stratified, ...]
    judged: tuple[Judged, ...]
    published: Published | None
    quality: tuple[Quality, ...]
    course: ControlCourse | None


def read_findings(folder: Path) -> Findings:
    """Read what an evaluation left: spec.json and scores.parquet, and what later looks at its pictures found.

    Raises:
        ValueError: One of the files is not there, or not of this version.
    """
    spec, scores, traits = read_spec(folder), read_scores(folder / SCORES_FILE), read_traits(folder)
    adherence = ADHERENCE[spec.protocol.annotator]
    return Findings(
        spec=spec,
        scores=scores,
        summary=summarise(scores, adherence),
        traits=traits,
        strata=tuple(by_stratum(scores, traits, adherence.primary)),
        judged=tuple(cross_annotators(folder)),
        published=beside_published(folder) if (folder / f"{CNPP}.parquet").is_file() else None,
        quality=quality_of(folder) if (folder / f"{QUALITY}.parquet").is_file() else (),
        course=read_control_course(folder),
    )
