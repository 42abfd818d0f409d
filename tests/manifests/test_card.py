"""What a dataset's card says is so, can be read by the Hub, and lets nothing of a corpus into its Markdown."""

import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from PIL import Image

from evaluate.page.strip import show_examples
from manifests.card import EXAMPLES, corpus_name
from manifests.catalogue import catalogue
from manifests.dataset import Dataset
from manifests.family import FamilyCard, Weights, create_card
from manifests.footer import write_shard
from manifests.hub import write_dataset_card
from manifests.index import ROWS, read_index
from manifests.layout import DROPPED, IMAGES, SOURCE
from manifests.licences import count_licences, hub_licence
from manifests.markdown import plain, size_category
from manifests.record import DROPPED as DROPPED_SCHEMA
from manifests.record import SOURCE as SOURCE_SCHEMA
from manifests.record import family_schema
from manifests.removed import remove_pictures
from manifests.storage import publish, replace
from pipelines.remove import main as remove

NASTY = "cc|by <script>alert(1)</script>\n# [x](http://evil) `rm` " + "long " * 200


@pytest.fixture
def rooms(tmp_path: Path, made: Callable[..., Dataset]) -> Dataset:
    return made(tmp_path / "rooms", range(60))


def say(dataset: Dataset, name: str, **columns: object) -> None:
    """Put other words into a shard of source/."""
    keys = dataset.read(IMAGES, name, ["key"])["key"].to_pylist()
    table = pa.Table.from_pylist([{"key": key, **columns} for key in keys], schema=SOURCE_SCHEMA)
    replace(lambda partial: pq.write_table(table, partial), dataset.path(SOURCE, name))


def card_of(dataset: Dataset) -> DatasetCard:
    write_dataset_card(dataset)
    return DatasetCard.load(dataset.root / "README.md")


def test_rows_are_counted_by_split_family_and_reason(rooms: Dataset) -> None:
    dropped = [{"stage": "decode", "reason": "truncated"}] * 3 + [{"stage": "caption", "reason": "empty"}]
    table = pa.Table.from_pylist(dropped, schema=DROPPED_SCHEMA)
    publish(lambda partial: pq.write_table(table, partial), rooms.path(DROPPED, "00-000000"))
    text = card_of(rooms).text
    for split, count in Counter(read_index(rooms, ROWS)["split"].to_pylist()).items():
        assert f"| of them {split} | {count} |" in text
    assert "| dropped: decode: truncated | 3 |" in text
    assert "| dropped: caption: empty | 1 |" in text
    assert "| canny | binary | canny v1 | - | as stored | 54 | 6 | 0 |" in text
    assert "| canny.edge_density | 0.0" in text


def test_the_header_is_what_the_hub_knows(rooms: Dataset) -> None:
    for name in rooms.shards():
        say(rooms, name, licence="https://creativecommons.org/licenses/by-sa/4.0/deed.en")
    known = card_of(rooms).data.to_dict()
    assert known["license"] == "cc-by-sa-4.0"
    assert known["size_categories"] == ["n<1K"]
    assert known["tags"] == ["controlnet", "pairmill", "canny"]
    assert [of["config_name"] for of in known["configs"]] == ["images", "source", "canny"]


def test_what_a_corpus_says_is_text_and_nothing_else(rooms: Dataset) -> None:
    first, *others = rooms.shards()
    say(rooms, first, licence=NASTY, optout=True)
    for name in others:
        say(rooms, name, licence="CC-BY 4.0")
    assert count_licences(rooms).optout == 25
    card = card_of(rooms)
    line = next(line for line in card.text.splitlines() if "script" in line)
    assert line.startswith("| cc\\|by &lt;script>alert(1)&lt;/script> \\# \\[x\\](http://evil) \\`rm\\` long long")
    assert line.endswith("… | 25 |")
    assert "The source of 25 rows asks that they not be used for training" in card.text
    assert card.data.to_dict()["license"] == "other"


def test_weights_that_forbid_commerce_are_named_in_plain_words(rooms: Dataset) -> None:
    weights = [Weights(file="body.pth", sha256="0" * 64, licence="CMU OpenPose: non-commercial", source="CMU")]
    create_card(
        rooms.root, FamilyCard(family="openpose", annotator="openpose", version=1, kind="binary", weights=weights)
    )
    text = card_of(rooms).text
    assert "**openpose: made by weights that are not licensed for commercial use.**" in text
    assert "| openpose | body.pth | CMU OpenPose: non-commercial | CMU | 0000000000000000 |" in text
    assert "- Not whole yet: openpose." in text


def write_numbers(dataset: Dataset, family: str, stats: dict[str, str], values: dict[str, float]) -> None:
    """A family of numbers, that every second row has."""
    card = FamilyCard(family=family, annotator=family, version=1, kind="scores", stats=stats)
    create_card(dataset.root, card)
    schema = family_schema("scores", {}, {name: pa.type_for_alias(kind) for name, kind in stats.items()})
    for name in dataset.shards():
        rows = [
            {"key": key, "status": "ok", "code": "", "error": "", "stats": None if place % 2 else values}
            for place, key in enumerate(dataset.read(IMAGES, name, ["key"])["key"].to_pylist())
        ]
        table = pa.Table.from_pylist(rows, schema=schema)
        publish(partial(write_shard, table, card=card), dataset.path(family, name))


def test_families_of_numbers_stand_on_the_card_without_being_drawn(rooms: Dataset) -> None:
    write_numbers(rooms, "light", {"light": "float"}, {"light": float("nan")})
    show_examples(rooms)
    catalogue(rooms)
    text = (rooms.root / "README.md").read_text()
    assert "| light | scores | light v1 |" in text
    assert "light.light" not in text  # none of its numbers is one
    assert Image.open(rooms.root / EXAMPLES).width == 2 * 192 + 6


def test_hashes_are_no_amounts_to_be_summed_up(rooms: Dataset) -> None:
    write_numbers(rooms, "phash", {"phash": "int64", "colour": "float"}, {"phash": -(2**62), "colour": 0.25})
    catalogue(rooms)
    text = (rooms.root / "README.md").read_text()
    assert "| phash.colour | 0.25 |" in text
    assert "phash.phash" not in text


def test_examples_are_on_the_card_where_there_are_any_and_go_with_a_take_down(rooms: Dataset) -> None:
    assert EXAMPLES not in card_of(rooms).text
    show_examples(rooms)
    before = (rooms.root / EXAMPLES).read_bytes()
    assert f"]({EXAMPLES})" in card_of(rooms).text
    first = read_index(rooms, ROWS).filter(pa.array([place < 25 for place in range(60)]))
    for key in first["key"].to_pylist():
        remove(str(rooms.root), [key])
        if (rooms.root / EXAMPLES).exists() and (rooms.root / EXAMPLES).read_bytes() != before:
            break
    else:
        pytest.fail("a picture that was taken down is still shown")
    remove_pictures(rooms, first["picture"].to_pylist(), "all")
    show_examples(rooms)
    assert not (rooms.root / EXAMPLES).exists()
    assert EXAMPLES not in card_of(rooms).text
    assert (
        "Pictures that were taken down leave subsets and exports, and are still in the shards." in card_of(rooms).text
    )


def test_a_card_opens_no_picture(rooms: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[list[str]] = []
    monkeypatch.setattr(pq.ParquetFile, "read", spied(pq.ParquetFile.read, read))
    write_dataset_card(rooms)
    assert read
    assert not {column for columns in read for column in columns} & {"image", "condition"}


def spied(read: Callable[..., pa.Table], seen: list[list[str]]) -> Callable[..., pa.Table]:
    def reading(file: pq.ParquetFile, columns: list[str] | None = None, **options: object) -> pa.Table:
        seen.append(columns or ["image"])
        return read(file, columns, **options)

    return reading


def test_a_dataset_without_rows_or_index_has_a_card(rooms: Dataset) -> None:
    shutil.rmtree(rooms.root / "index")
    assert "| canny | binary | canny v1 | - | as stored | not whole yet |  |  |" in card_of(rooms).text
    for folder in (IMAGES, SOURCE, "canny", "plan"):
        for path in (rooms.root / folder).glob("*.parquet"):
            path.unlink()
    card = card_of(rooms)
    assert "0 pictures" in card.text
    assert card.data.to_dict()["license"] == "unknown"


@pytest.mark.parametrize(
    ("names", "licence"),
    [
        (["CC0"], "cc0-1.0"),
        (["CC BY 4.0", "cc-by-4.0"], "cc-by-4.0"),
        (["https://creativecommons.org/licenses/by-nc-nd/4.0/"], "cc-by-nc-nd-4.0"),
        (["https://creativecommons.org/publicdomain/zero/1.0/"], "cc0-1.0"),
        (["Apache-2.0"], "apache-2.0"),
        (["all rights reserved"], "other"),
        (["CC0", "CC BY 4.0"], "other"),
        (["CC0", ""], "other"),
        ([""], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_licence_is_said_in_the_hub_s_words_where_all_rows_have_one(names: list[str], licence: str) -> None:
    assert hub_licence(names)["license"] == licence


def test_sizes_are_said_in_the_hub_s_words() -> None:
    rows = (0, 999, 1_000, 9_999, 123_456, 1_000_000, 20_000_000, 3_000_000_000)
    words = ["n<1K", "n<1K", "1K<n<10K", "1K<n<10K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "n>1B"]
    assert [size_category(count) for count in rows] == words


def test_a_corpus_is_named_without_the_folders_it_lies_in() -> None:
    assert corpus_name("/home/someone/secret/photos/") == "photos"
    assert corpus_name("s3://bucket/photos/*.tar") == plain("*.tar")
    assert corpus_name("hub:someone/photos") == "hub:someone/photos"
    assert corpus_name("playroom:60") == "playroom:60"
