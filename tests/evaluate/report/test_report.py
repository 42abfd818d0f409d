import html
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from evaluate.adherence import ADHERENCE
from evaluate.comparison.compare import compare_runs
from evaluate.report.gallery import rank
from evaluate.report.markdown import coverage
from evaluate.report.report import write_report
from evaluate.report.summary import Summary, summarise
from evaluate.scores import matrix, read_scores
from evaluate.spec import read_spec, write_spec
from manifests.account import Account, Conjunct, KeptOut, account_from
from tests.evaluate.synthetic import spec, write_evaluation

NASTY = "<script>alert(\"1\")</script> & <img src=x onerror='x'> | {{ 7 * 7 }}\nline"


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    write_evaluation(folder, caption=NASTY)
    write_report(folder)
    return folder


def test_a_caption_is_shown_and_never_run(folder: Path) -> None:
    page = Page(folder / "report.html")
    assert NASTY in page.text
    assert [attributes.get("id") for tag, attributes in page.tags if tag == "script"] == ["samples", None]
    assert "<script>alert" not in (folder / "report.html").read_text()
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert NASTY not in (folder / "report.md").read_text()


def test_the_page_needs_no_other_file(folder: Path) -> None:
    page = Page(folder / "report.html")
    sources = [attributes.get("src") or attributes.get("href") for _, attributes in page.tags]
    assert all(source.startswith("data:") for source in sources if source)
    assert sum(tag == "img" for tag, _ in page.tags) == 4 * 6 * 6 + 1  # random, best, median, worst: six rows of six
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "object")]
    assert "://" not in (folder / "report.html").read_text()


def test_the_numbers_of_a_report_are_those_of_its_scores(folder: Path) -> None:
    report = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    scores = read_scores(folder / "scores.parquet")
    _, values = matrix(scores, measure="f1_1px", arms=["floor", "controlled", "ceiling"])
    floor, controlled, ceiling = values.mean(axis=0)
    found = report["measures"]["f1_1px"]
    assert found["arms"]["controlled"]["value"] == pytest.approx(controlled)
    assert found["normalised"]["value"] == pytest.approx((controlled - floor) / (ceiling - floor))
    assert found["normalised"]["low"] < found["normalised"]["value"] < found["normalised"]["high"]
    assert found["arms"]["oracle"] == {"value": 1, "low": 1, "high": 1}
    assert f"{controlled:.3f}" in Page(folder / "report.html").text
    assert f"{controlled:.3f}" in (folder / "report.md").read_text()


def test_a_report_made_again_is_the_same(folder: Path) -> None:
    names = ("report.html", "report.json", "report.md")
    before = {name: (folder / name).read_bytes() for name in names}
    write_report(folder)
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_best_and_worst_are_by_score_whichever_way_is_better(folder: Path) -> None:
    scores = read_scores(folder / "scores.parquet")
    upward = list(rank(scores, measure="f1_1px", higher_is_better=True).values())
    downward = list(rank(scores, measure="f1_1px", higher_is_better=False).values())
    assert upward == sorted(upward, reverse=True)
    assert downward == sorted(upward)


def test_one_sample_has_numbers_and_no_intervals(tmp_path: Path) -> None:
    for run, blur in (("one", 1.0), ("other", 2.0)):
        write_evaluation(tmp_path / run, samples=1, blur=blur)
    page = write_report(tmp_path / "one").read_text()
    said = json.loads((tmp_path / "one" / "report.json").read_text(), parse_constant=pytest.fail)
    assert said["headline"].startswith("No verdict: one sample, which goes ")
    controlled = said["measures"]["f1_1px"]["arms"]["controlled"]
    assert controlled["value"] > 0
    assert controlled["low"] is controlled["high"] is None
    assert "nan" not in page
    with pytest.raises(ValueError, match="by its one sample no run can be told from another"):
        compare_runs([tmp_path / "one", tmp_path / "other"])


def test_of_several_draws_the_one_that_is_shown_is_ranked(folder: Path) -> None:
    scores = read_scores(folder / "scores.parquet")
    more = scores.set_column(1, "draw", pa.array([1] * len(scores), pa.int32()))
    worse = more.set_column(5, "value", pc.subtract(1.0, more["value"]))
    both = pa.concat_tables([worse, scores])
    assert rank(both, measure="f1_1px", higher_is_better=True) == rank(scores, measure="f1_1px", higher_is_better=True)


def test_a_sample_without_a_partner_to_swap_with_spoils_no_report(tmp_path: Path) -> None:
    write_evaluation(tmp_path)
    scores = read_scores(tmp_path / "scores.parquet")
    first = pc.min(scores["key"])
    partner = pc.invert(pc.and_(pc.equal(scores["key"], first), pc.equal(scores["arm"], "swapped")))
    found = summarise(scores.filter(partner), ADHERENCE["canny"])
    assert "swapped" in summarise(scores, ADHERENCE["canny"]).primary.arms
    assert "swapped" not in found.primary.arms
    assert found.primary.normalised.value > 0


def test_a_report_says_how_many_samples_it_lacks() -> None:
    summary = Summary(samples=8, draws=1, lines=(), retrieval=None)
    assert coverage(spec(asked=8, wanted=8), summary) == "8 test samples, all scored."
    assert "8 test samples, all scored. 12 were wanted" in coverage(spec(asked=8, wanted=12), summary)
    assert "8 of 10 test samples; the rest asks for nothing" in coverage(spec(asked=10, wanted=10), summary)


def test_pictures_open_with_datasets(folder: Path) -> None:
    import datasets

    opened = datasets.Dataset.from_parquet(str(folder / "pictures" / "000000.parquet"), cache_dir=str(folder / "cache"))
    assert np.asarray(opened[0]["drawn"]).shape == (128, 128, 3)


def test_a_report_of_an_error_says_that_less_is_better(tmp_path: Path) -> None:
    write_evaluation(tmp_path, annotator="depth")
    page = Page(write_report(tmp_path))
    found = json.loads((tmp_path / "report.json").read_text())["measures"]["rmse"]
    arms = {arm: value["value"] for arm, value in found["arms"].items()}
    assert arms["oracle"] < 1e-9 < arms["ceiling"] < arms["controlled"] < arms["floor"]
    share = (arms["floor"] - arms["controlled"]) / (arms["floor"] - arms["ceiling"])
    assert found["normalised"]["value"] == pytest.approx(share)
    assert 0.5 < found["normalised"]["low"] < share < found["normalised"]["high"] <= 1
    assert "obeys its depth conditions" in page.text
    assert "the 6 lowest by rmse" in page.text
    assert "the 6 highest by rmse, the very worst first" in page.text
    assert "0 is perfect; lower is better" in page.text


ACCOUNT = Account(
    rows=1_200,
    drawn=1_000,
    judged=1_100,
    kept_out=(
        KeptOut("split_test", "in the test split", 60),
        KeptOut("condition_empty", "with canny empty", 40),
        KeptOut("where", "not fulfilling where", 70),
        KeptOut("duplicate", "duplicates of a row that can be drawn", 30),
    ),
    conjuncts=(
        Conjunct("edge_density BETWEEN 0.02 AND 0.20", keeps_out=61, alone=50, nulls=4),
        Conjunct("key <> '<script>alert(1)</script>|`'", keeps_out=20, alone=9, nulls=0),
    ),
    wordless=3,
)


@pytest.fixture(scope="module")
def accounted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same evaluation, of a run that keeps an account."""
    made = Path(shutil.copytree(folder, tmp_path_factory.mktemp("accounted") / "evaluation"))
    found = replace(read_spec(made), account=ACCOUNT)
    (made / "spec.json").unlink()
    write_spec(found, made)
    write_report(made)
    return made


def test_a_report_says_which_rows_were_kept_out_and_why(accounted: Path) -> None:
    page = Page(accounted / "report.html")
    said = " ".join(html.unescape(re.sub("<[^>]*>", " ", (accounted / "report.html").read_text())).split())
    assert "Which rows it was trained on" in said
    for part in (
        "all rows 1,200",
        "kept out: in the test split −60 5.0 %",
        "kept out: with canny empty −40",
        "kept out: duplicates of a row that can be drawn −30 2.5 %",
        "It decided on the 1,100 rows that nothing above keeps out",
        "edge_density BETWEEN 0.02 AND 0.20 keeps out 61, 50 of them alone, 4 because it is NULL",
        "key <> '<script>alert(1)</script>|`' keeps out 20, 9 of them alone",
        "3 of them have no words",
        "1,000 83.3 %",
    ):
        assert part in said, part
    assert [attributes.get("id") for tag, attributes in page.tags if tag == "script"] == ["samples", None]


def test_the_same_account_is_in_json_and_markdown(accounted: Path) -> None:
    found = json.loads((accounted / "report.json").read_text())["spec"]["account"]
    assert account_from(found) == ACCOUNT
    words = (accounted / "report.md").read_text()
    assert "## Which rows it was trained on" in words
    assert "| kept out: in the test split | −60 |" in words
    assert "| · of 1,100, `edge_density BETWEEN 0.02 AND 0.20` keeps out 61, 50 of them alone" in words
    assert "<script>" not in words
    table = [line for line in words.partition("## Which")[2].splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in table} == {4}, "every row has its two cells"


def test_an_evaluation_of_an_older_run_has_no_account_and_is_the_same_evaluation(folder: Path, accounted: Path) -> None:
    fields = json.loads((folder / "spec.json").read_text())
    assert fields.pop("account") is None
    (accounted.parent / "old").mkdir()
    (accounted.parent / "old/spec.json").write_text(json.dumps(fields))
    old = read_spec(accounted.parent / "old")
    assert old.account is None
    assert old.fingerprint == read_spec(accounted).fingerprint
    write_spec(read_spec(accounted), accounted.parent / "old")
    assert "Which rows" not in Page(folder / "report.html").text
    assert "Which rows" not in (folder / "report.md").read_text()
