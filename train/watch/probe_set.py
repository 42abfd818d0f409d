"""The probe set: held-out rows that are drawn and judged again and again, each process taking its part of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pyarrow as pa
import torch
from accelerate.utils import gather_object
from numpy.typing import NDArray

from manifests.manifest import Manifest
from train.base import decode_latents
from train.control.control import Control
from train.engine import Engine
from train.round_trip import round_trip
from train.sampler import Hints, draw_latents, first_noise, sample_seed, sampling_of
from train.watch.drift import Looks, look
from train.watch.judge import Judge
from train.watch.samples import read_pairs

Picture = NDArray[np.uint8]  # [H, W, 3] RGB
Way = Callable[[Sequence[int]], tuple[NDArray[np.uint8], list[bool]]]  # rows → [B, H, W, 3], and which are finite

SHOWN = 4  # rows whose pictures are kept


@dataclass(frozen=True)
class Seen:
    """What is known of one picture, small enough to be sent to every process.

    Attributes:
        number: of its row.
        looks: see `train.watch.drift.look`.
        score: NaN where nothing judged it, or its condition asks for nothing.
        finite: whether its latents were numbers.
        picture: [H, W, 3] uint8 RGB, of the first `SHOWN` rows.
        found: the condition found in it, likewise; None where nothing judged it.
    """

    number: int
    looks: Looks
    score: float = nan
    finite: bool = True
    picture: Picture | None = None
    found: Picture | None = None


class ProbeSet:
    """Rows with what draws and judges them."""

    def __init__(self, engine: Engine, manifest: Manifest, rows: pa.Table, judge: Judge | None) -> None:
        """Read the rows.

        Args:
            rows: columns key, shard, row; at least one.
            judge: loaded for these rows; None: nothing is scored.
        """
        self.pairs = read_pairs(manifest, rows)
        self.judge = judge
        self._engine = engine
        self._sampling = sampling_of(manifest)
        self._seed = manifest.evaluate.seed
        self._batch_size = manifest.evaluate.batch_size

    @property
    def real(self) -> Looks:
        """Of the real pictures: [N, 8]."""
        return np.stack([look(pair.image) for pair in self.pairs])

    def drawn(self, control: Control | None) -> list[Seen]:
        """Draw all rows, from the same noise each time, and judge the pictures; the same in every process.

        Args:
            control: in evaluation mode; None draws with the base alone.
        """
        return self._seen(lambda numbers: self._draw(control, numbers))

    def through_autoencoder(self) -> list[Seen]:
        """Judge the real pictures as the base's autoencoder gives them back: the best that it can draw."""
        vae = self._engine.base.vae

        def back(numbers: Sequence[int]) -> tuple[NDArray[np.uint8], list[bool]]:
            real = np.stack([self.pairs[number].image for number in numbers])
            return round_trip(vae, real), [True] * len(numbers)

        return self._seen(back)

    def _seen(self, way: Way) -> list[Seen]:
        accelerator = self._engine.accelerator
        mine = share(len(self.pairs), process=accelerator.process_index, processes=accelerator.num_processes)
        seen = []
        for start in range(0, len(mine), self._batch_size):
            seen += self._look(way, mine[start : start + self._batch_size])
        everyone = {each.number: each for each in gather_object(seen)}
        return [everyone[number] for number in range(len(self.pairs))]

    def _look(self, way: Way, numbers: Sequence[int]) -> list[Seen]:
        pictures, finite = way(numbers)  # the control brings its own autocast; the base has none
        verdicts = self.judge(pictures, numbers) if self.judge else [None] * len(numbers)
        seen = []
        for number, picture, good, verdict in zip(numbers, pictures, finite, verdicts, strict=True):
            shown = number < SHOWN
            seen.append(
                Seen(
                    number,
                    look(picture),
                    score=verdict.score if verdict else nan,
                    finite=good,
                    picture=picture if shown else None,
                    found=verdict.found if verdict and shown else None,
                )
            )
        return seen

    def _draw(self, control: Control | None, numbers: Sequence[int]) -> tuple[NDArray[np.uint8], list[bool]]:
        base, pairs = self._engine.base, [self.pairs[number] for number in numbers]
        seeds = [sample_seed(self._seed, key=pair.key, draw=0) for pair in pairs]
        noise = first_noise(base, seeds, resolution=self._sampling.resolution)
        hints = Hints(torch.stack([pair.hints for pair in pairs]), torch.stack([pair.present for pair in pairs]))
        captions = [pair.caption for pair in pairs]
        asked = None if control is None else hints
        latents = draw_latents(base, control, captions, asked, noise=noise, sampling=self._sampling)
        finite = latents.isfinite().flatten(1).all(dim=1)
        shown = torch.where(finite[:, None, None, None], latents, 0)  # what is no number has no picture: grey
        return decode_latents(base, shown), finite.tolist()


def share(rows: int, *, process: int, processes: int) -> list[int]:
    """The numbers of the rows that one process draws.

    As many in each, since networks that are spread over processes must run in all of them equally often: where the
    rows don't divide, the last one is drawn more than once.
    """
    each = -(-rows // processes)
    return [min(number, rows - 1) for number in range(process * each, (process + 1) * each)]
