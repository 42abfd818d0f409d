"""A second look at an evaluation that leaves what networks of picture quality see in each picture: quality.parquet."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any

import pyarrow as pa
import torch

from annotate.weights import Missing
from evaluate.quality.aesthetic import Aesthetic
from evaluate.quality.clip import ClipPictures, ClipScore
from evaluate.quality.inception import Inception
from evaluate.quality.network import Network, See
from evaluate.second_look import PANEL_OF, Drawn, Looking
from manifests.family import Weights

VERSION = 1  # bump when any number in the file can change
NAME = "quality"
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("draw", pa.int32()),
        ("arm", pa.string()),  # of PANEL_OF
        ("network", pa.string()),  # field of Networks
        ("features", pa.list_(pa.float32())),
        ("value", pa.float64()),  # the network's own score of the picture; null where it gives none
    ]
)


@dataclass(frozen=True)
class Networks:
    """Which networks look."""

    clip: ClipScore = field(default_factory=ClipScore)
    cmmd: ClipPictures = field(default_factory=ClipPictures)
    inception: Inception = field(default_factory=Inception)
    aesthetic: Aesthetic = field(default_factory=Aesthetic)

    def named(self) -> dict[str, Network]:
        """By name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True)
class QualityLook:
    """The networks whose weights were found, and what was found; see `find_quality`.

    Attributes:
        weights: name → files; a network that is not in here looks at nothing, and its measures are not computed.
    """

    networks: Networks
    weights: Mapping[str, tuple[Weights, ...]]

    @property
    def name(self) -> str:
        """Of the file."""
        return NAME

    @property
    def identity(self) -> dict[str, Any]:
        """Per network its settings, and the hashes of its weights or, where there are none, where to get them."""
        return {
            "version": VERSION,
            "networks": {
                name: {
                    "title": network.title,
                    "settings": asdict(network),  # type: ignore[call-overload]  # all of them are dataclasses
                    "weights": {each.file: each.sha256 for each in self.weights.get(name, ())},
                    "absent": "" if name in self.weights else network.remedy,
                }
                for name, network in self.networks.named().items()
            },
        }

    def load(self, device: torch.device) -> Looking:
        """Load the networks that were found."""
        named = self.networks.named()
        return partial(look, networks={name: named[name].load(device) for name in self.weights})


def find_quality(networks: Networks) -> QualityLook:
    """See which networks can be had; those of the Hub are fetched, 4 GB, but for inside `annotate.weights.offline`.

    Raises:
        ValueError: Weights are there, but not the published ones.
    """
    found = {}
    for name, network in networks.named().items():
        try:
            found[name] = tuple(network.weights())
        except Missing:
            continue  # it is said in the look's identity, and by every measure that needs it
    return QualityLook(networks, found)


def look(drawn: Drawn, *, networks: Mapping[str, See]) -> pa.Table:
    """One row per picture, arm and network: a table of SCHEMA."""
    if not drawn.keys:
        return SCHEMA.empty_table()
    tables = [_rows(drawn, arm, name, see) for arm in PANEL_OF for name, see in networks.items()]
    return pa.concat_tables([SCHEMA.empty_table(), *tables])


def _rows(drawn: Drawn, arm: str, name: str, see: See) -> pa.Table:
    seen = see(drawn.pictures[PANEL_OF[arm]], drawn.captions)
    count = len(drawn.keys)
    columns = {
        "key": drawn.keys,
        "draw": drawn.draws,
        "arm": [arm] * count,
        "network": [name] * count,
        "features": list(seen.features),
        "value": seen.values,
    }
    return pa.table(columns, schema=SCHEMA)
