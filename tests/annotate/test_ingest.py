"""A bad record is one row in dropped/, with stage and reason; the others go on, and every record is counted."""

import io
import json
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from annotate.corpora import files
from annotate.corpora.format import OPTIONAL, Corpus
from annotate.corpus import find_corpus
from annotate.image import decode
from annotate.ingest import LONGEST_CAPTION, count_dropped, ingest_shard
from annotate.plan import make_plan
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES

Ingest = Callable[..., Dataset]
Rows = Callable[..., list[dict]]
Dropped = Callable[[Dataset], dict[str, str]]


def bomb() -> bytes:
    """A PNG of four hundred megapixels in a hundred bytes."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    sums = [struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks]
    body = [struct.pack(">I", len(data)) + name + data + crc for (name, data), crc in zip(chunks, sums, strict=True)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def thin() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (4000, 20)).save(target, "PNG")
    return target.getvalue()


def test_every_bad_file_of_a_folder_is_one_dropped_row(
    tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    pictures = {
        "good.png": png[0],
        "cut.png": png[1][: len(png[1]) // 2],
        "bomb.png": bomb(),
        "text.jpg": b"<html>404 Not Found</html>",
        "thin.png": thin(),
        "nothing.jpg": b"",
        "huge.png": png[2] + bytes(600_000),
        "silent.png": png[3],
        "blank.png": png[4],
        "latin.png": png[5],
        "endless.png": png[6],
    }
    for name, data in pictures.items():
        (corpus / name).write_bytes(data)
        (corpus / name).with_suffix(".txt").write_text("a circle")
    (corpus / "silent.txt").unlink()
    (corpus / "blank.txt").write_text(" \n\t")
    (corpus / "latin.txt").write_bytes("gr\u00fcner Kreis".encode("latin-1"))
    (corpus / "endless.txt").write_text("circle " * LONGEST_CAPTION)
    (corpus / "metadata.jsonl").write_text(
        "\n".join(json.dumps({"file_name": name, "note": 1}) for name in ("gone.png", "../secret.png", "/etc/passwd"))
    )
    (tmp_path / "secret.png").write_bytes(png[7])
    monkeypatch.setattr(files, "MAX_BYTES", 500_000)  # else the test would need a file of a quarter gigabyte

    made = ingest(corpus)

    assert dropped(made) == {
        "cut.png": "decode: truncated",
        "bomb.png": "decode: bomb",
        "text.jpg": "decode: not_an_image",
        "thin.png": "decode: size",
        "nothing.jpg": "decode: empty",
        "huge.png": "read: size",
        "silent.png": "caption: missing",
        "blank.png": "caption: missing",
        "latin.png": "caption: not_utf8",
        "endless.png": "caption: too_long",
        "gone.png": "read: missing",
        "../secret.png": "read: outside",
        "/etc/passwd": "read: outside",
    }
    assert made.rows(IMAGES) == 1
    assert count_dropped(made).total() == 13


def test_one_bad_line_of_a_table_spoils_its_own_picture_alone(
    tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped, rows: Rows
) -> None:
    (tmp_path / "corpus").mkdir()
    for name, data in zip("abc", png, strict=False):
        (tmp_path / "corpus" / f"{name}.png").write_bytes(data)
    lines = ["file_name,text", "a.png,ein roter Kreis", "b.png,ein grüner Kreis", "c.png,"]
    (tmp_path / "corpus" / "metadata.csv").write_bytes("\n".join(lines).encode("latin-1"))
    made = ingest(tmp_path / "corpus")
    assert dropped(made) == {"b.png": "caption: not_utf8", "c.png": "caption: missing"}
    assert [row["captions"] for row in rows(made)] == [["ein roter Kreis"]]


def test_a_file_whose_name_is_not_utf8_is_dropped(
    tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped
) -> None:
    (tmp_path / "corpus").mkdir()
    for name in (b"caf\xe9.png", b"tea.png"):
        (tmp_path / "corpus" / name.decode("utf-8", "surrogateescape")).write_bytes(png[0])
    (tmp_path / "corpus" / "tea.txt").write_text("a circle")
    made = ingest(tmp_path / "corpus")
    assert dropped(made) == {"caf\\udce9.png": "read: missing"}
    assert made.rows(IMAGES) == 1


HOSTILE = {
    "deep": ("[" * 100_000).encode(),
    "not json": b"{",
    "a number": b"1",
    "bytes": b"\xff\xfe",
    "surrogates": rb'{"url": "\ud800", "caption": "a circle", "odd\udfff": "\ud800"}',
    "beyond floats": b'{"caption": "a circle", "similarity": 1' + b"0" * 400 + b"}",
    "half a caption": rb'{"caption": "\ud800"}',
}


@pytest.mark.parametrize("about", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_sidecar_stops_nothing(
    about: bytes, tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped
) -> None:
    (tmp_path / "corpus").mkdir()
    for name, data in {"a.png": png[0], "a.json": about, "b.png": png[1], "b.txt": b"a circle"}.items():
        (tmp_path / "corpus" / name).write_bytes(data)
    made = ingest(tmp_path / "corpus")
    wanted = {"a.png": "caption: missing"} if b"a circle" not in about else {}
    assert dropped(made) == (wanted if about != HOSTILE["half a caption"] else {"a.png": "caption: not_utf8"})
    assert made.rows(IMAGES) == 2 - len(dropped(made))


@pytest.mark.parametrize("threads", [0, 2])
def test_however_deep_a_sidecar_nests_its_record_is_kept_or_dropped(
    threads: int, tmp_path: Path, png: list[bytes]
) -> None:
    (tmp_path / "corpus").mkdir()
    for depth in range(900, 1000):  # around the interpreter's limit, which reading and writing meet at different depths
        (tmp_path / "corpus" / f"{depth}.png").write_bytes(png[0])
        nested = "[" * depth + "]" * depth
        (tmp_path / "corpus" / f"{depth}.json").write_text(f'{{"caption": "a circle", "odd": {nested}}}')
    made = make_plan(tmp_path / "dataset", find_corpus(str(tmp_path / "corpus")))
    ingest_shard(made, "00-000000", threads=threads, done=lambda _: None)
    assert made.rows(IMAGES) + count_dropped(made).total() == 100
    assert set(count_dropped(made)) <= {"read: nested", "caption: missing"}


def test_a_tar_cut_short_loses_what_lies_behind_the_cut(
    tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped
) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for number, data in enumerate(png[:3]):
            for name, content in ((f"{number}.txt", b"a circle"), (f"{number}.png", data)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    (tmp_path / "corpus").mkdir()
    picture = whole.getvalue().index(png[1])
    (tmp_path / "corpus" / "0.tar").write_bytes(whole.getvalue()[: picture + 100])
    (tmp_path / "corpus" / "1.tar").write_bytes(b"no tar at all")
    (tmp_path / "corpus" / "2.tar").write_bytes(b"")

    made = ingest(tmp_path / "corpus")

    assert made.rows(IMAGES) == 1
    assert count_dropped(made) == {"read: archive": 3, "decode: truncated": 1}


def test_bad_cells_of_a_table_are_dropped(tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped) -> None:
    cells = [png[0], None, png[2][:200], png[3]]
    table = pa.table({"image": pa.array(cells, pa.binary()), "caption": ["a circle", "b", "c", None]})
    pq.write_table(table, tmp_path / "corpus.parquet")
    assert list(dropped(ingest(tmp_path / "corpus.parquet")).values()) == [
        "read: no_picture",
        "decode: truncated",
        "caption: missing",
    ]


def test_a_record_has_the_key_of_its_source_and_caption_and_its_stored_pixels_are_the_sources(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    (tmp_path / "corpus").mkdir()
    image = Image.open(io.BytesIO(png[0]))
    image.save(tmp_path / "corpus" / "a.bmp")
    (tmp_path / "corpus" / "a.txt").write_text("  a \n circle ")
    (tmp_path / "corpus" / "b.png").write_bytes(png[0])
    (tmp_path / "corpus" / "b.txt").write_text("a circle")
    converted, kept = rows(ingest(tmp_path / "corpus"))
    assert (converted["conversion"], kept["conversion"]) == ("format", "")
    assert converted["captions"] == kept["captions"] == ["a circle"]
    assert converted["key"] != kept["key"]
    assert kept["sha256"] == kept["stored_sha256"] != converted["sha256"] != converted["stored_sha256"]
    assert np.array_equal(decode(converted["image"]["bytes"]), decode(kept["image"]["bytes"]))


def test_pictures_without_captions_are_kept_where_that_is_allowed_and_it_is_recorded(
    tmp_path: Path, png: list[bytes], ingest: Ingest, dropped: Dropped, rows: Rows
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name, data in zip("abc", png, strict=False):
        (corpus / f"{name}.png").write_bytes(data)
    (corpus / "a.txt").write_text("a circle")
    (corpus / "b.txt").write_bytes("gr\u00fcner Kreis".encode("latin-1"))
    made = ingest(corpus, captions=OPTIONAL)
    assert dropped(made) == {"b.png": "caption: not_utf8"}  # what is wrong is not the same as what is missing
    assert sorted(row["captions"] for row in rows(made)) == [[], ["a circle"]]
    assert Corpus.from_text(made.corpora()[0]).captions == OPTIONAL
    with pytest.raises(ValueError, match=r"captions|corpus"):
        ingest(corpus)
    build_index(made)
    assert sorted(read_index(made, ROWS)["caption_length"].to_pylist()) == [0, 8]


def test_a_table_without_a_caption_column_is_refused_unless_that_is_allowed(
    tmp_path: Path, png: list[bytes], ingest: Ingest, rows: Rows
) -> None:
    pq.write_table(pa.table({"image": pa.array(png[:2]), "place": ["here", "there"]}), tmp_path / "pictures.parquet")
    with pytest.raises(ValueError, match=r"no caption column.*or --allow-no-captions"):
        ingest(tmp_path / "pictures.parquet")
    assert [row["captions"] for row in rows(ingest(tmp_path / "pictures.parquet", captions=OPTIONAL))] == [[], []]
