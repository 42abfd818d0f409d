"""What a user asks of annotate.py: understood, or answered with the nearest thing that there is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.task import make_tasks
from manifests.dataset import Dataset


@pytest.fixture
def dataset(tmp_path: Path, png: list[bytes], ingest: Callable[..., Dataset]) -> Dataset:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "0.png").write_bytes(png[0])
    (corpus / "0.txt").write_text("a circle")
    return ingest(corpus)


def test_a_family_may_have_another_name_than_its_annotator(dataset: Dataset) -> None:
    (task,) = make_tasks(dataset, ["canny_soft=canny"], settings=["canny_soft.low=50"])
    assert task.family == "canny_soft"
    assert (task.card.annotator, task.card.settings["low"]) == ("canny", 50)


@pytest.mark.parametrize(
    ("words", "settings", "message"),
    [
        (["cany"], [], r"no annotator 'cany' \(did you mean 'canny'.*There are canny, hed"),
        (["soft=cany"], [], r"soft=cany: no annotator 'cany' \(did you mean 'canny'"),
        (["canny"], ["canny.lo=5"], r"no setting 'lo' \(did you mean 'low'"),
        (["canny"], ["cany.low=5"], r"no family 'cany' \(did you mean 'canny'"),
        (["canny"], ["canny.low"], "not of the form FAMILY.setting=value"),
        (["canny"], ["canny.low=["], "not YAML"),
        (["canny"], ["canny.low=many"], "low: .*not 'many'"),
        (["canny", "canny=hed"], [], "canny is named twice"),
        (["index=canny"], [], "taken by the layout"),
        (["rows=canny"], [], "taken by the layout"),
        (["../canny=canny"], [], "odd characters"),
        (["Canny"], [], "odd characters"),
    ],
)
def test_what_there_is_not_is_named_with_what_there_is(
    dataset: Dataset, words: list[str], settings: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_tasks(dataset, words, settings=settings)
