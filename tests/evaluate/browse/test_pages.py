"""The pages say of a dataset what its index and its manifests say, and nothing in a caption is more than text."""

import html
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from starlette.datastructures import QueryParams
from starlette.testclient import TestClient

from evaluate.browse.app import make_app, replaced
from evaluate.browse.held import hold
from evaluate.browse.search import Search
from evaluate.browse.state import State, both, read_state
from manifests.dataset import Dataset
from manifests.index import ROWS, build_index, read_index
from manifests.manifest import load_manifest
from manifests.removed import remove_pictures
from manifests.subset import resolve
from manifests.where import select
from tests.evaluate.browse.conftest import COPY, FAILED, OF, QUOTES, REMOVED, ROOMS, SCRIPT, make

SHOWN = ROOMS - 1  # one was taken down
ORDER = {"condition": "canny", "order": "draw", "size": 100}


def keys(page: str) -> list[str]:
    return re.findall(r'aria-label="Open row (\w{16})"', page)


def tables(dataset: Dataset) -> dict:
    return {name: read_index(dataset, name) for name in (ROWS, "canny", "phash", "words")}


@pytest.mark.parametrize(
    "where",
    [
        "canny.edge_density BETWEEN 0.01 AND 0.03",
        "caption_length > 25 OR canny.status <> 'ok'",
        "canny.edge_density IS NULL -- those that failed",
        "CANNY.EDGE_DENSITY > 0.02 AND shard < '02'",
        "words.length < 100",
    ],
)
def test_a_page_has_the_rows_that_where_selects(dataset: Dataset, client: TestClient, where: str) -> None:
    found = tables(dataset)
    kept = select(where, found)
    kept[REMOVED] = False
    page = client.get("/", params={"where": where, "size": 100}).text
    assert keys(page) == np.array(found[ROWS]["key"].to_pylist())[kept].tolist()
    assert f"<b>{kept.sum()}</b> of {SHOWN} rows" in page


def test_pages_follow_one_another_without_a_row_twice_or_lost(client: TestClient) -> None:
    found = [key for page in range(1, 5) for key in keys(client.get("/", params={"size": 12, "page": page}).text)]
    assert len(found) == len(set(found)) == SHOWN
    behind = client.get("/", params={"size": 12, "page": 99}).text
    assert keys(behind) == found[36:]


@pytest.mark.parametrize("down", [0, 1])
def test_rows_come_in_the_order_of_a_column_those_without_a_value_last(
    dataset: Dataset, client: TestClient, down: int
) -> None:
    found = tables(dataset)
    density = dict(zip(found[ROWS]["key"].to_pylist(), found["canny"]["edge_density"].to_pylist(), strict=True))
    page = client.get("/", params={"order": "canny.edge_density", "down": down, "size": 100}).text
    values = [density[key] for key in keys(page)]
    assert values[-1] is None
    assert values[:-1] == sorted(values[:-1], reverse=bool(down))


@pytest.mark.parametrize(
    "asked",
    [
        {"where": "edge_density > 0.018"},
        {"where": "edge_density > 0.018 OR caption_length < 30", "status": "words:ok"},
        {"where": "caption_length > 1 -- all", "status": "words:ok", "seed": "7"},
        {"where": "words.length <> 9 AND words.status = 'ok'\nAND width = 128", "split": "test"},
        {"status": ["canny:ok", "phash:ok"], "part": "0"},
        {},
    ],
)
def test_a_copied_manifest_draws_what_the_page_shows_in_its_order(
    client: TestClient, tmp_path: Path, asked: dict
) -> None:
    copied = client.get("/manifest.yaml", params={"condition": "canny"} | asked)
    assert copied.status_code == 200
    (tmp_path / "manifest.yaml").write_text(copied.text)
    subset = resolve(load_manifest(tmp_path / "manifest.yaml"))
    looked = {name: value for name, value in (ORDER | asked).items() if name != "split"}
    page = client.get("/", params=looked | {"drawn": "1"}).text
    assert keys(page) == subset.rows["key"].to_pylist()
    assert len(subset.rows) == subset.found > 0
    assert f"train rows a manifest would have: <b>{subset.found}</b>" in page


def test_the_page_of_the_manifest_shows_what_it_saves_and_the_command(client: TestClient) -> None:
    asked = {"condition": "canny", "where": "caption_length > 20", "rows": 5, "seed": 3}
    page = html.unescape(client.get("/manifest", params=asked).text)
    text = client.get("/manifest.yaml", params=asked).text
    assert text in page
    assert "python pipelines/subset.py manifest.yaml" in page
    said = yaml.safe_load(text)
    assert (said["rows"], said["seed"], said["where"]) == (5, 3, "caption_length > 20")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "Choose one"),
        ({"condition": "words"}, "no"),
        ({"condition": "canny", "rows": "1000"}, "from 1 to"),
        ({"condition": "canny", "rows": "many"}, "not a number"),
        ({"condition": "canny", "where": "width > 9999"}, "Widen the filter"),
        ({"condition": "hed"}, "2 of 3 shards are missing"),
    ],
)
def test_what_cannot_be_drawn_is_no_manifest(client: TestClient, asked: dict, why: str) -> None:
    answer = client.get("/manifest.yaml", params=asked)
    assert answer.status_code == 422
    assert why in answer.text
    assert why in html.unescape(client.get("/manifest", params=asked).text)


def test_captions_and_words_are_text_and_nothing_more(client: TestClient) -> None:
    for path in ("/?size=100&show=&show=words", "/row/00-000000/5", "/row/00-000000/6", "/clusters"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'onmouseover="alert' not in page
    assert html.escape(SCRIPT, quote=False) in client.get("/row/00-000000/5").text.replace("&#34;", '"')
    assert client.get("/row/00-000000/5").text.count("onerror=alert") == 2, "the corpus's caption and the family's"
    assert QUOTES in html.unescape(client.get("/row/00-000000/6").text)


def test_a_filter_is_written_back_as_text(client: TestClient) -> None:
    for where in ("</textarea><script>alert(1)</script>", "split = '<script>alert(1)</script>'", '"><img src=x>'):
        page = client.get("/", params={"where": where, "split": where, "show": where}).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_long_caption_is_cut_and_its_length_said(client: TestClient) -> None:
    listed, alone = client.get("/?size=100").text, client.get("/row/00-000000/7").text
    assert len(listed) < 400_000
    assert len(alone) < 100_000
    assert "characters)" in listed
    assert "characters)" in alone


def test_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/failures", "/clusters", "/manifest?condition=canny", "/row/00-000000/3"):
        page = client.get(path).text
        assert set(re.findall(r'(?:src|href|action)="(.)', page)) <= {"/", "#"}
        assert not re.search(r"<(style|[^>]* style=|[^>]* on\w+=)", page), "the policy allows none"


def test_a_wrong_column_is_named_beside_all_there_are_and_the_one_that_was_meant(client: TestClient) -> None:
    answer = client.get("/", params={"where": "edge_densty > 0.1 AND width > 1"})
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert 'Referenced column "edge_densty" not found' in page
    assert "Columns are rows: key, part" in page
    assert "Did you mean <code>canny.edge_density</code>" in page
    assert keys(page) == []
    (link,) = re.findall(r'<a href="([^"]*)">Use it', page)
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    "where",
    [
        "width > (SELECT 1)",
        "read_text('/etc/passwd') = ''",
        "width >",
        "true; DROP TABLE rows",
        "getenv('HOME') = ''",
        "NOT " * 900 + "true",
    ],
)
def test_what_where_refuses_the_page_refuses(client: TestClient, where: str) -> None:
    answer = client.get("/", params={"where": where})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "asked", ["page=0", "page=x", "size=9999", "seed=1.5", "order=nothing", "condition=nothing", "status=nothing:ok",
              "status=canny:good", "split=none", "drawn=1", f"where={'a' * 5000}"]
)  # fmt: skip
def test_an_address_that_means_nothing_is_refused_in_words(client: TestClient, asked: str) -> None:
    answer = client.get(f"/?{asked}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_bare_column_of_two_families_is_the_conditions_once_it_is_chosen(client: TestClient) -> None:
    assert client.get("/", params={"where": "status = 'ok'"}).status_code == 422, "of which family?"
    page = client.get("/", params={"where": "status = 'failed'", "condition": "canny"}).text
    assert len(keys(page)) == 1


def test_bars_of_every_chart_mean_as_many_rows_as_they_say(dataset: Dataset) -> None:
    search = Search(hold(dataset))
    for address, bins in search.bins.items():
        assert bins.whole.sum() == SHOWN, address
        for bar in {0, len(bins.wheres) - 1}:
            found = len(search.select(State(where=bins.wheres[bar])).places)
            assert found == bins.whole[bar], bins.wheres[bar]
    assert len(search.bins["canny.edge_density"].labels) > 5


def test_a_bar_is_a_link_that_leads_to_its_rows(client: TestClient) -> None:
    page = html.unescape(client.get("/?where=width>1").text)
    (link, rows) = re.findall(r'href="(/add\?[^"]*)"[^>]*title="(\d+) of \d+ rows"><span class="label">test', page)[0]
    answer = client.get(link)
    assert f"<b>{rows}</b> of {SHOWN} rows" in answer.text
    assert answer.url.params["where"] == "width>1 AND split = 'test'"


def test_another_bar_takes_the_place_of_the_first() -> None:
    where = "split = 'train' AND canny.edge_density BETWEEN 0.01 AND 0.02 AND width BETWEEN 1 AND 9"
    after = replaced(where, "canny.edge_density", "canny.edge_density BETWEEN 0.02 AND 0.03")
    assert after == where.replace("0.01 AND 0.02", "0.02 AND 0.03")
    assert replaced("a = 'it''s'", "a", "a IS NULL") == "a IS NULL"
    assert replaced("b = 1 AND a >= 0.45 AND a < 0.5", "a", "a >= 1e-05 AND a < 2e-05") == (
        "b = 1 AND a >= 1e-05 AND a < 2e-05"
    )
    assert replaced("a >= 1e-05 AND a < 2e-05", "a", "a BETWEEN 0.5 AND 0.55") == "a BETWEEN 0.5 AND 0.55"
    assert replaced("NOT a = 1", "a", "a = 2") == "NOT a = 1 AND a = 2"
    assert replaced("data = 1", "a", "a = 2") == "data = 1 AND a = 2"
    assert replaced("a = 1 OR b = 2", "c", "c = 3") == "(a = 1 OR b = 2) AND c = 3"
    assert replaced("", "c", "c = 3") == "c = 3"
    assert select(both("width > 1 -- but", "width > 2"), {"rows": pa.table({"width": [1, 2, 3]})}).tolist() == [
        False,
        False,
        True,
    ]


def test_facets_count_what_choosing_them_would_leave(client: TestClient) -> None:
    page = client.get("/?status=canny:ok").text
    for split in ("train", "validation", "test"):
        (rows,) = re.findall(rf">{split} <span>(\d+)</span>", page)
        assert f"<b>{rows}</b> of {SHOWN} rows" in client.get(f"/?status=canny:ok&split={split}").text
    assert ">failed <span>1</span>" in page, "what else could be chosen of this very family"


def test_failures_are_counted_by_family_and_code_and_can_be_walked_through(client: TestClient) -> None:
    page = client.get("/failures").text
    (walk,) = re.findall(r'href="(/walk\?[^"]*)">decode <span>1</span>', page)
    row = client.get(html.unescape(walk))
    assert row.url.path == f"/row/00-000000/{FAILED}"
    assert "1 of 1" in row.text
    assert "<b>failed</b>decode" in row.text


def test_a_family_that_is_half_made_is_said_to_be(client: TestClient) -> None:
    for path in ("/", "/failures"):
        assert "2 of 3 shards are missing" in client.get(path).text
    assert "hed is not shown" in client.get("/").text


def test_copies_are_shown_as_a_cluster_and_beside_one_another(client: TestClient) -> None:
    page = client.get("/clusters").text
    assert "<b>1</b> clusters of duplicates" in page
    assert re.findall(r"/row/00-000000/(\d+)\?", page) == [str(OF), str(COPY)]
    assert page.count('badge best">best') == 1
    assert "1 other row of its cluster" in client.get(f"/row/00-000000/{OF}").text


def test_the_page_of_a_row_leads_to_those_before_and_after_it(client: TestClient) -> None:
    asked = {"where": "canny.edge_density > 0.018", "order": "caption_length"}
    order = re.findall(r'href="(/row/[^?]*)\?', client.get("/", params=asked | {"size": 100}).text)
    page = client.get(order[1], params=asked).text
    assert re.findall(r'rel="(prev|next)" href="([^?]*)', page) == [("prev", order[0]), ("next", order[2])]
    assert f"2 of {len(order)}" in page


def test_what_is_shown_is_kept_in_the_address(client: TestClient) -> None:
    state = State(
        where="a = 'ü' OR b", status=("canny:ok", "words:ok"), show=("words",), down=True, seed=-3, drawn=True
    )
    assert read_state(QueryParams(state.query())) == state
    assert read_state(QueryParams(state.model_copy(update={"show": ()}).query())).show == ()
    assert State().query() == ""


@pytest.mark.parametrize("rows", [0, 1])
def test_a_dataset_of_hardly_any_rows_has_pages(tmp_path: Path, rows: int) -> None:
    dataset = make(tmp_path, [range(1)])
    build_index(dataset)
    if not rows:
        remove_pictures(dataset, read_index(dataset, ROWS)["picture"].to_pylist(), "all of them")
    client = TestClient(make_app(dataset), base_url="http://localhost")
    for path in ("/", "/?where=width>1&condition=canny&order=draw&drawn=1", "/failures", "/clusters", "/manifest"):
        assert client.get(path).status_code == 200, path
    assert f"<b>{rows}</b> of {rows} rows" in client.get("/").text


def test_a_dataset_that_is_not_indexed_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rows is not indexed.*ingest"):
        make_app(make(tmp_path, [range(1)]))


def test_a_shard_that_is_gone_or_torn_leaves_the_rest_to_be_seen(dataset: Dataset, tmp_path: Path) -> None:
    shutil.copytree(dataset.root, tmp_path / "rooms")
    torn = Dataset.open(tmp_path / "rooms")
    client = TestClient(make_app(torn), base_url="http://127.0.0.1")
    torn.path("images", "01-000000").unlink()
    path = torn.path("canny", "00-000000")
    path.write_bytes(path.read_bytes()[:-200])
    page = client.get("/?size=100")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert client.get("/picture/small/images/01-000000/3").status_code == 404
    assert client.get("/picture/small/canny/00-000000/3").status_code == 404
    assert client.get("/picture/small/images/00-000000/3").status_code == 200
    assert client.get("/row/01-000000/3").status_code == 200
