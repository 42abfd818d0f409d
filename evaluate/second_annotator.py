"""A second annotator's word on what was drawn: is the condition obeyed, or only the network that trained on it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import torch

from annotate.chain import Link, assemble, bind_links, follow, path_to
from annotate.registry import make_card
from evaluate.adherence import ADHERENCE
from evaluate.measures.measure import Adherence
from evaluate.scores import SCHEMA, score_rows
from evaluate.second_look import PANEL_OF, Drawn, Looking

PREFIX = "second-"


@dataclass(frozen=True)
class SecondAnnotator:
    """A look at the pictures of an evaluation by another annotator than the one that made its conditions.

    What it finds in the real picture is asked for, what it finds in the drawn one is scored, by the measures of its own
    kind.

    Attributes:
        family: what it is called here; the annotator's name, unless `words` say otherwise.
        words: as `annotate.chain.assemble` takes them: `ANNOTATOR` or `NAME=ANNOTATOR`.
        settings: `NAME.setting=value`.
    """

    family: str
    words: tuple[str, ...]
    settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the file of its scores."""
        return f"{PREFIX}{self.family}"

    @property
    def identity(self) -> dict[str, Any]:
        """The annotators from the picture to the condition by their cards, and the version of the measures."""
        annotators = assemble(self.words, self.settings)
        cards = {
            family: make_card(annotators[family], family, made_from={}, resolution=0)
            for family in path_to(annotators, self.family)
        }
        last = annotators[self.family].name
        return {
            "annotator": last,
            "fingerprints": {family: card.fingerprint for family, card in cards.items()},
            "measures_version": ADHERENCE[last].version,
        }

    def load(self, device: torch.device) -> Looking:
        """Load its networks."""
        annotators = assemble(self.words, self.settings)
        links = bind_links(annotators, path_to(annotators, self.family), device)
        return partial(score_again, links, ADHERENCE[annotators[self.family].name])


def second_annotator(word: str, settings: Sequence[str]) -> SecondAnnotator:
    """The look that a user asks for.

    Args:
        word: `ANNOTATOR` or `NAME=ANNOTATOR`.
        settings: `NAME.setting=value`.

    Raises:
        ValueError: There is no such annotator or setting, or nothing measures what it makes.
    """
    family, _, named = word.partition("=")
    look = SecondAnnotator(family, (word,), tuple(settings))
    annotators: Mapping[str, Any] = assemble(look.words, look.settings)
    if annotators[family].name not in ADHERENCE:
        raise ValueError(
            f"{word}: nothing measures conditions of annotator '{named or family}' (there are measures for "
            f"{', '.join(ADHERENCE)}). Name one of those"
        )
    return look


def score_again(links: Sequence[Link], adherence: Adherence, drawn: Drawn) -> pa.Table:
    """Score pictures against what the annotator finds in the real ones; rows of scores.parquet.

    Samples in whose real picture it finds nothing are left out.
    """
    found = (
        {panel: follow(links, drawn.pictures[panel], drawn.keys) for panel in PANEL_OF.values()} if drawn.keys else {}
    )
    rows: list[dict[str, Any]] = []
    for place, (key, draw) in enumerate(zip(drawn.keys, drawn.draws, strict=True)):
        asked = found["real"][place]
        if links[-1].annotator.empty(asked):
            continue
        for arm, panel in PANEL_OF.items():
            scores = adherence.score(asked, found[panel][place])
            unseeded = score_rows(scores, key=key, draw=draw, seed=0, arm=arm)
            rows += [row | {"seed": None} for row in unseeded]  # scores.parquet says from which noise each was drawn
    return pa.Table.from_pylist(rows, schema=SCHEMA)
