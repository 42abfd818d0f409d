"""What a person does with the pages, done in a real Chromium: filter, look, copy; and nothing else happens."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page

from evaluate.browse.app import make_app
from manifests.dataset import Dataset
from manifests.manifest import load_manifest
from manifests.subset import resolve
from tests.evaluate.browse.conftest import SCRIPT


@pytest.fixture(scope="module")
def address(dataset: Dataset) -> Iterator[str]:
    """Of a server on a free port of this machine."""
    config = uvicorn.Config(make_app(dataset), host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with config.bind_socket() as socket:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def complain(trouble: list[str], message: ConsoleMessage) -> None:
    """Note an error of the console; that a filter is refused is one to Chromium, and none to us."""
    if message.type == "error" and "status of 422" not in message.text:
        trouble.append(message.text)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that may go nowhere else; whatever it complains of fails the test."""
    context = browser.new_context(base_url=address, permissions=["clipboard-read", "clipboard-write"])
    opened, trouble = context.new_page(), []
    context.route(
        lambda url: not url.startswith(address), lambda route: (trouble.append(route.request.url), route.abort())
    )
    opened.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    said = partial(complain, trouble)
    opened.on("console", said)
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.goto("/")
    yield opened
    context.close()
    assert trouble == []


def test_a_filter_is_typed_and_the_address_holds_it(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("canny.edge_density > 0.018")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?where=canny.edge_density+%3E+0.018")
    kept = page.locator("h1 b").inner_text()
    assert 0 < int(kept) < 39
    assert page.locator("article.card").count() == min(24, int(kept))
    page.select_option("select[name=condition]", "canny")
    page.wait_for_url("**condition=canny*")
    assert "train rows a manifest would have" in page.locator(".would").inner_text()
    page.go_back()
    assert page.locator(".would").count() == 0
    assert page.locator("#where").input_value() == "canny.edge_density > 0.018"
    again = page.context.new_page()
    again.goto(page.url)
    assert again.locator("h1 b").inner_text() == kept


def test_a_wrong_filter_is_explained_beneath_it_and_mended_by_a_click(page: Page) -> None:
    with page.expect_response(lambda answer: answer.status == 422):
        page.fill("#where", "edge_densty > 0")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?where=*")
    above, beneath = page.locator("#where").bounding_box(), page.locator("[role=alert]").bounding_box()
    assert beneath["y"] > above["y"]
    page.get_by_text("Use it").click()
    assert page.locator("h1 b").inner_text() == "37", "all but the empty and the failed one"


def test_every_picture_arrives(page: Page) -> None:
    page.goto("/?size=48&show=&show=canny")
    width = "async image => { image.loading = 'eager'; await image.decode(); return image.naturalWidth }"
    widths = page.eval_on_selector_all("main img", f"images => Promise.all(images.map({width}))")
    assert len(widths) == 39 + 38, "a picture for each row, and for each an edge map but the one that failed"
    assert set(widths) == {128}


def test_a_script_in_a_caption_is_words(page: Page) -> None:
    page.goto("/?show=&show=words")
    assert page.get_by_text(SCRIPT).count() == 2, "the corpus's caption and the family's words"
    assert page.get_by_text(SCRIPT).first.is_visible()
    page.goto("/row/00-000000/5")
    assert page.get_by_text(SCRIPT).first.is_visible()
    page.goto("/row/00-000000/6")
    assert page.locator("[onmouseover], [onload]").count() == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 1


def test_an_inline_script_would_not_run(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address)
    page.goto("/")
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            """() => { const script = document.createElement('script'); script.textContent = 'window.ran = 1';
            document.body.append(script) }"""
        )
    assert page.evaluate("window.ran") is None
    page.close()


def test_a_path_that_leads_out_is_not_found(page: Page) -> None:
    for path in ("/picture/small/../../dataset.json", "/picture/small/images/..%2fx/0", "/static/%2e%2e/app.py"):
        assert page.request.get(path).status in (404, 422), path


def test_keys_walk_through_rows_and_pages(page: Page) -> None:
    page.goto("/?size=12")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    focused = "document.activeElement.getAttribute('href')"
    assert page.evaluate(focused).startswith("/row/00-000000/0?")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=2*")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: "page=" not in url)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/row/00-000000/0?*")
    page.keyboard.press("j")
    page.wait_for_url("**/row/00-000000/1?*")
    page.keyboard.press("Escape")
    page.wait_for_url("**/?size=12")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "where"
    page.keyboard.type("j")
    assert page.locator("#where").input_value() == "j"


def test_a_bar_of_a_chart_goes_into_the_filter(page: Page) -> None:
    chart = page.locator(".chart", has=page.locator(".name", has_text="canny.edge_density"))
    chart.locator("svg a").nth(2).dispatch_event("click")
    page.wait_for_url("**/?where=*")
    first = page.locator("#where").input_value()
    assert first.startswith("canny.edge_density >= ")
    chart.locator("svg a").nth(3).dispatch_event("click")
    page.wait_for_function("first => document.getElementById('where').value !== first", arg=first)
    assert page.locator("#where").input_value().count("edge_density >= ") == 1


def test_the_filter_is_copied_as_a_manifest_that_draws(page: Page, tmp_path: Path) -> None:
    page.goto("/?where=canny.edge_density+>+0.01&condition=canny")
    found = int(page.locator(".would b").inner_text())
    page.locator(".would a").click()
    page.locator("[data-copy='#yaml']").click()
    page.get_by_text("Copied").wait_for()
    (tmp_path / "manifest.yaml").write_text(page.evaluate("navigator.clipboard.readText()"))
    assert len(resolve(load_manifest(tmp_path / "manifest.yaml")).rows) == found
    page.fill("input[name=rows]", "5")
    page.keyboard.press("Enter")
    page.wait_for_url("**rows=5*")
    with page.expect_download() as saved:
        page.get_by_text("Save").click()
    saved.value.save_as(tmp_path / "five.yaml")
    assert len(resolve(load_manifest(tmp_path / "five.yaml")).rows) == 5


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_nothing_runs_over_the_edge(browser: Browser, address: str, width: int, scheme: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=address)
    page = context.new_page()
    for path in ("/", "/failures", "/clusters", "/manifest?condition=canny", "/row/00-000000/7"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 31)"}[scheme]
    context.close()
