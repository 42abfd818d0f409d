"""Annotators behind one another in memory, without a dataset: what one makes, the next one reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from annotate.annotator import PICTURES, Annotate, Annotator, Parameters
from annotate.registry import ANNOTATORS, build
from annotate.stored import Stored
from annotate.task import choose_source, parse_families, parse_settings
from manifests.condition import Condition, as_stored

Read = NDArray[Any] | list[Stored]  # pictures [B, H, W, 3] uint8 RGB, or B conditions that were read, or B rows


@dataclass(frozen=True)
class Link:
    """One annotator bound to a device, and the family that it makes."""

    family: str
    annotator: Annotator
    annotate: Annotate

    def __call__(
        self, read: Read, keys: Sequence[str], parameters: Sequence[Parameters] | None = None
    ) -> list[Condition]:
        """B conditions; where no parameters are given, those that are drawn for rows of these keys."""
        drawn = [self.annotator.draw(f"{key}:{self.family}") for key in keys] if parameters is None else parameters
        return self.annotate(read, drawn)

    def as_read(self, made: Sequence[Condition]) -> Read:
        """What it made, as another annotator reads it from disk."""
        return np.stack([as_stored(self.annotator.kind, condition) for condition in made])


def follow(
    links: Sequence[Link], pictures: Read, keys: Sequence[str], parameters: Sequence[Parameters] | None = None
) -> list[Condition]:
    """What the last link makes of pictures, each of the others reading what the one before it made.

    Args:
        pictures: [B, H, W, 3] uint8 RGB, as they are to be annotated.
        keys: of the rows; what is drawn by key is drawn as for those rows.
        parameters: of the last link.
    """
    read = pictures
    for link in links[:-1]:
        read = link.as_read(link(read, keys))
    return links[-1](read, keys, parameters)


def assemble(words: Sequence[str], settings: Sequence[str] = ()) -> dict[str, Annotator]:
    """Annotators by family, each after the one it reads; those that are read and were not named come in unasked.

    Args:
        words: `ANNOTATOR`, or `FAMILY=ANNOTATOR`.
        settings: `FAMILY.setting=value`, also of families that come in unasked.

    Raises:
        ValueError: a name or a setting that doesn't exist, or is of no family here.
    """
    named = parse_families(words)
    overrides = parse_settings(settings, {name: name for name in ANNOTATORS} | named)
    found: dict[str, Annotator] = {}
    for family, name in named.items():
        _add(found, family, name, named, overrides)
    for words_of_one in settings:
        if (family := words_of_one.partition(".")[0]) not in found:
            raise ValueError(f"--set {words_of_one}: {family} is not asked for here. Name it, or leave that out")
    return found


def source(annotators: Mapping[str, Annotator], family: str) -> str:
    """One of `PICTURES`, or which of these families an annotator reads; what it asks for where none of them is that."""
    reads = annotators[family].reads
    fitting = [name for name, annotator in annotators.items() if annotator.name == reads]
    return choose_source(family, reads, fitting) if fitting else reads


def path_to(annotators: Mapping[str, Annotator], family: str) -> list[str]:
    """The families between a picture and this one, this one last."""
    before = source(annotators, family)
    return [*(path_to(annotators, before) if before in annotators else []), family]


def bind_links(annotators: Mapping[str, Annotator], families: Sequence[str], device: torch.device) -> list[Link]:
    """Load these annotators, once."""
    return [Link(family, annotators[family], annotators[family].load(device)) for family in families]


def _add(
    found: dict[str, Annotator],
    family: str,
    name: str,
    named: Mapping[str, str],
    overrides: Mapping[str, Mapping[str, Any]],
) -> None:
    """Put an annotator behind the one it reads."""
    if family in found:
        return
    annotator = build(name, overrides.get(family, {}), family if family == name else f"{family}={name}")
    reads = annotator.reads
    if reads not in PICTURES and reads in ANNOTATORS:
        fitting = [other for other, of in named.items() if of == reads]
        _add(found, choose_source(family, reads, fitting) if fitting else reads, reads, named, overrides)
    found[family] = annotator
