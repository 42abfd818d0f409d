import json
import re
from pathlib import Path

import numpy as np
import pytest

from evaluate.scores import matrix, read_scores
from evaluate.study import compare, headline, pairs_in_words
from evaluate.study_report import write_study_report
from tests.evaluate.synthetic import write_evaluation

SIZES = {100: 2.6, 400: 1.6, 1_600: 1.6}  # rows -> how blurred pictures are drawn


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("study")
    for rows, blur in SIZES.items():
        write_evaluation(home / f"rows-{rows}", rows=rows, blur=blur)
    return [home / f"rows-{rows}" for rows in SIZES]


def share(folder: Path) -> float:
    arms = ["floor", "controlled", "ceiling"]
    floor, controlled, ceiling = matrix(read_scores(folder / "scores.parquet"), measure="f1_1px", arms=arms)[1].mean(0)
    return float((controlled - floor) / (ceiling - floor))


def test_sizes_stand_in_order_with_their_gains(folders: list[Path]) -> None:
    comparison = compare("sizes", folders[::-1])
    assert [size.spec.rows for size in comparison.sizes] == list(SIZES)
    small, middle, large = comparison.sizes
    assert (small.gain, small.gain_per_doubling) == (None, None)
    assert middle.gain is not None
    assert middle.gain_per_doubling is not None
    assert middle.gain.value == pytest.approx(share(folders[1]) - share(folders[0]))
    assert middle.gain_per_doubling.low == pytest.approx(middle.gain.low / 2)  # 100 to 400 rows: two doublings
    assert comparison.gain.value == pytest.approx(share(folders[2]) - share(folders[0]))
    assert all(size.normalised.low < size.normalised.value < size.normalised.high for size in comparison.sizes)
    assert large.epochs == pytest.approx(600 * 32 / 1_600)


def test_gains_are_paired_by_sample(folders: list[Path]) -> None:
    large = compare("sizes", folders).sizes[-1]
    assert large.gain is not None
    assert large.gain.low == large.gain.high == 0  # the same pictures: no doubt, however the samples scatter
    assert large.normalised.high - large.normalised.low > 0.05


def test_the_headline_claims_no_gain_that_cannot_be_told(folders: list[Path]) -> None:
    assert "adherence rises from" in headline(compare("sizes", folders))
    assert "The last rows bought nothing sure: the step up from 400" in headline(compare("sizes", folders))
    assert "More rows still help: the step up from 100" in headline(compare("sizes", folders[:2]))


def test_a_study_report_says_the_same_three_times(folders: list[Path], tmp_path: Path) -> None:
    comparison = compare("sizes <b>", folders)
    html = write_study_report(comparison, tmp_path).read_text()
    report = json.loads((tmp_path / "report.json").read_text())
    assert [size["rows"] for size in report["sizes"]] == list(SIZES)
    assert np.isclose(report["sizes"][1]["gain"]["value"], share(folders[1]) - share(folders[0]))
    for text in (html, (tmp_path / "report.md").read_text()):
        assert headline(comparison) in text
        assert "<b>" not in text.replace("<td><b>", "")
        assert "1,600" in text
    assert html.count("<svg") == 1
    assert html.count("<img") == 6 * (2 + len(SIZES))


def test_only_like_is_compared_with_like(folders: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs two evaluations or more"):
        compare("sizes", folders[:1])
    with pytest.raises(ValueError, match="both were trained on 100 rows"):
        compare("sizes", [folders[0], folders[0]])
    write_evaluation(tmp_path / "other", rows=50, samples=12)
    with pytest.raises(ValueError, match=r"were not evaluated alike: .*samples"):
        compare("sizes", [folders[0], tmp_path / "other"])


def test_an_error_that_falls_is_adherence_that_rises(tmp_path: Path) -> None:
    for rows, blur in ((100, 8.0), (400, 3.0)):
        write_evaluation(tmp_path / str(rows), annotator="depth", rows=rows, blur=blur)
    comparison = compare("sizes", [tmp_path / "100", tmp_path / "400"])
    small, large = comparison.sizes
    assert comparison.ceiling.value < large.score.value < small.score.value < comparison.floor.value
    assert 0 < small.normalised.value < large.normalised.value < 1
    assert large.gain is not None
    assert large.gain.low > 0
    assert "adherence rises from" in headline(comparison)
    html = write_study_report(comparison, tmp_path / "report").read_text()
    heights = {name: float(y) for y, name in re.findall(r'y="([-0-9.]+)"[^>]*>(floor|ceiling)<', html)}
    assert 0 < heights["floor"] < heights["ceiling"] < 270  # y down: an error's floor lies above, within the plot


def test_how_much_data_a_score_takes_is_said_or_that_it_cannot_be(folders: list[Path], tmp_path: Path) -> None:
    comparison = compare("sizes", folders)
    assert comparison.scaling is not None
    said = pairs_in_words(comparison.scaling)
    assert "not identifiable from these sizes" in said  # three trainings tell no form from another
    assert said in write_study_report(comparison, tmp_path).read_text()
    assert json.loads((tmp_path / "report.json").read_text())["scaling"]["pairs"] == said
    assert compare("sizes", folders[:2]).scaling is None
