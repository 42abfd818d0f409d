"""While a new part waits to be annotated, who pins the parts before it draws from them as ever."""

from collections.abc import Callable

import pytest
import torch

from annotate.again import withdraw
from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import append_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index, index_path
from manifests.layout import IMAGES
from manifests.manifest import Manifest
from manifests.subset import held_out, resolve
from manifests.training_set.prepared import prepared
from manifests.training_set.training_set import ensure_training_set, open_training_set


def annotate(dataset: Dataset, family: str, annotator: str, *parts: int) -> None:
    (task,) = make_tasks(dataset, [f"{family}={annotator}"], resolution=128)
    create_card(dataset.root, task.card)
    for name in dataset.missing(family):
        if int(name[:2]) in parts:
            (bound,) = bind([task], torch.device("cpu"))
            annotate_shard(dataset, name, [bound], batch_size=8, threads=1, done=lambda _: None)


def append(dataset: Dataset, corpus: str) -> Dataset:
    grown = append_plan(dataset.root, find_corpus(corpus))
    for name in grown.missing(IMAGES):
        ingest_shard(grown, name, threads=1, done=lambda _: None)
    return grown


def asked(dataset: Dataset, **fields: object) -> Manifest:
    manifest = {"dataset": dataset.root, "condition": "canny", "rows": 20, "base": "some/base", "resolution": 128}
    return Manifest(**{**manifest, **fields})


def keys(manifest: Manifest) -> list[str]:
    return resolve(manifest).rows["key"].to_pylist()


@pytest.fixture
def grown(ingest: Callable[..., Dataset]) -> Dataset:
    """Three parts, the edges of the first two, what `quality` says of the first."""
    dataset = ingest("fill50k:100")
    for number in (200, 250):
        dataset = append(dataset, f"fill50k:{number}")
    annotate(dataset, "canny", "canny", 0, 1)
    annotate(dataset, "quality", "quality", 0)
    build_index(dataset)
    return dataset


def test_who_pins_parts_that_are_annotated_draws_from_them(grown: Dataset) -> None:
    with pytest.raises(ValueError, match=r"canny is not indexed .* python pipelines/annotate.py .* canny"):
        resolve(asked(grown))
    with pytest.raises(ValueError, match="canny covers 200 of 250 rows"):
        resolve(asked(grown, parts=[2]))
    first, both = keys(asked(grown, parts=[0])), keys(asked(grown, parts=[0, 1], rows=60))
    where = "quality.sharpness >= 0"
    assert keys(asked(grown, parts=[0], where=where)) == first
    with pytest.raises(ValueError, match="quality covers 100 of 200 rows"):
        resolve(asked(grown, parts=[0, 1], where=where))
    assert set(first) & set(both)
    assert held_out(asked(grown, parts=[0, 1]), "test", samples=4, seed=0).num_rows

    annotate(grown, "canny", "canny", 2)
    annotate(grown, "quality", "quality", 1, 2)
    build_index(grown)
    assert keys(asked(grown, parts=[0])) == keys(asked(grown, parts=[0], where=where)) == first
    assert keys(asked(grown, parts=[0, 1], rows=60)) == both
    assert len(keys(asked(grown, rows=150))) == 150


def test_a_training_set_of_pinned_parts_is_made_and_found_again(grown: Dataset) -> None:
    manifest = asked(grown, parts=[0, 1])
    path = ensure_training_set(resolve(manifest), manifest)
    known = prepared(manifest)
    assert known is not None
    assert known.path == path
    assert open_training_set(path, 20).column("key") == keys(manifest)


def test_nobody_draws_from_a_family_of_which_shards_were_withdrawn(grown: Dataset) -> None:
    withdraw(grown, "canny", ["00-000000"])
    with pytest.raises(ValueError, match="canny is not indexed"):
        resolve(asked(grown, parts=[0]))
    build_index(grown)
    with pytest.raises(ValueError, match="canny is not indexed"):
        resolve(asked(grown, parts=[1]))
    assert not list(index_path(grown, "canny").parent.glob("canny*"))
