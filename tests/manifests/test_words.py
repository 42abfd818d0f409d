"""The words of a family take the place of the corpus's captions where a manifest says so, and nowhere else."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluate.samples import Wanted, read_samples
from manifests.condition import encode
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.figures import Text
from manifests.footer import write_shard
from manifests.index import build_index
from manifests.manifest import Manifest
from manifests.record import family_schema
from manifests.storage import publish
from manifests.subset import resolve
from manifests.training_set.gather import Families, forecast_reading, rows_by_shard
from manifests.training_set.training_set import ensure_training_set, open_training_set
from train.export.export import plan_export
from train.export.shards import make_shards
from train.run_folder import provenance_of
from train.watch.samples import validation_pairs

LENGTH = {"length": pa.int32()}


def write_words(dataset: Dataset, family: str, prompt: str, shards: int = 8) -> None:
    """A family that says the prompt and the key of every row; of the third row of each shard it has nothing to say."""
    settings = {"prompt": prompt}
    card = FamilyCard(
        family=family, annotator="caption", version=1, kind="text", settings=settings, stats={"length": "int32"}
    )
    create_card(dataset.root, card)
    for name in dataset.shards()[:shards]:
        rows = []
        for place, key in enumerate(dataset.read("images", name, ["key"])["key"].to_pylist()):
            said = Text((128, 128), prompt if place == 2 else f"{prompt} {key}")
            row = {"key": key, "status": "empty" if place == 2 else "ok", "code": "", "error": ""}
            row |= {"condition": encode("text", said), "width": 128, "height": 128}
            rows.append(row | {"stats": {"length": len(said.text)}})
        table = pa.Table.from_pylist(rows, schema=family_schema("text", {}, LENGTH))
        publish(partial(write_shard, table, card=card), dataset.path(family, name))


@pytest.fixture(scope="module")
def rooms(made: Callable[..., Dataset], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Playroom pictures with two families of words, and a third that is not whole."""
    dataset = made(tmp_path_factory.mktemp("words") / "rooms")
    write_words(dataset, "caption", "a room")
    write_words(dataset, "other", "a chamber")
    write_words(dataset, "half", "a room", shards=3)
    build_index(dataset)
    return dataset


def manifest(dataset: Dataset, **fields: object) -> Manifest:
    asked = {"dataset": dataset.root, "condition": "canny", "rows": 90, "base": "none", "resolution": 128}
    return Manifest(**{**asked, **fields})


def test_a_training_set_has_the_words_of_the_family_and_the_corpus_s_where_none_is_named(rooms: Dataset) -> None:
    own, said = manifest(rooms), manifest(rooms, captions="caption")
    tables = {}
    for asked in (own, said):
        tables[asked.captions] = list(open_training_set(ensure_training_set(resolve(asked), asked), 90))
    assert [row["key"] for row in tables[""]] == [row["key"] for row in tables["caption"]]
    for row in tables["caption"]:
        assert row["captions"] in ([f"a room {row['key']}"], [])
    assert [] in [row["captions"] for row in tables["caption"]], "an empty row has no caption, and stays"
    for one, other in zip(tables[""], tables["caption"], strict=True):
        assert one["captions"] != other["captions"]
        assert one | {"captions": 0} == other | {"captions": 0}


def test_the_words_are_part_of_what_a_training_set_and_a_run_are(rooms: Dataset) -> None:
    asked = [manifest(rooms, captions=captions) for captions in ("", "caption", "other")]
    subsets = [resolve(one) for one in asked]
    assert len({subset.fingerprint for subset in subsets}) == 3
    paths = [ensure_training_set(subset, one) for subset, one in zip(subsets, asked, strict=True)]
    assert len(set(paths)) == 3
    of_runs = [provenance_of(*pair, overrides=[], processes=1) for pair in zip(asked, subsets, strict=True)]
    assert len({run.identity["subset"] for run in of_runs}) == 3


def test_a_smaller_subset_with_the_same_words_is_a_prefix(rooms: Dataset) -> None:
    large, small = (manifest(rooms, captions="caption", rows=rows) for rows in (90, 20))
    assert ensure_training_set(resolve(large), large) == ensure_training_set(resolve(small), small)


def test_what_reading_words_costs_is_foretold(rooms: Dataset) -> None:
    by_shard = rows_by_shard(resolve(manifest(rooms)).rows)
    without, with_words = (forecast_reading(rooms, Families("canny", words), by_shard) for words in ("", "caption"))
    assert with_words.reads > without.reads


def test_pictures_shown_in_training_and_evaluation_have_the_same_words(rooms: Dataset) -> None:
    asked = manifest(rooms, captions="caption")
    assert all(pair.caption in (f"a room {pair.key}", "") for pair in validation_pairs(asked, rows=4))
    places = resolve(asked).rows.slice(0, 5)
    for sample in read_samples(rooms, Wanted("canny", 128, captions="caption"), places):
        assert sample.caption(0) in (f"a room {sample.key}", "")
    assert not read_samples(rooms, Wanted("canny", 128), places)[0].caption(0).startswith("a room")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"captions": "canny"}, r"captions = 'canny' holds conditions of kind 'binary', not words"),
        ({"captions": "captoin"}, r"no condition 'captoin'.*Did you mean 'caption'"),
        ({"captions": "half"}, r"half is not indexed \(5 shards are missing\)"),
        ({"condition": "caption"}, r"caption holds words, of which no hint is drawn.*`captions: caption`"),
    ],
)
def test_what_holds_no_words_or_nothing_else_is_refused(rooms: Dataset, fields: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(manifest(rooms, **fields))


def test_rows_can_be_chosen_by_their_words(made: Callable[..., Dataset], tmp_path: Path) -> None:
    dataset = made(tmp_path / "rooms")
    write_words(dataset, "caption", "a room")
    build_index(dataset)
    asked = manifest(dataset, captions="caption", where="caption.status = 'ok'", rows=20)
    table = open_training_set(ensure_training_set(resolve(asked), asked), 20)
    assert all(table.column("captions"))


def test_an_export_has_the_words_of_the_family_and_of_rows_without_any_an_empty_text(
    rooms: Dataset, tmp_path: Path
) -> None:
    export = plan_export(manifest(rooms, captions="caption"), held=5, shard_rows=64)
    make_shards(export, tmp_path, lambda _: None)
    read = [pq.read_table(path) for path in export.files(tmp_path)["train"]]
    texts = {row["key"]: row["text"] for table in read for row in table.select(["key", "text"]).to_pylist()}
    assert len(texts) == 90
    assert {text for key, text in texts.items() if text != f"a room {key}"} == {""}
