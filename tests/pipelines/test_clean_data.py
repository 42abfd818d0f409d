"""A manifest that filters by quality and duplicates trains, and the report of its run accounts for every row."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from annotate.corpora.playroom import record
from annotate.corpus import find_corpus
from annotate.hashes_at_ingest import begin_hashes
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES
from pipelines.evaluate import evaluate_run
from tests.toy_run import train

ROOMS, SPOILT, COPIES = 40, 10, 10
WHERE = "grey < 0.99 AND blockiness < 0.6"


def write_corpus(folder: Path) -> Path:
    """Playroom pictures; of the first ten also grey ones of others, of the next ten a smaller copy each."""
    folder.mkdir()
    for row in range(ROOMS + SPOILT):
        image = Image.fromarray(record(0, row).image)
        if row >= ROOMS:
            image = image.convert("L").convert("RGB")
        image.save(folder / f"{row:03d}.png")
        if row < COPIES:
            image.resize((96, 96), Image.Resampling.BOX).save(folder / f"{row:03d}_copy.png")
    for file in folder.glob("*.png"):
        file.with_suffix(".txt").write_text(f"room {file.stem}")
    return folder


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    home = tmp_path_factory.mktemp("clean")
    shares = {"train": 0.7, "validation": 0.1, "test": 0.2}
    made = make_plan(home / "pairs", find_corpus(str(write_corpus(home / "corpus"))), splits=shares, duplicates="near")
    begin_hashes(made)
    for name in made.missing(IMAGES):
        ingest_shard(made, name, threads=1, done=lambda _: None)
    tasks = make_tasks(made, ["canny", "quality"], resolution=96)
    for task in tasks:
        create_card(made.root, task.card)
    for name in made.missing("canny"):
        annotate_shard(made, name, bind(tasks, torch.device("cpu")), batch_size=8, threads=1, done=lambda _: None)
    build_index(made)
    return made


def test_what_a_manifest_keeps_out_is_in_the_report_of_its_run_by_count(toy: Path, dataset: Dataset) -> None:
    home = Path(str(dataset.root)).parent
    given = yaml.safe_load((toy / "toy.yaml").read_text())
    given |= {"dataset": str(dataset.root), "where": WHERE, "rows": 12, "resolution": 64}
    given["evaluate"]["samples"] = 2
    (home / "clean.yaml").write_text(yaml.safe_dump(given))
    train(home / "clean.yaml", home / "run")
    evaluate_run(home / "run", home / "run" / "evaluation", [], actors=1)

    index = read_index(dataset, ROWS)
    in_train = index["split"].to_numpy() == "train"
    grey = read_index(dataset, "quality")["grey"].to_numpy() >= 0.99
    account = json.loads((home / "run" / "evaluation" / "report.json").read_text())["spec"]["account"]
    kept_out = {out["reason"]: out["rows"] for out in account["kept_out"]}
    assert account["rows"] == ROOMS + SPOILT + COPIES == account["drawn"] + sum(kept_out.values())
    assert account["drawn"] == 12
    assert kept_out["where"] >= int((in_train & grey).sum()) > 0
    clusters = index["cluster"].to_numpy()[in_train & ~grey]
    assert 0 < kept_out["duplicate"] <= len(clusters) - len(np.unique(clusters))
    report = (home / "run" / "evaluation" / "report.md").read_text()
    assert f"kept out: duplicates of a row that can be drawn | −{kept_out['duplicate']}" in report
    assert "`grey < 0.99` keeps out" in report
