"""A subset is nested, the same everywhere, free of leaks, and says when it can't be had."""

from collections.abc import Callable
from pathlib import Path

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest

from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.hub import join, write_dataset_card
from manifests.index import ROWS, build_index, read_index
from manifests.keys import begins_with
from manifests.manifest import Manifest
from manifests.splits.splits import read_splits
from manifests.subset import candidates, held_out, resolve
from manifests.training_set.folder import training_set_path
from manifests.training_set.training_set import ensure_training_set, open_training_set


def manifest(dataset: Dataset, **fields) -> Manifest:
    return Manifest(**{"dataset": dataset.root, "condition": "canny", "rows": 50, "base": "none", **fields})


def keys(subset) -> list[str]:
    return subset.rows["key"].to_pylist()


def test_a_smaller_subset_is_a_prefix_of_a_larger_one(dataset: Dataset) -> None:
    small, large = resolve(manifest(dataset, rows=20)), resolve(manifest(dataset, rows=90))
    assert keys(small) == keys(large)[:20]
    assert len(set(keys(large))) == 90
    assert keys(resolve(manifest(dataset, rows=20, seed=1))) != keys(small)


def test_the_draw_does_not_depend_on_the_order_of_the_corpus(dataset: Dataset, made, tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(200).tolist()
    shuffled = made(tmp_path / "shuffled", rows=order)
    eligible = set(candidates(dataset, "canny", "train")["key"].to_pylist())
    assert set(candidates(shuffled, "canny", "train")["key"].to_pylist()) == eligible
    assert keys(resolve(manifest(shuffled))) == keys(resolve(manifest(dataset)))


def test_no_cluster_is_in_two_splits_and_only_train_is_drawn_from(dataset: Dataset) -> None:
    rows = read_index(dataset, ROWS).to_pylist()
    split_of = {}
    for row in rows:
        assert split_of.setdefault(row["cluster"], row["split"]) == row["split"]
    train = {row["key"] for row in rows if row["split"] == "train"}
    assert set(keys(resolve(manifest(dataset, rows=90)))) <= train
    assert not set(held_out(manifest(dataset), "test", samples=500, seed=0)["key"].to_pylist()) & train
    assert rows[10]["cluster"] == rows[11]["cluster"]
    assert [rows[10]["best_of_cluster"], rows[11]["best_of_cluster"]] == [True, False]


def test_splits_are_frozen(dataset: Dataset) -> None:
    path = dataset.root / "splits/00.parquet"
    before = path.read_bytes()
    build_index(dataset)
    assert path.read_bytes() == before
    assert len(read_splits(dataset, [0], ["cluster"])) == 200


def test_where_and_status_hold_for_every_row(dataset: Dataset) -> None:
    subset = resolve(manifest(dataset, rows=5, where="edge_density > 0.03 AND caption_length > 10"))
    for row in subset.rows.to_pylist():
        found = dataset.read("canny", row["shard"]).slice(row["row"], 1).to_pylist()[0]
        assert found["status"] == "ok"
        assert found["stats"]["edge_density"] > 0.03


def test_too_few_rows_are_counted(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match=r"1000 rows are asked for and \d+ of the train split"):
        resolve(manifest(dataset, rows=1000))


def test_an_unknown_condition_is_named_with_its_remedy(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match=r"no condition 'cany' \(it has canny\).*annotate\.py"):
        resolve(manifest(dataset, condition="cany"))


def test_a_half_annotated_family_is_refused(made: Callable[..., Dataset], tmp_path: Path) -> None:
    half = made(tmp_path / "half", shards_of_canny=3)
    with pytest.raises(ValueError, match=r"canny is not indexed \(5 shards are missing\)"):
        resolve(manifest(half))


def test_a_training_set_is_in_draw_order_and_serves_its_prefixes(dataset: Dataset) -> None:
    large = manifest(dataset, rows=90)
    subset = resolve(large)
    path = ensure_training_set(subset, large)
    table = open_training_set(path, 90)
    assert table.column("key") == keys(subset)
    row = table[17]
    assert row["image"]["bytes"].startswith(b"\x89PNG")
    edges = decode("binary", row["condition"])
    assert edges.shape == (row["height"], row["width"]) == (128, 128)
    small = manifest(dataset, rows=20)
    assert ensure_training_set(resolve(small), small) == path
    assert begins_with(path, resolve(small).rows["key"])
    assert open_training_set(path, 20).column("key") == keys(subset)[:20]
    assert training_set_path(manifest(dataset, seed=1), subset.cards) != path


def test_datasets_opens_a_family_and_join_puts_families_side_by_side(dataset: Dataset, tmp_path: Path) -> None:
    write_dataset_card(dataset)
    canny = datasets.load_dataset(str(dataset.root), "canny", split="corpus", cache_dir=str(tmp_path))
    assert len(canny) == 200
    assert canny[0]["condition"].size == (128, 128)
    assert canny.info.splits["corpus"].num_examples == 200
    both = join(dataset, ["canny"])
    assert both["key"][:] == canny["key"][:]
    assert both[3]["image"].size == both[3]["canny_condition"].size


def test_a_shard_with_other_keys_is_noticed(made: Callable[..., Dataset], tmp_path: Path) -> None:
    broken = made(tmp_path / "broken", rows=range(60))
    first, second = broken.path("canny", "00-000000"), broken.path("canny", "00-000001")
    table = pq.read_table(second)
    first.unlink()
    pq.write_table(table, first)
    asked = manifest(broken, rows=30)
    with pytest.raises(ValueError, match="keys"):
        ensure_training_set(resolve(asked), asked)
