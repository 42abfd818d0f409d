"""An evaluation without a model: known pictures, edges and scores, so that reports can be tested without drawing."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from annotate.canny import Canny
from annotate.corpora import playroom
from evaluate.adherence import ADHERENCE
from evaluate.anchors import BLANK, CEILING, CONTROLLED, FLOOR, ORACLE, SWAPPED
from evaluate.pictures import Panels, to_table
from evaluate.retrieval import ASKED_OF, RETRIEVAL, retrieve, rivals
from evaluate.scores import SCHEMA, gather, score_rows
from evaluate.spec import Protocol, Spec, write_spec
from train.sampler import sample_seed

Picture = NDArray[np.uint8]


def edges(picture: Picture) -> Picture:
    """Edges of a picture: [H, W] uint8 in {0, 1}."""
    return np.asarray(Canny().load(torch.device("cpu"))(picture[None], [{"low": 100, "high": 200}])[0])


def nearness(picture: Picture) -> NDArray[np.float32]:
    """A stand-in for the depth of a picture, as bright as near: [H, W] float32."""
    return cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 2) + 10


def spec(*, rows: int = 1_000, asked: int = 24, wanted: int = 24, annotator: str = "canny") -> Spec:
    """A specification with made-up fingerprints."""
    protocol = Protocol(
        dataset="0" * 32,
        condition=annotator,
        annotator=annotator,
        annotator_fingerprint="a1b2c3d4e5f60718",
        measures_version=1,
        base="train/tiny_base/model",
        resolution=128,
        settings={"samples": wanted, "scheduler": "ddim", "steps": 20, "guidance": 9.0, "negative_prompt": ""},
        keys_sha256="5" * 64,
    )
    return Spec(
        run="synthetic",
        rows=rows,
        steps=600,
        samples_seen=600 * 32,
        manifest_fingerprint="00112233445566aa",
        subset_fingerprint="ffeeddccbbaa9988",
        controlnet_sha256=f"{rows:064x}",
        asked=asked,
        protocol=protocol,
        versions={"torch": "2", "diffusers": "0"},
    )


def write_evaluation(
    folder: Path,
    *,
    caption: str | None = None,
    samples: int = 24,
    blur: float = 2.0,
    rows: int = 1_000,
    annotator: str = "canny",
) -> None:
    """Write what an evaluation leaves behind: spec.json, scores.parquet, traits.parquet and pictures/.

    Args:
        blur: how badly the controlled pictures are drawn.
        annotator: canny, or depth, whose primary measure is an error.
    """
    write_spec(spec(rows=rows, asked=samples, wanted=samples, annotator=annotator), folder)
    measured = {"canny": edges, "depth": nearness}[annotator]
    records = [playroom.record(7, row) for row in range(samples)]
    images = [record.image for record in records]
    adherence, rows_, panels = ADHERENCE[annotator], [], []
    for place, record in enumerate(records):
        key, asked = f"{place:016x}", measured(images[place])
        partner = measured(images[(place + 1) % samples])
        drawn = worsen(images[place], blur * (0.5 + (place % 5) / 4), seed=place)
        floor = worsen(images[(place + 3) % samples], 1.0, seed=place)
        ceiling = worsen(images[place], 0.6, seed=place)
        arms = {
            CONTROLLED: (asked, drawn), SWAPPED: (partner, drawn), FLOOR: (asked, floor),
            CEILING: (asked, ceiling), ORACLE: (asked, images[place]), BLANK: (asked, np.full_like(drawn, 127)),
        }  # fmt: skip
        others = [measured(images[other]) for other in rivals(place, samples=samples)]
        for arm, (wanted, picture) in arms.items():
            scores = adherence.score(wanted, measured(picture))
            if arm in ASKED_OF:
                scores[RETRIEVAL.name] = retrieve(adherence.likeness, asked, others, measured(picture))
            rows_ += score_rows(scores, key=key, draw=0, seed=sample_seed(0, key=key, draw=0), arm=arm)
        pictures = {
            "condition": grey(asked), "real": images[place], "drawn": drawn,
            "reannotated": grey(measured(drawn)), "floor": floor, "ceiling": ceiling,
        }  # fmt: skip
        panels.append(Panels(key, 0, record.caption if caption is None else caption, pictures))
    lengths = [len(panel.caption) for panel in panels]
    traits = {"key": [panel.key for panel in panels], "caption_length": lengths, "part": [0] * samples}
    pq.write_table(pa.table(traits), folder / "traits.parquet")
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    pq.write_table(to_table(panels), folder / "pictures" / "000000.parquet")
    pq.write_table(gather([pa.Table.from_pylist(rows_, schema=SCHEMA)]), folder / "scores.parquet")


def worsen(picture: Picture, sigma: float, *, seed: int) -> Picture:
    """Blur and shift a picture a little."""
    moved = np.roll(picture, int(sigma > 1.5), axis=1)
    noisy = moved.astype(np.float32) + np.random.default_rng(seed).normal(0, 6, picture.shape)
    return cv2.GaussianBlur(noisy.clip(0, 255).astype(np.uint8), (0, 0), sigma)


def grey(condition: NDArray[np.generic]) -> Picture:
    """A condition as a picture: [H, W, 3] uint8."""
    bright = cv2.normalize(condition.astype(np.float32), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return np.repeat(bright[..., None], 3, axis=2)
