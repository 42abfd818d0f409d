"""What an annotate job is asked to make: a user's words as families with annotators, in an order that works."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import yaml

from annotate.annotator import IMAGE, PICTURES, STORED, Annotator
from annotate.registry import ANNOTATORS, build, make_card, nearest
from manifests.dataset import Dataset
from manifests.family import FamilyCard, Profile
from manifests.layout import FAMILY_NAME, RESERVED


@dataclass(frozen=True)
class Task:
    """One family to make.

    Attributes:
        source: `IMAGE`, `STORED`, or the family whose conditions the annotator reads.
    """

    card: FamilyCard
    annotator: Annotator
    source: str = IMAGE

    @property
    def family(self) -> str:
        """The family's name."""
        return self.card.family


def make_tasks(
    dataset: Dataset,
    words: Sequence[str],
    *,
    settings: Sequence[str] = (),
    resolution: int = 512,
    profile: Profile = "exact",
) -> list[Task]:
    """Families to make, those that others read first.

    Args:
        words: `ANNOTATOR`, or `FAMILY=ANNOTATOR`.
        settings: `FAMILY.setting=value`, the value as YAML.

    Raises:
        ValueError: a name, a setting or a source that doesn't exist.
    """
    named = parse_families(words)
    overrides = parse_settings(settings, named)
    annotators = {family: build(name, overrides[family], _words(family, name)) for family, name in named.items()}
    tasks: dict[str, Task] = {}
    for family, annotator in sorted(annotators.items(), key=lambda item: item[1].reads not in PICTURES):
        source, fingerprint = _source(dataset, family, annotator, tasks)
        made_from = {} if source in PICTURES else {source: fingerprint}
        size: tuple[int, Profile] = (0, "exact") if source == STORED else (resolution, profile)
        if source not in PICTURES:
            read = tasks[source].card if source in tasks else dataset.card(source)
            size = (read.resolution, read.profile)
        annotator.check(size[0])
        card = make_card(annotator, family, made_from=made_from, resolution=size[0], profile=size[1])
        tasks[family] = Task(card, annotator, source)
    return list(tasks.values())


def parse_families(words: Sequence[str]) -> dict[str, str]:
    """Family → annotator, of words as `canny` or `canny_soft=canny`.

    Raises:
        ValueError: a name that can't be one, or that is there twice.
    """
    named: dict[str, str] = {}
    for word in words:
        family, equals, annotator = word.partition("=")
        if family in RESERVED or not FAMILY_NAME.fullmatch(family):
            raise ValueError(
                f"family {family!r}: that name is taken by the layout, or has odd characters. Use a-z, 0-9 and _"
            )
        if family in named:
            raise ValueError(f"family {family} is named twice. Give each one its own name, as {family}_2=canny")
        named[family] = annotator if equals else family
    return named


def _words(family: str, annotator: str) -> str:
    return family if family == annotator else f"{family}={annotator}"


def parse_settings(settings: Sequence[str], named: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Settings by family, of words as `canny.low=50`.

    Raises:
        ValueError: not of that form, or of none of the families named.
    """
    overrides: dict[str, dict[str, Any]] = {family: {} for family in named}
    for words in settings:
        path, equals, value = words.partition("=")
        family, dot, setting = path.partition(".")
        if not equals or not dot:
            raise ValueError(f"--set {words}: not of the form FAMILY.setting=value, as in canny.low=50")
        if family not in overrides:
            raise ValueError(
                f"--set {words}: this job has no family {family!r}{nearest(family, named)}. It has {', '.join(named)}"
            )
        try:
            overrides[family][setting] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ValueError(f"--set {words}: the value is not YAML. Write it as in canny.low=50") from error
    return overrides


def _source(dataset: Dataset, family: str, annotator: Annotator, tasks: Mapping[str, Task]) -> tuple[str, str]:
    """The family that an annotator reads, from this job or from the dataset, with its fingerprint."""
    if annotator.reads in PICTURES:
        return annotator.reads, ""
    cards = {name: dataset.card(name) for name in dataset.families()} | {
        name: task.card for name, task in tasks.items()
    }
    fitting = {name: card for name, card in cards.items() if card.annotator == annotator.reads}
    both = f"{annotator.reads} {_words(family, annotator.name)}"
    remedy = f"Make both: python pipelines/annotate.py {dataset.root} {both}"
    if not fitting:
        raise ValueError(
            f"{family}: {annotator.name} reads {annotator.reads}, which {dataset.root} doesn't have. {remedy}"
        )
    chosen = choose_source(family, annotator.reads, fitting)
    if chosen not in tasks and (lacking := len(dataset.missing(chosen))):
        raise ValueError(f"{family}: {lacking} shards of {chosen} are missing. {remedy}")
    return chosen, fitting[chosen].fingerprint


def choose_source(family: str, reads: str, fitting: Collection[str]) -> str:
    """Which of the families that an annotator could read it does: the one named as their annotator, or the only one.

    Raises:
        ValueError: there are several.
    """
    if reads not in fitting and len(fitting) > 1:
        raise ValueError(
            f"{family}: reads {reads}, of which there are {', '.join(sorted(fitting))}. Name one of them {reads}"
        )
    return reads if reads in fitting else next(iter(fitting))


def parse_profile(words: str) -> Profile:
    """How pictures are resized.

    Raises:
        ValueError: neither exact nor aux.
    """
    for profile in get_args(Profile):
        if words == profile:
            return cast(Profile, profile)
    raise ValueError(f"--profile {words}: there are {', '.join(get_args(Profile))}. Choose one of them")


def known_annotators() -> str:
    """Names of all annotators, for help texts."""
    return ", ".join(ANNOTATORS)
