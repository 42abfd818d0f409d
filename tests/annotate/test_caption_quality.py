"""What is wrong with a caption is a number; what is only foreign is not wrong."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from annotate.caption_quality import CaptionQuality, judge
from annotate.corpora.format import OPTIONAL
from annotate.mojibake import misread
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.dataset import Dataset

HEALTHY = [
    "a man on a horse",
    "Straße, Über, naïve — “quoted”, l’été",
    "CAFÉ” is déjà… voilà’ NÃO, IRMÃ; Ålesund",
    "猫がソファで寝ている",
    "Привет, мир",
    "مرحبا بالعالم",
    "हिन्दी में",
    "½ of it at 20 °C ± 1, 5 µm, © 2019",
    "family 👨‍👩‍👧 at the sea 🌊",
]
FOREIGN = [
    "café con leche",
    "it’s a “dog” – or not…",
    "Привет, мир",
    "猫がソファで",
    "smile 😀",
    "Ünïcödé straße",
    "Ελλάδα",
]


@pytest.mark.parametrize("caption", HEALTHY)
def test_a_healthy_caption_in_any_language_has_no_odd_characters(caption: str) -> None:
    assert judge(caption)["odd"] == 0


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("caption", FOREIGN)
def test_utf_8_read_in_another_encoding_is_odd(caption: str, encoding: str) -> None:
    wrong = "".join(bytes([byte]).decode(encoding, "replace") for byte in caption.encode())
    assert judge(wrong)["odd"] >= sum(ord(letter) > 127 for letter in caption) / len(wrong)
    assert misread(caption) == 0


@pytest.mark.parametrize("caption", ["lost \ufffd here", "bell \x07", "private \ue000", "half a pair \ud83d"])
def test_characters_that_say_nothing_are_odd(caption: str) -> None:
    assert judge(caption)["odd"] == pytest.approx(1 / len(caption))


def test_scripts_capitals_and_repetitions_are_shares() -> None:
    assert judge("buy buy BUY")["repeated"] == pytest.approx(2 / 3)
    assert judge("buy buy BUY")["capitals"] == pytest.approx(3 / 9)
    assert judge("cat кот")["latin"] == 0.5
    assert judge("猫")["latin"] == 0
    assert judge("1234 !")["latin"] is None
    assert judge("it's a black-and-white cat")["words"] == 4


@pytest.mark.parametrize(
    ("caption", "stat", "count"),
    [
        ("see https://a.b/c?d=e&f and www.cats.org", "urls", 2),
        ("from wallpapers.com", "urls", 1),
        ("e.g. a cat.", "urls", 0),
        ("<b>cat</b> &amp; dog<br/>", "tags", 4),
        ("x < y and y > z; AT&T", "tags", 0),
        ("IMG_1234", "file_names", 1),
        ("DSC00123 and red-cat.JPG", "file_names", 2),
        ("image of 12 cats", "file_names", 0),
    ],
)
def test_addresses_markup_and_file_names_are_counted(caption: str, stat: str, count: int) -> None:
    assert judge(caption)[stat] == count


@pytest.mark.parametrize("piece", ["a-", "<a ", "&#", "é…", "www.", "ab ", "Ã"])
def test_a_huge_caption_takes_no_longer_than_its_length_asks(piece: str) -> None:
    began = time.process_time()
    assert judge(piece * 50_000)["characters"] > 0
    assert time.process_time() - began < 2


def test_of_several_captions_the_first_counts_and_no_caption_is_empty(
    tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset], rows: Callable[..., list]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, picture in enumerate(png[:2]):
        (corpus / f"{number}.png").write_bytes(picture)
    (corpus / "1.txt").write_text("a circle")
    dataset = ingest(corpus, captions=OPTIONAL)
    tasks = make_tasks(dataset, ["caption_quality"])
    (name,) = dataset.shards()
    annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=2, threads=1, done=lambda _: None)
    for image, row in zip(rows(dataset), rows(dataset, "caption_quality"), strict=True):
        assert row["status"] == ("ok" if image["captions"] else "empty")
        assert row["stats"]["characters"] == sum(map(len, image["captions"]))
        assert set(row["stats"]) == set(CaptionQuality.stats)
        assert (row["width"], row["height"]) == (128, 128)
