"""Nothing but the dataset's rows is served, to nobody but this machine's own browser."""

import io
import shutil
import socket
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
from PIL import Image
from starlette.testclient import TestClient

from evaluate.browse.app import make_app
from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.index import ROWS, read_index
from manifests.removed import remove_pictures
from pipelines.browse import LOCAL
from tests.evaluate.browse.conftest import FAILED, REMOVED

PLACES = ["/picture/small", "/picture/full", "/row", "/static", "/page.css", ""]
ESCAPES = [
    "../../dataset.json",
    "..%2f..%2fdataset.json",
    "%2e%2e/%2e%2e/dataset.json",
    "%252e%252e%252fdataset.json",
    "..\\..\\dataset.json",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "images/..%2f..%2fdataset/0",
    "images/../../dataset.json/0",
    "images/00-000000.parquet/0",
    "images/00-000000%00/0",
    "../evaluate/browse/app.py",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("escape", ESCAPES)
def test_no_path_leads_out(client: TestClient, place: str, escape: str) -> None:
    path = f"{place}/{escape}"
    answer = client.send(client.build_request("GET", "http://127.0.0.1:8266" + path))
    assert answer.status_code in (404, 422), path
    assert "salt" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/picture/small/images/00-000009/0",
        "/picture/small/images/00-000000/999999",
        "/picture/small/images/00-000000/-1",
        "/picture/small/images/00-000000/9999999999999999999999",
        "/picture/small/images/00-000000/x",
        "/picture/huge/images/00-000000/0",
        "/picture/small/source/00-000000/0",
        "/picture/small/words/00-000000/0",
        "/picture/small/hed/00-000000/0",
        f"/picture/small/images/00-000000/{REMOVED}",
        f"/picture/full/canny/00-000000/{REMOVED}",
        f"/row/00-000000/{REMOVED}",
        f"/picture/small/canny/00-000000/{FAILED}",
        "/docs",
        "/openapi.json",
        "/redoc",
    ],
)
def test_what_is_no_row_that_may_be_shown_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8266", "127.0.0.1.evil.example", "192.168.0.7", ""])
def test_another_host_is_refused(client: TestClient, host: str) -> None:
    """A name that somebody points at 127.0.0.1 would let their page read this one."""
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "localhost:8266", "127.0.0.1", "127.0.0.1:9"])
def test_this_machine_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_get_is_answered(client: TestClient, method: str) -> None:
    for path in ("/", "/picture/small/images/00-000000/0", "/static/browse.js"):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_another_site_may_link_here_but_not_use_pictures(client: TestClient) -> None:
    picture = "/picture/small/images/00-000000/0"
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
        assert client.get(picture, headers=headers).status_code == 403
        assert client.get("/", headers=headers | {"sec-fetch-mode": "navigate"}).status_code == 200
    assert client.get(picture, headers={"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/static/browse.js", "/picture/small/images/00-000000/0", "/?page=0"]
)
def test_every_answer_says_what_a_browser_may_do(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_a_picture_is_that_of_its_row_and_is_kept_only_to_be_asked_for_again(
    dataset: Dataset, client: TestClient
) -> None:
    stored = dataset.read("images", "01-000000").to_pylist()[2]
    answer = client.get("/picture/full/images/01-000000/2")
    assert answer.content == stored["image"]["bytes"]
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "private, no-cache"
    tag = answer.headers["etag"]
    again = client.get("/picture/full/images/01-000000/2", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/picture/small/images/01-000000/2").headers["etag"] != tag


def test_a_picture_that_is_taken_down_while_the_server_runs_is_gone_at_once(dataset: Dataset, tmp_path: Path) -> None:
    shutil.copytree(dataset.root, tmp_path / "rooms")
    opened = Dataset.open(tmp_path / "rooms")
    client = TestClient(make_app(opened), base_url="http://127.0.0.1")
    pictures = [f"/picture/{size}/images/01-000000/2" for size in ("small", "full")]
    tags = [client.get(path).headers["etag"] for path in pictures]
    rows = read_index(opened, ROWS).filter(pc.field("shard") == "01-000000").to_pylist()
    remove_pictures(opened, [rows[2]["picture"]], "asked to")
    for path, tag in zip(pictures, tags, strict=True):
        assert client.get(path).status_code == 404
        assert client.get(path, headers={"if-none-match": tag}).status_code == 404
    assert client.get("/row/01-000000/2").status_code == 404
    page = client.get("/?size=100").text
    assert rows[2]["key"] not in page
    assert "2 rows were taken down" in page
    assert client.get("/picture/small/images/01-000000/3").status_code == 200


def test_a_condition_at_full_size_is_its_hint_to_the_pixel(dataset: Dataset, client: TestClient) -> None:
    cell = dataset.read("canny", "01-000000").to_pylist()[2]["condition"]
    shown = np.asarray(Image.open(io.BytesIO(client.get("/picture/full/canny/01-000000/2").content)))
    assert np.array_equal(shown[..., 0], decode("binary", cell) * 255)


def test_the_server_listens_on_this_machine_alone() -> None:
    assert socket.inet_aton(LOCAL)[0] == 127
