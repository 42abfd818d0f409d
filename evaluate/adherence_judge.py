"""The judge of pictures drawn while a control is trained: annotated again and scored as an evaluation does."""

from collections.abc import Sequence
from math import nan

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from evaluate.adherence import ADHERENCE
from evaluate.page.panel import drawn
from evaluate.plan import check_measured
from evaluate.reannotate import Reannotator, load_reannotator
from evaluate.samples import Sample, Wanted, read_samples
from manifests.condition import Condition
from manifests.dataset import Dataset
from manifests.manifest import Manifest
from train.watch.judge import Verdict


class AdherenceJudge:
    """A `train.watch.judge.Judge` by the primary measure of the annotator that made the conditions."""

    def __init__(self, reannotator: Reannotator, samples: Sequence[Sample]) -> None:
        self._reannotator = reannotator
        self._samples = samples
        self._adherence = ADHERENCE[reannotator.card.annotator]

    @property
    def measure(self) -> str:
        """Name of the primary measure."""
        return self._adherence.primary.name

    @property
    def higher_is_better(self) -> bool:
        """Its direction."""
        return self._adherence.primary.higher_is_better

    def __call__(self, pictures: NDArray[np.uint8], numbers: Sequence[int]) -> list[Verdict]:
        """Annotate pictures again and score them; see `train.watch.judge.Judge`."""
        samples = [self._samples[number] for number in numbers]
        keys, parameters = [sample.key for sample in samples], [sample.parameters for sample in samples]
        found = self._reannotator(pictures, keys, parameters)
        return [self._verdict(sample, condition) for sample, condition in zip(samples, found, strict=True)]

    def _verdict(self, sample: Sample, found: Condition) -> Verdict:
        picture = drawn(self._reannotator.card.kind, found)
        if self._reannotator.annotator.empty(sample.condition):
            return Verdict(nan, picture)
        return Verdict(self._adherence.score(sample.condition, found)[self.measure].value, picture)


def load_judge(manifest: Manifest, rows: pa.Table, device: torch.device) -> AdherenceJudge:
    """Load the annotator that made a manifest's conditions.

    Args:
        rows: that pictures will be drawn for: columns key, shard, row.
        device: for learned annotators.

    Raises:
        ValueError: nothing makes or measures such conditions here; says the way out.
    """
    dataset = Dataset.open(manifest.dataset)
    card = dataset.card(manifest.condition)
    check_measured(card, dataset=str(manifest.dataset))
    reannotator = load_reannotator(dataset, manifest.condition, fingerprint=card.fingerprint, device=device)
    wanted = Wanted(manifest.condition, manifest.resolution)
    return AdherenceJudge(reannotator, read_samples(dataset, wanted, rows))
