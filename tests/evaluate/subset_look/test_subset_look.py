"""A subset beside the whole: distances are those of scipy, sentences say what figures say, no page does harm."""

import re
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import sync_playwright
from scipy.stats import ks_2samp

from annotate.corpus import find_corpus
from annotate.image import encode_generated
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from evaluate.subset_look.bins import BINS, bins_of_numbers
from evaluate.subset_look.compare import ALL, DRAWN, Difference, Look, compare
from evaluate.subset_look.overlay import overlay, sparkline
from evaluate.subset_look.page import write_look
from evaluate.subset_look.words import in_words
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.footer import write_shard
from manifests.index import ROWS, build_index, read_index
from manifests.manifest import Manifest
from manifests.record import family_schema
from manifests.storage import publish
from manifests.subset import candidates, resolve
from tests.toy_run import annotate_edges

HARM = '<script>document.title = "caught"</script><img src="https://example.org/x.png" onerror="alert(1)">'
CHROMIUM = shutil.which("chromium")


def write_numbers(dataset: Dataset) -> None:
    """Sharpness is not known of every fifth row; flat is one for all; long has a long tail; grey is yes or no."""
    stats = {"sharpness": pa.float32(), "flat": pa.int32(), "long": pa.float64(), "grey": pa.bool_()}
    named = {name: str(kind) for name, kind in stats.items()}
    create_card(
        dataset.root, card := FamilyCard(family="quality", annotator="q", version=1, kind="scores", stats=named)
    )
    for name in dataset.shards():
        rows = []
        for key in dataset.read("images", name, ["key"])["key"].to_pylist():
            number = int(key, 16)
            known = number % 5 > 0
            row = {"key": key, "status": "ok" if known else "failed", "code": "", "error": "", "width": 1, "height": 1}
            values = {"sharpness": number % 1000 / 10, "flat": 3, "long": 10.0 ** (number % 7), "grey": number % 3 == 0}
            rows.append({**row, "stats": values if known else dict.fromkeys(values)})
        table = pa.Table.from_pylist(rows, schema=family_schema("scores", {}, stats))
        publish(partial(write_shard, table, card=card), dataset.path("quality", name))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Noise of two sizes, all under harmful captions, with edges and numbers."""
    home = tmp_path_factory.mktemp("look")
    rng = np.random.default_rng(0)
    (home / "corpus").mkdir()
    for number in range(60):
        side = 96 if number % 3 else 64
        picture = (rng.random((side, side, 3)) * rng.integers(20, 256)).astype(np.uint8)
        (home / f"corpus/{number:02d}.png").write_bytes(encode_generated(picture))
        (home / f"corpus/{number:02d}.txt").write_text(f"{HARM} {'x' * number} \x1b[31m")
    dataset = make_plan(home / "rooms", find_corpus(str(home / "corpus")))
    for name in dataset.missing("images"):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    annotate_edges(dataset, resolution=64)
    write_numbers(dataset)
    build_index(dataset)
    return dataset


def manifest(dataset: Dataset, **fields: object) -> Manifest:
    return Manifest(**{"dataset": dataset.root, "condition": "canny", "rows": 10, "base": "none", **fields})


def of(look: Look, column: str) -> Difference:
    return next(difference for difference in look.differences if difference.column == column)


def test_distances_and_quartiles_are_those_of_scipy_and_numpy(rooms: Dataset) -> None:
    asked = manifest(rooms, where="width > 64", rows=35)
    look = compare(rooms, asked)
    index = read_index(rooms, ROWS).to_pylist()
    train = [place for place, row in enumerate(index) if row["split"] == "train"]
    place_of = {row["key"]: place for place, row in enumerate(index)}
    drawn = [place_of[key] for key in resolve(asked).rows["key"].to_pylist()]
    assert look.rows == (len(train), len(candidates(rooms, "canny", "train", where="width > 64")), 35)
    sharpness = np.array(read_index(rooms, "quality")["sharpness"].to_pylist(), float)
    found = of(look, "quality.sharpness")
    whole, few = (sharpness[places][np.isfinite(sharpness[places])] for places in (train, drawn))
    assert found.distance == pytest.approx(ks_2samp(whole, few).statistic)
    assert found.spreads[DRAWN].quartiles == pytest.approx(np.quantile(few, (0.25, 0.5, 0.75)))
    assert found.spreads[ALL].missing == len(train) - len(whole) > 0
    assert [difference.distance for difference in look.differences] == sorted(
        [difference.distance for difference in look.differences], reverse=True
    )
    width = of(look, "width")
    assert width.distance == pytest.approx(np.mean([index[place]["width"] == 64 for place in train]))
    assert in_words(width).startswith("fewer narrow pictures: median width 96 against 96, 0 % below ")


def test_what_says_nothing_is_not_compared(rooms: Dataset) -> None:
    look = compare(rooms, manifest(rooms))
    columns = {difference.column for difference in look.differences}
    assert not columns & {"key", "cluster", "split", "row", "shard", "removed", "quality.code", "canny.status"}
    assert {"part", "captions", "canny.low"} <= set(look.constant)
    assert not columns & set(look.constant)


def test_categories_are_compared_by_their_shares(rooms: Dataset) -> None:
    asked = manifest(rooms, where="quality.status = 'ok' AND NOT grey")
    status = of(compare(rooms, asked), "quality.status")
    failed = status.bins.shares[ALL][status.bins.labels.index("failed")]
    assert status.distance == pytest.approx(failed)
    grey = of(compare(rooms, asked), "quality.grey")
    assert set(grey.bins.labels) == {"true", "false", "NULL"}
    assert in_words(grey).startswith("more rows whose quality.grey is false: 100 % against ")


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [
        (np.arange(300.0), False),
        (512 + 8.0 * (np.arange(500) % 97), False),
        (np.array([1.0, 2.0, 3.0, 3.0]), False),
        (np.geomspace(1e-3, 1e3, 500), True),
        (np.append(np.random.default_rng(0).random(1000), [1e6, -1e6]), False),
        (np.zeros(5), False),
        (np.array([7.0]), False),
        (np.array([0.1, 0.2]), False),
        (np.array([-1e300, 1e300]), False),
    ],
)
def test_no_value_is_lost_between_bins_and_tails(values: np.ndarray, logarithmic: bool) -> None:
    few = values[:2]
    bins = bins_of_numbers([values, few, few[:0]])
    assert bins.logarithmic == logarithmic
    assert 1 <= bins.counts.shape[1] <= BINS
    assert (np.diff(bins.edges) > 0).all()
    inside = bins.counts.sum(axis=1) + bins.below + bins.above
    assert inside.tolist() == [len(values), len(few), 0]
    assert "nan" not in overlay(bins, "values")
    assert len(sparkline(bins, ALL)) <= 20


def test_widths_in_steps_fill_their_bins_evenly() -> None:
    bins = bins_of_numbers([512 + 8.0 * np.arange(97)])
    assert len(set(bins.counts[0][:-1].tolist())) == 1, "no comb of bins with two steps beside bins with three"


def test_a_random_draw_of_everything_differs_by_nothing(rooms: Dataset) -> None:
    rows = len(candidates(rooms, "canny", "train"))
    look = compare(rooms, manifest(rooms, rows=rows))
    assert not [difference.column for difference in look.differences if difference.differs]
    assert "spread as in all rows" in in_words(of(look, "caption_length"))


def test_one_row_and_a_column_that_no_drawn_row_has_are_compared(rooms: Dataset) -> None:
    look = compare(rooms, manifest(rooms, rows=1, where="sharpness IS NULL"))
    sharpness = of(look, "quality.sharpness")
    assert sharpness.distance == 1
    assert (
        in_words(sharpness)
        == f"quality.sharpness is known of no drawn row, and of {sharpness.spreads[ALL].rows} in all"
    )


def test_a_family_that_is_not_whole_is_left_out(rooms: Dataset, tmp_path: Path) -> None:
    half = Dataset.open(shutil.copytree(rooms.root, tmp_path / "half"))
    (half.root / "index/quality.parquet").unlink()
    assert compare(half, manifest(half)).left_out == ("quality",)


@pytest.fixture(scope="module")
def page(rooms: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    asked = manifest(rooms, where="width > 64 AND sharpness < 80", rows=14)
    path = tmp_path_factory.mktemp("page") / "look.html"
    write_look(compare(rooms, asked), resolve(asked), asked, path, name=f"noise{HARM}")
    return path


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page_and_nothing_else_happens(page: Path, scheme: str) -> None:
    trouble: list[str] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 420, "height": 900}, color_scheme=scheme)
        shown.on("console", lambda said: trouble.append(said.text))
        shown.on("pageerror", lambda error: trouble.append(str(error)))
        shown.on("request", lambda asked: trouble.append(asked.url) if asked.url.startswith("http") else None)
        shown.goto(page.as_uri())
        assert not trouble
        assert "caught" not in shown.title().replace(HARM, "")
        assert shown.locator("script").count() == 0
        assert shown.locator(".examples figure").count() == 14
        images = shown.locator(".examples img")
        assert images.count() == 28
        assert all(images.nth(place).evaluate("image => image.complete && image.naturalWidth > 0") for place in (0, 27))
        assert HARM in " ".join(shown.locator(".examples q").first.text_content().split())
        assert shown.locator("article svg").count() == shown.locator("article").count() > 5
        overflow = shown.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, "a narrow window need not be scrolled sideways"
        browser.close()


def test_the_page_says_what_was_asked_for_and_what_was_kept_out(page: Path) -> None:
    text = page.read_text()
    assert "where: width &gt; 64 AND sharpness &lt; 80" in text
    assert "<code>width &gt; 64</code> keeps out" in text
    assert "because it is NULL" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
