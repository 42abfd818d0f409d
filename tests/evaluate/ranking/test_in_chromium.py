"""What a rater does with the page, done in a real Chromium, offline; and nothing else happens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from evaluate.ranking.analysis import analyse
from evaluate.ranking.key import Key
from evaluate.ranking.rankings import rankings
from evaluate.ranking.votes import read_ballots
from tests.evaluate.ranking.conftest import CAPTION

Exported = tuple[Path, Key]


def open_page(context: BrowserContext, folder: Path, trouble: list[str]) -> Page:
    """Open the page from the disk; requests and complaints are noted."""
    page = context.new_page()
    page.on("request", lambda request: request.url.startswith("http") and trouble.append(request.url))
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.goto((folder / "page.html").as_uri())
    return page


@pytest.fixture
def page(browser: Browser, exported: Exported) -> Iterator[Page]:
    """A page that nobody used before; whatever it complains of fails the test."""
    context, trouble = browser.new_context(offline=True), list[str]()
    yield open_page(context, exported[0], trouble)
    context.close()
    assert trouble == []


def begin(page: Page, rater: str) -> None:
    expect(page.locator("#rater")).to_be_focused()  # Chromium gives autofocus with a frame, after the page has loaded
    page.keyboard.type(rater)
    page.keyboard.press("Enter")


def rank_all(page: Page, keys: str) -> None:
    """Answer every question by the same keys."""
    while page.locator("#end").is_hidden():
        page.keyboard.type(keys)
        page.keyboard.press("Enter")


def save(page: Page, path: Path) -> dict:
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    saved.value.save_as(path)
    return json.loads(path.read_text())


def test_the_keyboard_alone_leads_to_votes_that_can_be_counted(page: Page, exported: Exported, tmp_path: Path) -> None:
    begin(page, "Ann")
    rank_all(page, "312")
    votes = save(page, tmp_path / "ann.json")
    assert page.locator("#saved").inner_text().startswith(f"Saved as votes-{exported[1].page}-Ann.json")
    assert len(votes["answers"]) == (4 + 2) * 2
    for answer in votes["answers"]:
        assert [answer["ranks"][stored] for stored in answer["shown"]] == [2, 3, 1], "from left to right"
    ballots = read_ballots([tmp_path / "ann.json"], exported[1])
    analysis = analyse(ballots, exported[1])
    assert [verdict.answers for verdict in analysis.verdicts] == [4, 4]
    assert analysis.raters[0].asked == analysis.raters[0].answers


def test_who_looks_for_sharp_pictures_finds_the_good_run(page: Page, exported: Exported, tmp_path: Path) -> None:
    begin(page, "Sharp")
    weight = "images => images.map(image => image.src.length)"  # of one scene, the sharper the longer
    while page.locator("#end").is_hidden():
        lengths = page.eval_on_selector_all("#pictures img", weight)
        for place in sorted(range(3), key=lambda number: -lengths[number]):
            page.locator("#pictures button").nth(place).click()
        page.locator("#next").click()
    save(page, tmp_path / "sharp.json")
    found = rankings(read_ballots([tmp_path / "sharp.json"], exported[1]), exported[1], "fidelity")
    assert found.ranks.mean(axis=0).argmin() == 2, "good-run, the third"


def test_arrows_and_space_rank_too_and_backspace_takes_back(page: Page) -> None:
    begin(page, "Ann")
    ranks = page.locator("#pictures .rank")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert ranks.all_inner_texts() == ["2", "1", ""]
    page.keyboard.press("Backspace")
    page.keyboard.press("3")
    assert ranks.all_inner_texts() == ["", "1", "2"]
    page.keyboard.press("2")
    assert ranks.all_inner_texts() == ["", "", "1"], "those behind move up"


def test_nothing_goes_on_before_all_are_ranked(page: Page) -> None:
    begin(page, "Ann")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    assert page.locator("#next").is_disabled()
    assert "question 1 of 2" in page.locator("#where").text_content()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    assert "question 2 of 2" in page.locator("#where").text_content()


def test_an_answer_can_be_looked_at_again_and_changed(page: Page, tmp_path: Path) -> None:
    begin(page, "Ann")
    rank_all(page, "123")
    page.locator("#review").click()
    assert page.locator("#pictures .rank").all_inner_texts() == ["1", "2", "3"]
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type("32")
    page.keyboard.press("Enter")
    last = save(page, tmp_path / "ann.json")["answers"][-1]
    assert [last["ranks"][stored] for stored in last["shown"]] == [1, 3, 2]


def test_a_rater_goes_on_where_they_left(browser: Browser, exported: Exported) -> None:
    context, trouble = browser.new_context(offline=True), list[str]()
    page = open_page(context, exported[0], trouble)
    where = page.locator("#where")
    begin(page, "Ann")
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(where).to_have_text("Sample 1 of 6 · question 2 of 2", ignore_case=True)
    page.wait_for_timeout(1000)  # Chromium hands what a page stores to another process: on its way it may be lost
    page.reload()
    begin(page, "Ann")
    expect(where).to_have_text("Sample 1 of 6 · question 2 of 2", ignore_case=True)
    page.reload()
    begin(page, "Ben")
    expect(where).to_have_text("Sample 1 of 6 · question 1 of 2", ignore_case=True)
    context.close()
    assert trouble == []


def test_the_order_is_each_raters_own_and_the_same_again(browser: Browser, exported: Exported, tmp_path: Path) -> None:
    orders = []
    for place, rater in enumerate(("Ann", "Ann", "Ben", "Cid")):
        context = browser.new_context(offline=True)
        begin(page := open_page(context, exported[0], []), rater)
        rank_all(page, "123")
        votes = save(page, tmp_path / f"{place}.json")["answers"]
        orders.append([(answer["sample"], answer["repeat"], *answer["shown"]) for answer in votes])
        context.close()
    assert orders[0] == orders[1]
    assert len({str(order) for order in orders}) == 3
    for order in orders:
        first, again = order[:8:2], order[8::2]
        assert sorted(sample for sample, *_ in first) == [0, 1, 2, 3]
        assert [(sample, repeat) for sample, repeat, *_ in again] == [(first[0][0], True), (first[1][0], True)]


def test_pictures_are_told_by_their_place_alone(page: Page) -> None:
    begin(page, "Ann")
    buttons = page.locator("#pictures button")
    labels = buttons.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert labels == [f"picture {number}, not ranked" for number in (1, 2, 3)]
    assert set(page.locator("#pictures img").evaluate_all("all => all.map(one => one.alt)")) == {""}
    sizes = "all => Promise.all(all.map(one => one.decode().then(() => [one.naturalWidth, one.naturalHeight].join())))"
    assert set(page.locator("#pictures img").evaluate_all(sizes)) == {"128,128"}
    assert set(page.locator("#pictures img").evaluate_all("all => all.map(one => one.src.slice(0, 23))")) == {
        "data:image/webp;base64,"
    }


def test_a_script_in_a_caption_is_words(page: Page) -> None:
    begin(page, "Ann")
    assert page.locator("#caption").inner_text() == CAPTION
    assert page.title() == "Rank pictures"
    assert page.evaluate("document.querySelectorAll('script').length") == 2, "the data, and the page's own"


def test_another_script_would_not_run(browser: Browser, exported: Exported) -> None:
    page = browser.new_page()
    page.goto((exported[0] / "page.html").as_uri())
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            """() => { const script = document.createElement('script'); script.textContent = 'window.ran = 1';
            document.body.append(script) }"""
        )
    assert page.evaluate("window.ran") is None
    page.close()


def test_without_storage_the_page_works_and_says_to_save(browser: Browser, exported: Exported, tmp_path: Path) -> None:
    context, trouble = browser.new_context(offline=True), list[str]()
    context.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden') }})")
    begin(page := open_page(context, exported[0], trouble), "Ann")
    rank_all(page, "123")
    assert "This browser keeps nothing" in page.locator("#saved").inner_text()
    assert len(save(page, tmp_path / "ann.json")["answers"]) == 12
    context.close()
    assert trouble == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_nothing_runs_over_the_edge(browser: Browser, exported: Exported, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page = open_page(context, exported[0], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    begin(page, "Ann")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
