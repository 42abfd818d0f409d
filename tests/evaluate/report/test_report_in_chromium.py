"""A report of a thousand samples in a real Chromium: used by mouse and keyboard, and nothing else happens."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page

from evaluate.report.report import write_report
from evaluate.scores import SCHEMA
from tests.evaluate.synthetic import write_evaluation

NASTY = "<script>alert(1)</script><img src=x onerror='alert(2)'></script> & a red ball"
SAMPLES, MADE = 1_000, 40
OWN = ("file:", "data:")


def tiled(table: pa.Table) -> pa.Table:
    """The rows again and again under other keys, as of so many samples."""
    copies = []
    for number in range(SAMPLES // MADE):
        keys = pa.array([f"{number:02d}-{key}" for key in table["key"].to_pylist()])
        copies.append(table.set_column(table.schema.get_field_index("key"), "key", keys))
    return pa.concat_tables(copies)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    write_evaluation(folder, samples=MADE, caption=NASTY)
    for path in (folder / "scores.parquet", folder / "pictures" / "000000.parquet"):
        table = pq.read_table(path)
        pq.write_table(tiled(table.cast(SCHEMA) if path.name == "scores.parquet" else table), path)
    keys = sorted(set(pq.read_table(folder / "scores.parquet", columns=["key"])["key"].to_pylist()))
    traits = {"key": keys, "canny.edge_density": np.linspace(0, 1, SAMPLES), "part": [0] * SAMPLES}
    pq.write_table(pa.table(traits), folder / "traits.parquet")
    return write_report(folder)


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report, opened; whatever it complains of or asks of anybody fails the test."""
    context, trouble = browser.new_context(viewport={"width": 1280, "height": 900}), []
    opened = context.new_page()
    opened.on("console", lambda message: trouble.append(message.text))
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    opened.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else trouble.append(request.url)
    )
    opened.goto(report.as_uri())
    yield opened
    context.close()
    assert trouble == []


def test_a_thousand_samples_open_within_five_seconds(browser: Browser, report: Path) -> None:
    opened, started = browser.new_page(), time.perf_counter()
    opened.goto(report.as_uri())
    assert opened.locator("#found").inner_text() == f"{SAMPLES} of {SAMPLES} samples"
    assert time.perf_counter() - started < 5
    opened.close()


def test_captions_are_read_and_never_run(page: Page) -> None:
    assert page.locator(".sample q").first.inner_text() == NASTY
    page.locator(".card").first.click()
    assert page.locator("#zoom-caption").inner_text() == NASTY
    assert page.locator("script").count() == 2


def test_samples_are_sorted_and_filtered_by_keyboard(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("no such words")
    assert page.locator("#found").inner_text() == f"0 of {SAMPLES} samples"
    page.locator("#words").fill("")
    page.locator("#order").select_option("canny.edge_density")
    page.locator("#least").fill("0.5")
    assert page.locator("#found").inner_text() == f"{SAMPLES // 2} of {SAMPLES} samples"
    assert page.locator(".card").count() == 60
    page.locator("#more").press("Enter")
    assert page.locator(".card").count() == 120
    page.locator("#direction").select_option("down")
    assert page.locator(".card b").first.inner_text() == "1.00"


def test_the_worst_sample_is_found_and_looked_at_without_a_mouse(page: Page) -> None:
    page.locator(".card").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("[...document.querySelectorAll('.card')].indexOf(document.activeElement)") == 1
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    shown = page.locator("#zoom-rows")
    worst = page.locator(".card b").first.inner_text()
    assert f"f1_1px\t{worst}" in shown.inner_text()
    before = shown.inner_text()
    page.keyboard.press("ArrowRight")
    assert shown.inner_text() != before
    page.keyboard.press("Escape")
    assert not page.locator("#zoom").is_visible()


def test_a_picture_of_a_gallery_is_enlarged(page: Page) -> None:
    picture = page.locator(".pictures .sample img").nth(4)
    picture.focus()
    page.keyboard.press("Enter")
    assert page.locator("#zoomed").get_attribute("src") == picture.get_attribute("src")
    assert page.locator("#zoomed").bounding_box()["width"] > 2 * picture.bounding_box()["width"]


def test_a_printed_report_holds_its_numbers_and_not_its_controls(page: Page) -> None:
    page.emulate_media(media="print")
    assert page.locator("table.measures").first.is_visible()
    assert not page.locator("#every").is_visible()
