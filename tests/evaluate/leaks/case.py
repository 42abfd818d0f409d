"""A run with an evaluation, made without training: pictures in the splits wanted, and drawn ones as they are given."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from annotate.corpora import playroom
from evaluate.adherence import ADHERENCE
from evaluate.anchors import CEILING, CONTROLLED, FLOOR
from evaluate.pictures import Panels, to_table
from evaluate.scores import SCHEMA, gather, score_rows
from evaluate.spec import write_spec
from manifests.dataset import Dataset
from manifests.index import build_index
from manifests.manifest import Manifest, dump
from manifests.splits.hashes import HASHES
from manifests.subset import resolve
from tests.evaluate.synthetic import edges, grey, spec, worsen
from tests.near_copies import annotate, ingest, rows_of
from train.run_folder import provenance_of

Picture = NDArray[np.uint8]
SIDE = 128


def scenes(count: int, seed: int = 0) -> list[Picture]:
    """Pictures with large forms, no two alike: [160, 160, 3] uint8."""
    rng = np.random.default_rng(seed)
    coarse = [rng.integers(0, 256, (7, 7, 3), dtype=np.uint8) for _ in range(count)]
    return [cv2.resize(picture, (160, 160), interpolation=cv2.INTER_CUBIC) for picture in coarse]


def edits(picture: Picture) -> dict[str, Picture]:
    """What a picture becomes on the web: saved again, cut slightly, brighter."""
    saved = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return {
        "jpeg": cv2.imdecode(saved, cv2.IMREAD_COLOR),
        "cut": picture[5:-5, 5:-5],
        "bright": (picture.astype(np.float32) * 1.15).clip(0, 255).astype(np.uint8),
    }


def write_case(
    home: Path, train: Mapping[str, Picture], test: Mapping[str, Picture], *, hashed: bool = True
) -> Dataset:
    """Ingest pictures [H, W, 3] uint8 BGR into the splits wanted, and pretend that a run trained on those of train."""
    corpus = home / "corpus"
    corpus.mkdir(parents=True)
    for name, picture in {**train, **test}.items():
        cv2.imwrite(str(corpus / f"{name}.png"), picture)
        (corpus / f"{name}.txt").write_text(f"picture {name}")
    dataset = ingest(home / "data", corpus, alike="exact")
    path = home / "data/splits/00.parquet"
    frozen = pq.read_table(path)
    names = {(row["shard"], row["row"]): name for name, row in rows_of(dataset).items()}
    of_row = [names[row["shard"], row["row"]] for row in frozen.to_pylist()]
    wanted = pa.array(["train" if name in train else "test" for name in of_row])
    pq.write_table(frozen.set_column(frozen.column_names.index("split"), "split", wanted), path)
    build_index(dataset)
    annotate(dataset, "canny")
    if hashed:
        annotate(dataset, HASHES)
    write_run(home, dataset)
    return dataset


def write_run(home: Path, dataset: Dataset) -> None:
    """What a training leaves behind that says which rows it had: all there are."""
    kept = {row["cluster"] for row in rows_of(dataset).values() if row["split"] == "train"}
    manifest = Manifest(dataset=dataset.root, condition="canny", rows=len(kept), base="none", resolution=64)
    provenance = provenance_of(manifest, resolve(manifest), overrides=[], processes=1)
    (home / "run").mkdir()
    (home / "run/provenance.json").write_text(json.dumps(asdict(provenance)))
    (home / "run/manifest.yaml").write_text(dump(manifest))


def evaluate(
    home: Path, dataset: Dataset, drawn: Mapping[str, Picture], *, split: str = "test", blur: float = 2.0
) -> Path:
    """Write an evaluation of a split; what is not given is drawn as something else altogether.

    Args:
        drawn: name of a sample → what was drawn of it with control, BGR.
        blur: how badly the pictures that are scored are drawn.
    """
    folder = home / f"evaluation-{split}"
    subset = json.loads((home / "run/provenance.json").read_text())["subset_fingerprint"]
    made = spec()
    protocol = replace(
        made.protocol, dataset=dataset.settings.id, keys_sha256=hashlib.sha256(split.encode()).hexdigest()
    )
    write_spec(replace(made, protocol=protocol, subset_fingerprint=subset), folder)
    wanted = {name: row for name, row in rows_of(dataset).items() if row["split"] == split}
    panels, scores = [], []
    for number, (name, row) in enumerate(sorted(wanted.items())):
        real = square(cv2.imread(str(home / "corpus" / f"{name}.png")))
        others = scenes(2, seed=1_000 + number)
        shown = square(drawn.get(name, others[0]))
        pictures = {"real": real, "drawn": shown, "floor": square(others[1]), "ceiling": real}
        pictures |= {"condition": grey(edges(real)), "reannotated": grey(edges(shown))}
        panels.append(Panels(row["key"], 0, f"picture {name} <script>", pictures))
        room = playroom.record(len(split), number).image  # it has edges to score
        for arm, sigma in ((CONTROLLED, blur), (FLOOR, 6.0), (CEILING, 0.6)):
            found = ADHERENCE["canny"].score(edges(room), edges(worsen(room, sigma, seed=number)))
            scores += score_rows(found, key=row["key"], draw=0, seed=0, arm=arm)
    (folder / "pictures").mkdir()
    pq.write_table(to_table(panels), folder / "pictures/000000.parquet")
    pq.write_table(gather([pa.Table.from_pylist(scores, schema=SCHEMA)]), folder / "scores.parquet")
    return folder


def square(picture: Picture) -> Picture:
    """The centre of a picture BGR as an evaluation draws it: [SIDE, SIDE, 3] uint8 RGB."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = picture[top : top + side, left : left + side, ::-1]
    return np.ascontiguousarray(cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
