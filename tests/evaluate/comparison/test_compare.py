import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from evaluate.comparison.compare import compare_runs, seed_noise
from evaluate.comparison.report import in_words, write_comparison
from evaluate.measures.edges import EDGES
from evaluate.scores import SCHEMA, matrix, read_scores
from tests.evaluate.synthetic import write_evaluation

BLURS = {"poor": 2.6, "good": 1.2, "again": 1.2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("compare")
    for name, blur in BLURS.items():
        write_evaluation(home / name, blur=blur)
    return [home / name for name in BLURS]


def values(folder: Path, measure: str) -> np.ndarray:
    return matrix(read_scores(folder / "scores.parquet"), measure=measure, arms=["controlled"])[1][:, 0]


def test_a_run_that_draws_better_is_told_from_one_that_draws_worse(folders: list[Path]) -> None:
    comparison = compare_runs(folders[:2])
    first, other = comparison.primary.entries
    assert first.contrast is None
    assert other.contrast is not None
    measured = values(folders[1], "f1_1px").mean() - values(folders[0], "f1_1px").mean()
    assert other.contrast.difference.value == pytest.approx(measured)
    assert other.contrast.difference.low > 0
    assert other.contrast.p == pytest.approx(1 / 2_001)
    assert other.contrast.told
    assert in_words(comparison)[0].startswith(f"{folders[1]} obeys better than {folders[0]}: +")
    backwards = compare_runs(folders[1::-1])
    assert "obeys less" in in_words(backwards)[0]


def test_a_run_is_not_told_from_itself(folders: list[Path]) -> None:
    comparison = compare_runs(folders[1:])
    for row in comparison.rows:
        contrast = row.entries[1].contrast
        assert contrast is not None
        assert (contrast.difference.low, contrast.difference.high) == (0, 0)  # paired: no doubt
        assert contrast.corrected == contrast.p == 1
    assert "can't be told from" in in_words(comparison)[0]


def test_the_more_tests_a_page_holds_the_stricter_it_is(folders: list[Path]) -> None:
    two, three = compare_runs(folders[:2]), compare_runs(folders)
    (alone,) = [entry.contrast for entry in two.primary.entries[1:]]
    among = three.primary.entries[1].contrast
    assert alone is not None
    assert among is not None
    assert alone.p == among.p
    assert alone.p < alone.corrected < among.corrected


def test_runs_that_were_not_evaluated_alike_are_refused_with_the_fields(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "other")
    spec = json.loads((tmp_path / "other" / "spec.json").read_text())
    spec["protocol"]["settings"]["guidance"] = 3.0
    (tmp_path / "other" / "spec.json").write_text(json.dumps(spec))
    with pytest.raises(ValueError, match=r"not evaluated alike: evaluate.guidance: 9.0 and 3.0"):
        compare_runs([folders[0], tmp_path / "other"])
    with pytest.raises(ValueError, match="needs two evaluations or more"):
        compare_runs(folders[:1])


@pytest.mark.parametrize("harm", ["a field of another version", "cut off"])
def test_an_evaluation_of_another_version_is_refused_by_name(harm: str, folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "other")
    spec = tmp_path / "other" / "spec.json"
    text = spec.read_text()
    spec.write_text(text[:200] if harm == "cut off" else text.replace('"steps"', '"moves"'))
    with pytest.raises(ValueError, match=r"spec.json: not as this version of Pairmill writes it .*evaluate"):
        compare_runs([folders[0], tmp_path / "other"])


def test_scores_of_other_samples_are_refused(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "other")
    scores = tmp_path / "other" / "scores.parquet"
    table = pq.read_table(scores)
    pq.write_table(table.filter(pc.not_equal(table["key"], table["key"][0])), scores)
    with pytest.raises(ValueError, match="scored other samples than"):
        compare_runs([folders[0], tmp_path / "other"])


def test_what_seeds_alone_move_is_what_evaluations_of_one_run_differ_by() -> None:
    generator = np.random.default_rng(0)
    hard = generator.random(200)

    def evaluation() -> np.ndarray:  # [samples, draws] of one run
        return hard[:, None] + generator.normal(0, 0.1, (200, 3))

    def table(scores: np.ndarray) -> pa.Table:
        rows = [
            dict.fromkeys(SCHEMA.names)
            | {"key": f"{place:03d}", "draw": draw, "arm": "controlled", "measure": "f1_1px", "value": value}
            for place, draws in enumerate(scores.tolist())
            for draw, value in enumerate(draws)
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)

    apart = [abs(evaluation().mean() - evaluation().mean()) for _ in range(400)]
    noise = seed_noise(table(evaluation()), EDGES.primary)
    assert noise == pytest.approx(np.quantile(apart, 0.95), rel=0.15)
    assert seed_noise(table(evaluation()[:, :1]), EDGES.primary) is None


def test_a_comparison_says_the_same_three_times(folders: list[Path], tmp_path: Path) -> None:
    comparison = compare_runs(folders)
    page = write_comparison(comparison, tmp_path / "out").read_text()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert report["headline"] == in_words(comparison)
    for entry, said in zip(comparison.primary.entries, report["measures"]["f1_1px"]["runs"], strict=True):
        assert said["score"]["value"] == entry.score.value
        assert f"{entry.score.value:.3f}" in page
        assert f"{entry.score.value:.2f}" in markdown
    assert page.count("<h3>") == len(comparison.rows) + 2
    assert not re.search(r"https?://(?!www\.w3\.org)", page)
    assert "<script" not in page


def test_a_caption_is_shown_and_never_run(tmp_path: Path) -> None:
    harm = '<script>alert("caught")</script>'
    for name in ("a", "b"):
        write_evaluation(tmp_path / name, caption=harm, samples=4)
    page = write_comparison(compare_runs([tmp_path / "a", tmp_path / "b"]), tmp_path / "out").read_text()
    assert "&lt;script&gt;" in page
    assert harm not in page
