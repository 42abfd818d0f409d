"""Every kind of corpus is found, listed and read as its users have it."""

import csv
import errno
import io
import json
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.corpora.format import Corpus, Lost, Raw
from annotate.corpus import FORMATS, find_corpus
from manifests.dataset import Dataset

Ingest = Callable[..., Dataset]
Rows = Callable[..., list[dict]]
CAPTIONS = ["a red circle", "ein grüner Kreis", "青い円"]


def tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def told(images: list[dict]) -> dict[bytes, list[str]]:
    """Captions by picture."""
    return {row["image"]["bytes"]: row["captions"] for row in images}


def test_a_folder_with_captions_in_text_files(tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "deeper").mkdir(parents=True)
    for folder, data, caption in zip(("", "deeper", "deeper"), png, CAPTIONS, strict=False):
        (corpus / folder / f"{png.index(data)}.png").write_bytes(data)
        (corpus / folder / f"{png.index(data)}.txt").write_text(f"{caption}\n")
    (corpus / ".hidden.png").write_bytes(png[5])
    (corpus / "notes.md").write_text("not a picture")

    images = rows(ingest(corpus))

    assert told(images) == {data: [caption] for data, caption in zip(png, CAPTIONS, strict=False)}
    assert [(row["width"], row["height"], row["conversion"]) for row in images] == [(128, 128, "")] * 3
    assert {row["id"] for row in images} == {"0.png", "deeper/1.png", "deeper/2.png"}


@pytest.mark.parametrize("table", ["metadata.jsonl", "metadata.csv"])
def test_a_folder_with_a_table(table: str, tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "train").mkdir(parents=True)
    said = [
        {"file_name": f"{number}.png", "text": f"{caption}, with a comma", "license": "CC-BY-4.0"}
        for number, caption in enumerate(CAPTIONS)
    ]
    for row, data in zip(said, png, strict=False):
        (corpus / "train" / row["file_name"]).write_bytes(data)
    with (corpus / "train" / table).open("w", encoding="utf-8-sig", newline="") as file:  # as Excel writes it
        if table.endswith("csv"):
            writer = csv.DictWriter(file, said[0])
            writer.writeheader()
            writer.writerows(said)
        else:
            file.writelines(json.dumps(row) + "\n" for row in said)

    images = rows(ingest(corpus))

    assert told(images) == {data: [row["text"]] for row, data in zip(said, png, strict=False)}
    assert {row["licence"] for row in images} == {"CC-BY-4.0"}


def test_a_table_of_pictures_that_are_not_below_it_is_refused(tmp_path: Path, png: list[bytes], ingest: Ingest) -> None:
    for folder in ("pictures", "tables"):
        (tmp_path / "corpus" / folder).mkdir(parents=True)
    (tmp_path / "corpus" / "pictures" / "a.png").write_bytes(png[0])
    said = '{"file_name": "../pictures/a.png", "text": "a circle"}\n'
    (tmp_path / "corpus" / "tables" / "metadata.jsonl").write_text(said)
    with pytest.raises(ValueError, match=r"it names pictures/a.png, which is not below its folder"):
        ingest(tmp_path / "corpus")


def test_a_table_far_above_its_picture_is_read_with_one_beside_it(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    deep = tmp_path / "corpus" / "one" / "two"
    deep.mkdir(parents=True)
    (deep / "a.png").write_bytes(png[0])
    (deep / "metadata.csv").write_text("file_name,text\na.png,a red circle\n")
    (tmp_path / "corpus" / "metadata.jsonl").write_text('{"file_name": "one/two/a.png", "text": "a circle"}\n')
    assert told(rows(ingest(tmp_path / "corpus"))) == {png[0]: ["a circle", "a red circle"]}


def test_a_picture_named_twice_has_both_captions(tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.png").write_bytes(png[0])
    said = [{"file_name": "a.png", "text": caption} for caption in CAPTIONS]
    (tmp_path / "corpus" / "metadata.jsonl").write_text("\n".join(map(json.dumps, said)))
    assert told(rows(ingest(tmp_path / "corpus"))) == {png[0]: CAPTIONS}


def test_pictures_may_be_links(tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "blob").write_bytes(png[0])
    (tmp_path / "corpus" / "a.png").symlink_to(tmp_path / "blob")
    (tmp_path / "corpus" / "a.txt").write_text("a circle")
    assert told(rows(ingest(tmp_path / "corpus"))) == {png[0]: ["a circle"]}


def test_the_links_of_a_hugging_face_cache_are_followed(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0a1b"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name, data in {"a.png": png[0], "a.txt": b"a circle"}.items():
        (blobs / name[::-1]).write_bytes(data)
        (snapshot / name).symlink_to(f"../../blobs/{name[::-1]}")
    assert told(rows(ingest(snapshot))) == {png[0]: ["a circle"]}


def test_tars_among_loose_pictures_are_ingested_by_the_pattern_that_the_refusal_gives(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    (tmp_path / "corpus" / "deeper").mkdir(parents=True)
    tar(tmp_path / "corpus" / "deeper" / "0.tar", {"a.png": png[0], "a.txt": b"a circle"})
    (tmp_path / "corpus" / "teaser.png").write_bytes(png[1])
    with pytest.raises(ValueError, match="tars and pictures") as refusal:
        ingest(tmp_path / "corpus")
    pattern = str(refusal.value).split("Give ")[1].split(", or")[0]
    assert told(rows(ingest(pattern))) == {png[0]: ["a circle"]}


def test_files_as_img2dataset_writes_them_beside_tables_of_what_it_did(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "00000").mkdir(parents=True)
    (corpus / "00000" / "000000000.png").write_bytes(png[0])
    (corpus / "00000" / "000000000.txt").write_text("a circle")
    (corpus / "00000" / "000000000.json").write_text('{"url": "https://example.org/a.png", "status": "success"}')
    pq.write_table(pa.table({"url": ["https://example.org/a.png"], "status": ["success"]}), corpus / "00000.parquet")
    (row,) = rows(ingest(corpus))
    assert (row["captions"], row["url"]) == (["a circle"], "https://example.org/a.png")


def test_pictures_in_parquet_and_beside_it_are_told_apart_by_whoever_asks(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    (tmp_path / "corpus").mkdir()
    pq.write_table(pa.table({"image": [png[0]], "caption": ["a circle"]}), tmp_path / "corpus" / "0.parquet")
    (tmp_path / "corpus" / "teaser.png").write_bytes(png[1])
    with pytest.raises(ValueError, match="pictures, and Parquet that holds some, lie in it") as refusal:
        ingest(tmp_path / "corpus")
    pattern = str(refusal.value).split("Give ")[1].split(", or")[0]
    assert told(rows(ingest(pattern))) == {png[0]: ["a circle"]}


def test_a_folder_that_cannot_be_listed_is_not_left_out(
    tmp_path: Path, png: list[bytes], ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "locked").mkdir(parents=True)
    for name in ("a", "locked/b"):
        (corpus / f"{name}.png").write_bytes(png[0])
        (corpus / f"{name}.txt").write_text("a circle")
    scan = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(OSError, match=r"can't be listed \(Permission denied\): .*locked"):
        ingest(corpus)
    assert not (tmp_path / "dataset" / "plan" / "00.parquet").exists()


BAD_TABLES = {
    "a comma without quotes": ("metadata.csv", "file_name,text\na.png,a circle, red\n", "quotes"),
    "no file_name": ("metadata.csv", "name,text\na.png,a circle\n", "file_name"),
    "cut short": ("metadata.jsonl", '{"file_name": "a.png", "te', "Every row needs"),
    "a list": ("metadata.jsonl", "[1, 2]\n", "Every row needs"),
}


@pytest.mark.parametrize(("name", "text", "says"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_that_cannot_be_read_is_refused_by_name(
    name: str, text: str, says: str, tmp_path: Path, png: list[bytes], ingest: Ingest
) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.png").write_bytes(png[0])
    (tmp_path / "corpus" / name).write_text(text)
    with pytest.raises(ValueError, match=f"(?s){name}.*{says}"):
        ingest(tmp_path / "corpus")
    assert not (tmp_path / "dataset").exists()


def test_tars_as_img2dataset_writes_them(tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for shard in range(2):
        members: dict[str, bytes] = {}
        for number in range(3):
            key = f"{shard:05d}{number:04d}"
            about = {
                "caption": CAPTIONS[number],
                "url": f"https://example.org/{key}",
                "key": key,
                "status": "success",
                "license": "CC0-1.0",
                "similarity": 0.25,
                "exif": "{}",
            }
            members |= {f"{key}.png": png[shard * 3 + number], f"{key}.txt": CAPTIONS[number].encode()}
            members |= {f"{key}.json": json.dumps(about).encode()}
        tar(corpus / f"{shard:05d}.tar", members)
        pq.write_table(pa.table({"url": ["https://example.org"]}), corpus / f"{shard:05d}.parquet")
        (corpus / f"{shard:05d}_stats.json").write_text("{}")

    for words in (corpus, corpus / "*.tar"):
        assert find_corpus(str(words)).format == "webdataset"
    images = rows(ingest(corpus))

    assert told(images) == {data: [CAPTIONS[number % 3]] for number, data in enumerate(png[:6])}
    first = images[0]
    assert (first["id"], first["url"], first["licence"], first["status"], first["similarity"]) == (
        *("000000000", "https://example.org/000000000", "CC0-1.0", "success", 0.25),
    )
    assert json.loads(first["extra"]) == {"exif": "{}"}


@pytest.mark.parametrize("column", ["struct", "bytes", "large_bytes"])
def test_parquet_with_pictures_of_any_type(
    column: str, tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    cells = {
        "struct": pa.array([{"bytes": data, "path": "a.png"} for data in png]),
        "bytes": pa.array(png, pa.binary()),
        "large_bytes": pa.array(png, pa.large_binary()),
    }
    captions = [f"circle {number}" for number in range(8)]
    table = pa.table({"picture": cells[column], "TEXT": captions, "TITLE": ["t"] * 8})
    pq.write_table(table, tmp_path / "corpus.parquet", row_group_size=3)
    images = rows(ingest(tmp_path / "corpus.parquet"))
    assert told(images) == {data: [caption] for data, caption in zip(png, captions, strict=True)}
    assert {row["extra"] for row in images} == {'{"TITLE": "t"}'}


def test_of_a_row_group_that_is_damaged_what_lies_before_is_read(tmp_path: Path) -> None:
    path, noise = tmp_path / "corpus.parquet", Random(0)
    columns = {"image": [noise.randbytes(700) for _ in range(300)], "caption": [str(row) for row in range(300)]}
    pq.write_table(pa.table(columns), path, use_dictionary=False, data_page_size=4_096, write_batch_size=8)
    corpus = find_corpus(str(path))
    references = list(FORMATS[corpus.format].plan(corpus))
    read = FORMATS[corpus.format].read(corpus, [*references[250:260], *references[:5]])  # in any order
    captions = [caption for record in read if isinstance(record, Raw) for caption in record.captions]
    assert captions == [str(row) for row in (*range(250, 260), *range(5))]

    chunk = pq.read_metadata(path).row_group(0).column(0)  # there is one group
    half = chunk.data_page_offset + chunk.total_compressed_size // 2
    content = bytearray(path.read_bytes())
    content[half : half + 8_192] = bytes(8_192)
    path.write_bytes(content)
    found = list(FORMATS[corpus.format].read(corpus, references))
    assert [isinstance(record, Raw) for record in found] == [row < 128 for row in range(300)]
    assert {record.reason for record in found if isinstance(record, Lost)} == {"unreadable"}


def test_columns_of_any_name_when_they_are_named(tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows) -> None:
    (tmp_path / "corpus").mkdir()
    table = pa.table({"x": png[:2], "thumbnail": png[2:4], "blip": [["one", "two"], ["three"]]})
    pq.write_table(table, tmp_path / "corpus" / "train-00000.parquet")
    with pytest.raises(ValueError, match="--image-column"):
        ingest(tmp_path / "corpus")
    with pytest.raises(ValueError, match="--caption-column"):
        ingest(tmp_path / "corpus", image="x")
    with pytest.raises(ValueError, match="no picture column 'blip'"):
        ingest(tmp_path / "corpus", image="blip")
    made = ingest(tmp_path / "corpus", image="x", caption="blip")
    assert told(rows(made)) == {png[0]: ["one", "two"], png[1]: ["three"]}


@pytest.mark.parametrize("splits", [False, True])
def test_a_hugging_face_dataset_on_disk(
    splits: bool, tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    (tmp_path / "loose.png").write_bytes(png[7])
    cells = [{"bytes": data, "path": None} for data in png[:3]] + [{"bytes": None, "path": str(tmp_path / "loose.png")}]
    captions = ["one", "two", "three", "four"]
    features = datasets.Features({"image": datasets.Image(), "caption": datasets.Value("string")})
    made = datasets.Dataset.from_dict({"image": cells, "caption": captions}, features=features)
    (datasets.DatasetDict({"train": made, "test": made.select([0])}) if splits else made).save_to_disk(tmp_path / "hf")

    images = rows(ingest(tmp_path / "hf", split="train" if splits else ""))

    assert told(images) == dict(zip([*png[:3], png[7]], [[caption] for caption in captions], strict=True))


def test_generated_corpora_keep_their_exact_truth(ingest: Ingest, rows: Rows) -> None:
    made = ingest("playroom:3", seed=5)
    images = rows(made)
    assert made.families() == ["truth_depth", "truth_edges", "truth_openpose", "truth_segmentation"]
    for family in made.families():
        truths = rows(made, family)
        assert [row["key"] for row in truths] == [row["key"] for row in images]
        assert {row["status"] for row in truths} <= {"ok", "empty"}
        assert made.card(family).settings["seed"] == 5
    assert {row["licence"] for row in images} == {"CC0-1.0"}


def test_circles_keep_their_exact_edges(ingest: Ingest, rows: Rows) -> None:
    made = ingest("fill50k:5")
    assert made.families() == ["truth_edges"]
    assert len(rows(made, "truth_edges")) == 5


def test_a_corpus_is_its_text() -> None:
    corpus = Corpus("folder", "/data/a:b, c", image="x y", caption="ü", seed=3, max_side=0)
    assert Corpus.from_text(str(corpus)) == corpus


UNKNOWN = {
    "no such path": ("{tmp}/phtos", "nothing there .there is photos.. Give a folder"),
    "a file of another kind": ("{tmp}/notes.md", "notes.md is not something that can be ingested"),
    "no number": ("playroom:many", "'many' is not a number of pictures"),
    "none": ("fill50k:0", "not a number of pictures"),
    "empty folder": ("{tmp}/photos", "no pictures found"),
}


@pytest.mark.parametrize(("words", "says"), UNKNOWN.values(), ids=UNKNOWN)
def test_words_that_mean_no_corpus_are_refused(words: str, says: str, tmp_path: Path, ingest: Ingest) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "notes.md").write_text("no picture")
    with pytest.raises(ValueError, match=says):
        ingest(words.format(tmp=tmp_path))
    assert not (tmp_path / "dataset").exists()
