import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from evaluate.comparison.compare import compare_runs
from evaluate.comparison.report import write_comparison
from evaluate.page.render import with_interval
from evaluate.report.cross import cross_annotators, matrix_of
from evaluate.scores import read_scores
from evaluate.second_annotator import second_annotator
from evaluate.second_look import look_again
from tests.evaluate.synthetic import write_evaluation


def silent(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation of Canny edges, looked at again by the same Canny and by one of other thresholds."""
    folder = tmp_path_factory.mktemp("evaluation")
    write_evaluation(folder, samples=12)
    for word, settings in (("same=canny", []), ("fine=canny", ["fine.low=30", "fine.high=60"])):
        look_again(second_annotator(word, settings), folder, progress=silent, actors=0)
    return folder


def test_the_same_annotator_again_gives_the_same_scores(folder: Path) -> None:
    first, again = read_scores(folder / "scores.parquet"), read_scores(folder / "second-same.parquet")
    for arm in ("controlled", "floor", "ceiling", "oracle"):
        one, other = (
            table.filter((pc.field("arm") == arm) & (pc.field("measure") == "f1_1px")) for table in (first, again)
        )
        assert one["value"].to_pylist() == other["value"].to_pylist()


def test_every_annotator_has_a_row_and_the_own_one_comes_first(folder: Path) -> None:
    own, fine, same = cross_annotators(folder)
    assert [row.family for row in (own, fine, same)] == ["canny", "fine", "same"]
    assert own.own
    assert own.overfit is None
    assert fine.share != own.share
    assert fine.samples == same.samples == own.samples == 12


def test_an_annotator_that_agrees_has_an_overfit_index_of_exactly_one(folder: Path) -> None:
    _, fine, same = cross_annotators(folder)
    assert same.overfit is not None
    assert (same.overfit.low, same.overfit.value, same.overfit.high) == (1, 1, 1)
    assert not same.suspect
    assert fine.overfit is not None
    assert fine.overfit.low < fine.overfit.value < fine.overfit.high


def test_a_look_with_other_settings_is_refused_by_name(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"second-fine: it was made otherwise: fingerprints.fine"):
        look_again(second_annotator("fine=canny", ["fine.low=31"]), folder, progress=silent, actors=0)


def test_an_annotator_that_nothing_measures_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing measures conditions of annotator 'caption'"):
        second_annotator("caption", [])


def test_a_comparison_sets_runs_beside_annotators(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_evaluation(other, samples=12, blur=4.0, rows=2_000)
    look_again(second_annotator("fine=canny", ["fine.low=30", "fine.high=60"]), other, progress=silent, actors=0)
    judges, words = matrix_of([folder, other])
    assert judges == ["canny", "fine"]  # whoever looked at both
    assert all(good.share.value > bad.share.value for good, bad in zip(*words, strict=True))
    page = write_comparison(compare_runs([folder, other]), tmp_path / "comparison").read_text()
    assert "In the eyes of each annotator" in page


def test_a_gain_that_nobody_else_sees_is_suspected(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=12)
    look_again(second_annotator("fine=canny", []), tmp_path, progress=silent, actors=0)
    path = tmp_path / "second-fine.parquet"
    scores = read_scores(path)
    floor = scores.filter(pc.field("arm") == "floor")
    blind = floor.set_column(floor.schema.get_field_index("arm"), "arm", pa.array(["controlled"] * len(floor)))
    others = scores.filter(pc.field("arm") != "controlled")
    pq.write_table(pa.concat_tables([others, blind]), path)  # the second annotator sees what it sees without control
    _, fine = cross_annotators(tmp_path)
    assert fine.overfit is not None
    assert fine.overfit.value == float("inf")
    assert fine.suspect
    assert "inf" in with_interval(fine.overfit)


def test_no_gain_in_anyones_eyes_has_no_overfit_index(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=12)
    look_again(second_annotator("fine=canny", []), tmp_path, progress=silent, actors=0)
    for name in ("scores.parquet", "second-fine.parquet"):
        scores = read_scores(tmp_path / name)
        floor = scores.filter(pc.field("arm") == "floor")
        drawn = floor.set_column(floor.schema.get_field_index("arm"), "arm", pa.array(["controlled"] * len(floor)))
        pq.write_table(pa.concat_tables([scores.filter(pc.field("arm") != "controlled"), drawn]), tmp_path / name)
    _, fine = cross_annotators(tmp_path)
    assert fine.overfit is not None
    assert with_interval(fine.overfit) == "–"
    assert not fine.suspect


def test_one_sample_says_nothing_of_others(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=12)
    look_again(second_annotator("fine=canny", []), tmp_path, progress=silent, actors=0)
    path = tmp_path / "second-fine.parquet"
    scores = read_scores(path)
    pq.write_table(scores.filter(pc.field("key") == scores["key"][0]), path)
    _, fine = cross_annotators(tmp_path)
    assert fine.samples == 1
    assert fine.overfit is not None
    assert with_interval(fine.share) == f"{fine.share.value:.2f}"
    assert with_interval(fine.overfit) == "–"


def test_annotators_of_one_name_and_other_settings_are_not_set_side_by_side(folder: Path, tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=12, rows=2_000)
    look_again(second_annotator("fine=canny", ["fine.low=31", "fine.high=60"]), tmp_path, progress=silent, actors=0)
    with pytest.raises(ValueError, match=r"'fine' looked otherwise than at .*fingerprints"):
        matrix_of([folder, tmp_path])


def test_what_is_left_of_a_deleted_look_is_forgotten_when_somebody_looks_again(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=4)
    look_again(second_annotator("fine=canny", []), tmp_path, progress=silent, actors=0)
    shutil.rmtree(tmp_path / "second-fine")
    with pytest.raises(ValueError, match="left of a look whose folder was deleted"):
        cross_annotators(tmp_path)
    look_again(second_annotator("fine=canny", ["fine.low=50"]), tmp_path, progress=silent, actors=0)
    assert len(cross_annotators(tmp_path)) == 2


def test_an_evaluation_that_is_not_finished_is_not_looked_at(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=4)
    (tmp_path / "scores.parquet").unlink()
    with pytest.raises(ValueError, match="not finished"):
        look_again(second_annotator("canny", []), tmp_path, progress=silent, actors=0)
