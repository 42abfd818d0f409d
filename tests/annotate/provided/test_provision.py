"""A user names what the corpus carries; plan and card keep it, and later corpora fit it or are refused."""

import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.corpora import files
from annotate.corpora.format import Corpus
from annotate.corpus import find_corpus
from annotate.ingest import count_provided, ingest_shard
from annotate.plan import append_plan, make_plan
from annotate.provided.provision import parse
from annotate.registry import from_card
from annotate.task import make_tasks
from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index, read_index
from manifests.layout import IMAGES
from tests.annotate.provided.shapes import WRITERS

Write = Callable[..., Path]
Ingest = Callable[..., Dataset]
Rows = Callable[..., list[dict]]
Encode = Callable[..., bytes]
PROVIDED = ("gt=soft:soft.png",)
MAP = np.tile(np.arange(128, dtype=np.uint8), (128, 1))


@pytest.fixture
def records(png: list[bytes], as_png: Encode) -> dict[str, dict[str, bytes]]:
    """Four pictures of 128 pixels with soft edges that differ."""
    return {
        str(number): {"jpg": png[number], "txt": b"a circle", "soft.png": as_png(MAP + np.uint8(number))}
        for number in range(4)
    }


def append(dataset: Dataset, corpus: Path, provided: tuple[str, ...]) -> Dataset:
    grown = append_plan(dataset.root, replace(find_corpus(str(corpus)), provided=provided))
    for name in grown.missing(IMAGES):
        ingest_shard(grown, name, threads=1, done=lambda _: None)
    return grown


def bomb() -> bytes:
    """A PNG of four hundred megapixels in a hundred bytes."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_corpus_with_conditions_is_its_text() -> None:
    corpus = Corpus("folder", "/data/a", image="x y", provided=("a=soft:x.png", "b=classes-from1:seg & masks"))
    assert Corpus.from_text(str(corpus)) == corpus
    assert Corpus.from_text(str(replace(corpus, provided=()))).provided == ()


def test_the_order_of_words_makes_no_other_corpus() -> None:
    assert parse(["b=soft:b.png", "a=soft:.a.png"]) == parse(["a=soft:a.png", "b=soft:b.png"])


WRONG = {
    "no field": ("gt=soft", "not of the form FAMILY=FORM:FIELD, as in gt_depth"),
    "no family": ("soft:x.png", "not of the form|odd characters"),
    "no such form": ("gt=depth:x.png", "no form 'depth'. There are binary.*depth-farther"),
    "a name of the layout": ("images=soft:x.png", "name of the layout"),
    "odd characters": ("../gt=soft:x.png", "odd characters"),
}


@pytest.mark.parametrize(("word", "says"), WRONG.values(), ids=WRONG)
def test_words_that_name_no_condition_are_refused(word: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse([word])


def test_a_family_is_named_once() -> None:
    with pytest.raises(ValueError, match="family gt is named twice"):
        parse(["gt=soft:x.png", "gt=soft:y.png"])


@pytest.mark.parametrize("shape", WRITERS)
def test_a_field_that_no_record_has_is_refused_before_anything_is_written(
    shape: str, records: dict, corpus: Write, ingest: Ingest, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"no record has sofd.png. Mend --provided gt=soft:sofd.png"):
        ingest(corpus(records, shape), provided=("gt=soft:sofd.png",))
    assert not (tmp_path / "dataset").exists()


def test_a_generated_corpus_brings_its_own(ingest: Ingest, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="brings its own conditions"):
        ingest("fill50k:20", provided=PROVIDED)
    assert not (tmp_path / "dataset").exists()


def test_a_resume_with_other_words_is_refused(records: dict, corpus: Write, ingest: Ingest) -> None:
    folder = corpus(records)
    dataset = ingest(folder, provided=PROVIDED)
    make_plan(dataset.root, replace(find_corpus(str(folder)), provided=PROVIDED))
    with pytest.raises(ValueError, match="another dataset is there: corpus is"):
        make_plan(dataset.root, find_corpus(str(folder)))


def test_a_later_corpus_brings_the_same_condition(records: dict, corpus: Write, ingest: Ingest, rows: Rows) -> None:
    dataset = ingest(corpus(records), provided=PROVIDED)
    grown = append(dataset, corpus(records, "parquet", "more"), PROVIDED)
    found = rows(grown, "gt")
    assert [row["key"] for row in found] == [row["key"] for row in rows(grown)]
    assert [int(decode("soft", row["condition"])[0, 0]) for row in found] == [0, 1, 2, 3] * 2


def test_rows_of_a_later_corpus_without_the_condition_fail_for_its_lack(
    records: dict, corpus: Write, ingest: Ingest
) -> None:
    dataset = ingest(corpus(records), provided=PROVIDED)
    grown = append(dataset, corpus(records, "tar", "more"), ())
    assert count_provided(grown, grown.shards()) == {"gt": {"ok": 4, "missing": 4}}
    build_index(grown)
    assert read_index(grown, "gt")["code"].to_pylist() == [""] * 4 + ["missing"] * 4
    assert grown.rows() == grown.rows("gt") == 8


@pytest.mark.parametrize(
    ("provided", "says"),
    [
        (("gt=soft:soft.png", "other=soft:soft.png"), "its rows come with gt, those of .* with other too"),
        (("gt=binary:soft.png",), "gt of its rows is {'form': 'soft'.*Name it alike"),
    ],
)
def test_a_later_corpus_with_more_or_other_conditions_is_refused(
    provided: tuple[str, ...], says: str, records: dict, corpus: Write, ingest: Ingest
) -> None:
    dataset = ingest(corpus(records), provided=PROVIDED)
    with pytest.raises(ValueError, match=says):
        append(dataset, corpus(records, "parquet", "more"), provided)
    assert len(dataset.corpora()) == 1


def test_photographs_may_join_a_generated_corpus(records: dict, corpus: Write, ingest: Ingest) -> None:
    grown = append(ingest("fill50k:20"), corpus(records), ())
    assert count_provided(grown, grown.shards()) == {"truth_edges": {"ok": 20, "missing": 4}}


def test_a_dataset_that_was_begun_without_stats_grows_without_them(ingest: Ingest) -> None:
    dataset = make_plan(ingest("fill50k:20").root, find_corpus("fill50k:20"))
    card = dataset.card("truth_edges")
    create_card(dataset.root, card.model_copy(update={"stats": {}}), refresh=True)
    for name in dataset.shards():
        dataset.path("truth_edges", name).unlink()
        dataset.path(IMAGES, name).unlink()
        ingest_shard(dataset, name, threads=0, done=lambda _: None)
    grown = append_plan(dataset.root, find_corpus("fill50k:30"))
    for name in grown.missing(IMAGES):
        ingest_shard(grown, name, threads=0, done=lambda _: None)
    build_index(grown)
    assert read_index(grown, "truth_edges").column_names == ["status", "code"]
    assert len(read_index(grown, "truth_edges")) == 30


def test_no_detector_makes_what_came_with_the_corpus(records: dict, corpus: Write, ingest: Ingest) -> None:
    dataset = ingest(corpus(records), provided=PROVIDED)
    with pytest.raises(ValueError, match="family gt: its conditions come with the corpus"):
        from_card(dataset.card("gt"))
    with pytest.raises(ValueError, match="Ingest a corpus that carries them, with --provided"):
        make_tasks(dataset, ["gt=provided"])


def test_hostile_conditions_fail_by_themselves_and_their_pictures_stay(
    records: dict, corpus: Write, ingest: Ingest, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = records["0"]
    spoilt = {
        "bomb": bomb(),
        "cut": sound["soft.png"][: len(sound["soft.png"]) // 2],
        "empty": b"",
        "html": b"<html>404",
        "endless": sound["soft.png"] + bytes(600_000),
    }
    folder = corpus(records | {name: {**sound, "soft.png": data} for name, data in spoilt.items()})
    (tmp_path / "elsewhere.png").write_bytes(sound["soft.png"])
    for name, target in {"link": "../elsewhere.png", "loop": "loop.soft.png", "device": "/dev/zero"}.items():
        (folder / f"{name}.jpg").write_bytes(sound["jpg"])
        (folder / f"{name}.txt").write_text(name)
        (folder / f"{name}.soft.png").symlink_to(target)
    monkeypatch.setattr(files, "MAX_BYTES", 500_000)  # else the test would need a file of a quarter gigabyte

    made = ingest(folder, provided=PROVIDED)

    assert made.rows(IMAGES) == len(rows(made, "gt")) == 12
    assert count_provided(made, made.shards())["gt"] == {
        "ok": 5,  # among them the link to a picture elsewhere
        "provided: Unusable: bomb": 1,
        "provided: Unusable: truncated": 1,
        "provided: Unusable: not_an_image": 2,
        "provided: Unusable: size": 1,
        "provided: Unusable: not_a_file": 1,
        "provided: Unusable: unreadable": 1,
    }


def test_a_members_link_in_a_tar_is_no_condition(records: dict, ingest: Ingest, rows: Rows, tmp_path: Path) -> None:
    path = WRITERS["tar"]({"0": records["0"]}, tmp_path / "corpus")
    with tarfile.open(path, "a") as archive:
        for name, data in {"1.jpg": records["1"]["jpg"], "1.txt": b"a circle"}.items():
            (tmp_path / "part").write_bytes(data)
            archive.add(tmp_path / "part", name)
        link = tarfile.TarInfo("1.soft.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert [row["code"] for row in rows(ingest(path, provided=PROVIDED), "gt")] == ["", "missing"]


def test_cells_of_every_kind_are_read_or_fail(png: list[bytes], ingest: Ingest, rows: Rows, tmp_path: Path) -> None:
    depth = np.tile(np.linspace(1, 2, 32), (32, 1))
    cells = [depth.tolist(), None, [], [[1.0], [2.0, 3.0]], [[float("nan")] * 32] * 32]
    columns = {"image": png[:5], "caption": ["a circle"] * 5}
    pq.write_table(
        pa.table({**columns, "depth": pa.array(cells, pa.list_(pa.list_(pa.float32())))}), tmp_path / "a.parquet"
    )
    found = rows(ingest(tmp_path / "a.parquet", provided=("gt=depth-farther:depth",)), "gt")
    assert [(row["status"], row["code"], row["error"]) for row in found] == [
        ("ok", "", ""),
        ("failed", "missing", ""),
        ("failed", "provided", "Unusable: shape"),
        ("failed", "provided", "Unusable: shape"),
        ("failed", "provided", "Unusable: holes"),
    ]
    assert np.allclose(decode("depth", found[0]["condition"]), 1 / depth, atol=1e-4)
