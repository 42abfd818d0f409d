"""The pair audit: a sample of a dataset made again and compared with what is stored, and a verdict from every check."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from evaluate.audit.again import StandIns, load_again
from evaluate.audit.checks import CHECKS
from evaluate.audit.diagnosis import diagnose
from evaluate.audit.evidence import EACH, Evidence, Family, read_family, read_pictures
from evaluate.audit.looks import look
from evaluate.audit.sample import draw
from evaluate.audit.verdict import Verdict
from manifests.dataset import Dataset
from manifests.index import ROWS, read_index
from manifests.parallel import in_parallel

NEEDED = [
    "key",
    "shard",
    "row",
    "split",
    "cluster",
    "picture",
    "removed",
    "width",
    "height",
    "captions",
    "caption_length",
    "caption_repeats",
]


@dataclass(frozen=True)
class Plan:
    """What an audit does.

    Attributes:
        families: that are looked at; none: all.
        sample: rows whose conditions are made again.
        stand_ins: for families that came with the corpus.
        skip: checks that are left out.
    """

    families: tuple[str, ...] = ()
    sample: int = 100
    seed: int = 0
    stand_ins: StandIns = field(default_factory=StandIns)
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """What an audit found."""

    plan: Plan
    evidence: Evidence
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> bool:
        """Whether any check failed."""
        return any(verdict.state == "fail" for verdict in self.verdicts)


def audit(
    dataset: Dataset, plan: Plan, device: torch.device, *, started: Callable[[str], None] = lambda _: None
) -> Audit:
    """Audit a dataset.

    Args:
        started: told what is being done.

    Raises:
        ValueError: the dataset is not indexed, or a family or check that is named does not exist.
    """
    chosen = _chosen(dataset, plan)
    check_names(plan.skip)
    stand_ins = plan.stand_ins.annotators()
    if lost := sorted({words.partition("=")[0] for words in plan.stand_ins.words} - set(chosen)):
        raise ValueError(f"--stand-in {', '.join(lost)}: not among the families audited, {', '.join(chosen) or 'none'}")
    index = _index(dataset)
    sample = draw(index, rows=plan.sample, seed=plan.seed, each=EACH)
    started("reading pictures")
    pictures = read_pictures(dataset, index, sample, rows=plan.sample, seed=plan.seed)
    looks = dict(zip(pictures, in_parallel(look, [row["image"]["bytes"] for row in pictures.values()]), strict=True))
    families: dict[str, Family] = {}
    findings = {}
    for name in chosen:
        started(f"making {name} again")
        card = dataset.card(name)
        again = load_again(dataset, card, stand_ins, device)
        families[name] = read_family(dataset, card, sample, pictures, again)
        findings[name] = diagnose(families[name])
    evidence = Evidence(dataset, index, sample, pictures, looks, families, findings, plan.seed)
    verdicts: list[Verdict] = []
    for name, check in CHECKS.items():
        started(f"checking {name}")
        verdicts += [] if name in plan.skip else check(evidence)
    return Audit(plan, evidence, tuple(verdicts))


def check_names(names: Collection[str]) -> None:
    """Refuse names of checks that there are not."""
    if unknown := sorted(set(names) - set(CHECKS)):
        raise ValueError(f"--skip {', '.join(unknown)}: no such check. There are {', '.join(CHECKS)}")


def as_json(found: Audit) -> dict[str, Any]:
    """Verdicts as JSON has them; rows by their keys."""
    dataset, keys = found.evidence.dataset, found.evidence.index["key"]
    verdicts = [
        asdict(verdict) | {"places": [keys[place].as_py() for place in verdict.places]} for verdict in found.verdicts
    ]
    for verdict in verdicts:
        verdict["keys"] = verdict.pop("places")
    return {
        "dataset": str(dataset.root),
        "id": dataset.settings.id,
        "rows": len(found.evidence.index),
        "sampled": len(found.evidence.sample.places),
        "read": len(found.evidence.pictures),
        "seed": found.plan.seed,
        "skipped_checks": list(found.plan.skip),
        "state": "fail" if found.failed else "pass",
        "verdicts": verdicts,
    }


def _chosen(dataset: Dataset, plan: Plan) -> Sequence[str]:
    return [dataset.card(name).family for name in plan.families] if plan.families else dataset.families()


def _index(dataset: Dataset) -> Any:
    index = read_index(dataset, ROWS)
    if not len(index):
        raise ValueError(f"{dataset.root}: it has no rows. Look into {dataset.root / 'dropped'} for the reasons")
    return index.select(NEEDED)
