"""Whatever is planted in a dataset is found on its contact sheet, which a browser shows without a word of complaint."""

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from evaluate.selection import select_rows
from evaluate.sheet.clusters import differences
from evaluate.sheet.groups import EXAMPLES, columns_of, laid_out
from evaluate.sheet.page import write_sheet
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, index_path
from manifests.removed import remove_pictures
from manifests.storage import read_table
from tests.evaluate.planted import FAILED, HARM, NO_VALUE, TWINS, density, plant

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return plant(tmp_path_factory.mktemp("planted") / "discs")


@pytest.fixture(scope="module")
def sheet(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(write_sheet(dataset, tmp_path_factory.mktemp("sheet") / "sheet.html", rows=10))


@pytest.fixture(scope="module")
def page(sheet: Path) -> Iterator[Page]:
    """The sheet in a browser, with what it complained of and what it asked for."""
    if not CHROMIUM:
        pytest.skip("no chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1400, "height": 900})
        shown.said, shown.asked = [], []
        shown.on("console", lambda message: shown.said.append(message.text))
        shown.on("pageerror", lambda error: shown.said.append(str(error)))
        shown.on("dialog", lambda dialog: (shown.said.append(dialog.message), dialog.dismiss()))
        shown.on("request", lambda request: shown.asked.append(request.url))
        shown.goto(sheet.as_uri())
        yield shown
        browser.close()


def headings(page: str) -> dict[str, str]:
    """Title of each group → what stands beside it."""
    found = re.findall(r"<h3>(.*?) <small[^>]*>(.*?)</small></h3>", page)
    return {unescape(title): unescape(note) for title, note in found}


def test_every_code_of_failure_is_counted_and_has_examples_with_their_picture(sheet: Path, page: Page) -> None:
    found = headings(sheet.read_text())
    assert found["canny: failed, decode"] == "2 rows, 5 %"
    assert found["canny: failed, annotate"] == "1 rows, 2.5 %"
    assert found["canny: empty"] == "2 rows, 5 %"
    failed = page.locator("section", has=page.locator("#failed")).locator("article")
    assert failed.count() == len(FAILED)
    for article in failed.all():
        assert article.locator('img[alt="picture"]').count() == 1
        assert "canny failed: " in article.inner_text()


def test_the_largest_cluster_is_shown_with_the_words_that_differ(page: Page) -> None:
    section = page.locator("section", has=page.locator("#duplicates"))
    assert "3 rows, 2 different captions" in section.inner_text()
    assert section.locator("img").count() == len(TWINS)
    assert section.locator("mark").all_inner_texts() == ["blue"]
    assert section.get_by_text("stands for the cluster").count() == 1


def test_numbers_without_a_picture_stand_under_the_picture_and_show_their_extremes(sheet: Path, page: Page) -> None:
    assert re.search(r"<b>quality</b> sharpness \d+, sides 48", sheet.read_text())
    section = page.locator("section", has=page.locator("#by-quality-sharpness")).inner_text()
    assert f"{len(NO_VALUE)} rows (5 %) have no value" in section
    assert page.locator("#by-quality-sides").count() == 0  # all rows have as many


def test_a_browser_shows_it_without_a_word_and_asks_for_nothing_else(sheet: Path, page: Page) -> None:
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    assert page.said == []
    assert [url for url in page.asked if not url.startswith("data:")] == [sheet.as_uri()]
    assert page.evaluate("() => document.scripts.length") == 0
    assert page.get_by_text(HARM).count() > 0


def test_every_picture_opens_and_nothing_is_wider_than_the_page(page: Page) -> None:
    assert page.evaluate("""async () => {
        const pictures = [...document.images];
        await Promise.all(pictures.map(picture => { picture.loading = "eager"; return picture.decode() }));
        return pictures.every(picture => picture.naturalWidth > 0) && pictures.length > 20;
    }""")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_reaches_the_pictures_and_every_line_of_the_contents_leads_somewhere(page: Page) -> None:
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0) }")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#random")
    lines = page.locator("nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert {"#families", "#random", "#failed", "#empty", "#duplicates", "#by-canny-edge_density"} <= set(lines)
    assert all(page.locator(line).count() == 1 for line in lines)


def test_rows_of_a_stratum_lie_in_its_range(dataset: Dataset) -> None:
    selection = select_rows(dataset)
    section = laid_out(selection, selection.column("edge_density"), 10)
    assert section is not None
    strata = section.groups[1:-1]
    assert len(strata) == 5
    for group in strata:
        low, high = (float(number) for number in re.findall(r"[\d.]+", group.title))
        assert all(low <= density(place) <= high for place in group.rows)
        assert 1 <= len(group.rows) <= 2
    assert not {place for group in section.groups for place in group.rows} & set(FAILED)


def test_columns_are_those_asked_for_or_what_families_choose(dataset: Dataset) -> None:
    selection = select_rows(dataset)
    assert [column.title for column in columns_of(selection, [])] == [
        "canny.edge_density",
        "quality.sharpness",
        "quality.sides",
    ]
    assert [column.title for column in columns_of(selection, ["split", "canny.edge_density", "split"])] == [
        "split",
        "canny.edge_density",
    ]


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("edge_densty", r"no such column .* Did you mean 'canny.edge_density'\?"),
        ("canny.sharpness", r"Did you mean 'quality.sharpness'"),
        ("hed.x", "no such column"),
        ("status", "canny, quality have it. Name one of them: --by canny.status"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_the_near_one(
    dataset: Dataset, tmp_path: Path, by: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        write_sheet(dataset, tmp_path / "sheet.html", rows=2, by=[by])


def test_where_leaves_rows_out_and_compares_them_with_all(dataset: Dataset, tmp_path: Path) -> None:
    page = write_sheet(dataset, tmp_path / "s.html", rows=50, by=["split"], where="edge_density > 0.2").read_text()
    assert "19 <span" in page.replace("\n", " ")
    assert "of those selected" in page
    assert not re.search(r"disc (?:[0-9]|1[0-9]|20) ", page)
    with pytest.raises(ValueError, match=r"keeps none of 40 rows\. Widen it"):
        write_sheet(dataset, tmp_path / "s.html", rows=2, where="sharpness > 1e9")
    with pytest.raises(ValueError, match="holds a subquery"):
        write_sheet(dataset, tmp_path / "s.html", rows=2, where="(SELECT true)")


def test_the_same_dataset_gives_the_same_bytes(dataset: Dataset, sheet: Path, tmp_path: Path) -> None:
    again = write_sheet(dataset, tmp_path / "again.html", rows=10)
    assert again.read_bytes() == sheet.read_bytes()
    twin = plant(tmp_path / "discs")
    assert write_sheet(twin, tmp_path / "twin.html", rows=10).read_bytes() == sheet.read_bytes()


def test_a_half_made_family_is_named_and_its_licence_too(sheet: Path) -> None:
    page = sheet.read_text()
    assert "1 of 2 shards are missing" in page
    assert "net.pth: <b>CC-BY-NC-4.0</b>" in page


def test_one_row_is_a_dataset(tmp_path: Path) -> None:
    page = write_sheet(plant(tmp_path / "one", 1), tmp_path / "sheet.html", rows=12).read_text()
    assert "1 of 1 rows" in page
    assert 'id="duplicates"' not in page


def test_a_family_that_failed_throughout_has_no_strata_and_all_its_codes(tmp_path: Path) -> None:
    broken = plant(tmp_path / "broken", failing=lambda row: f"code{row % 3}")
    page = write_sheet(broken, tmp_path / "sheet.html", rows=4).read_text()
    assert "no row has a value" in page
    assert 'id="by-canny-edge_density"' not in page
    codes = {title: note for title, note in headings(page).items() if "failed" in title}
    assert codes == {
        "canny: failed, code0": "14 rows, 35 %",
        "canny: failed, code1": "13 rows, 32 %",
        "canny: failed, code2": "13 rows, 32 %",
    }
    assert page.split('id="failed"')[1].split("</section>")[0].count("<article") == 3 * EXAMPLES


def test_a_picture_that_does_not_open_is_said_so(tmp_path: Path) -> None:
    page = write_sheet(plant(tmp_path / "bad", 3, damaged=[1]), tmp_path / "sheet.html", rows=3).read_text()
    assert "the picture does not open" in page


def test_what_was_taken_down_is_not_shown_even_before_the_index_says_so(tmp_path: Path) -> None:
    discs = plant(tmp_path / "discs", 3)
    gone = read_table(index_path(discs, ROWS))["picture"][1].as_py()
    remove_pictures(discs, [gone], "asked for")
    page = write_sheet(discs, tmp_path / "sheet.html", rows=3).read_text()
    assert "disc 1 " not in page
    assert "disc 2 " in page
    build_index(discs)
    assert write_sheet(discs, tmp_path / "again.html", rows=3).read_text() == page


def test_captions_are_compared_word_by_word() -> None:
    captions = ["a red ball", "a blue ball", "a red ball in the rain", "quite another thing it is"]
    assert differences(captions)[1:] == [
        (("a ", False), ("blue", True), (" ball", False)),
        (("a red ball", False), (" ", False), ("in the rain", True)),
        (("quite another thing it is", False),),
    ]
