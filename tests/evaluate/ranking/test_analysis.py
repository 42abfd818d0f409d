"""Preferences that were planted are found again; what the votes can't tell is not told."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from evaluate.ranking.analysis import Analysis, analyse
from evaluate.ranking.average_rank import average_user_ranking
from evaluate.ranking.key import Key
from evaluate.ranking.report import write_ranking
from evaluate.ranking.votes import read_ballots
from evaluate.ranking.words import headline, sentences, tiered, unsteady
from tests.evaluate.ranking.planted import LIKING, ballot, key, write_votes

HARM = '<script>document.title = "caught"</script>|'


def analysed(folder: Path, of: Key, *, raters: int = 12, noise: float = 1.0, seed: int = 0) -> Analysis:
    return analyse(read_ballots(write_votes(folder, of, raters=raters, noise=noise, seed=seed), of), of)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Twelve raters, twenty samples, four runs."""
    return analysed(tmp_path_factory.mktemp("planted"), key())


def test_the_best_of_five_gets_five_points_and_the_worst_one() -> None:
    ranks = np.array([[1.0, 2, 3, 4, 5], [2, 1, 3, 4, 5]])
    found = average_user_ranking(ranks, np.array([[1.0, 1], [1, 0], [1, 3]]))
    assert found.tolist() == [[4.5, 4.5, 3, 2, 1], [5, 4, 3, 2, 1], [4.25, 4.75, 3, 2, 1]]


def test_planted_strengths_lie_in_their_intervals(planted: Analysis) -> None:
    for verdict in planted.verdicts:
        liking = np.array(LIKING[verdict.question]) - np.mean(LIKING[verdict.question])
        for found, truth in zip(verdict.strength, liking.tolist(), strict=True):
            assert found.low < truth < found.high
            assert found.high - found.low < 1


def test_averages_are_those_of_the_planted_odds(planted: Analysis) -> None:
    for verdict in planted.verdicts:
        liking = np.array(LIKING[verdict.question])
        odds = np.exp(liking[:, None] - liking)
        expected = 0.5 + (odds / (1 + odds)).sum(axis=1)  # one point, and one for each run below
        for found, truth in zip(verdict.average, expected.tolist(), strict=True):
            assert found.low < truth < found.high


def test_the_run_that_people_like_best_is_the_headline(planted: Analysis) -> None:
    assert headline(planted).startswith("By fidelity to the canny condition, people rank run-3 before run-2: ")
    said = sentences(planted)
    assert said[0].startswith("By quality, people rank run-3 before run-2: ")
    assert "less than is asked of raters" in said[1]
    assert said[2].startswith("Within samples edge F1 orders the pictures as people do by fidelity: ")


def test_runs_that_people_like_alike_are_not_told_apart(tmp_path: Path) -> None:
    found = analysed(tmp_path, key(), noise=1e6)
    assert "can't be told from" in headline(found)
    assert "can't be told" in sentences(found)[2]


def test_one_rater_is_said_to_be_one(tmp_path: Path) -> None:
    said = sentences(analysed(tmp_path, key(), raters=1))
    assert said[-1] == "One person ranked: no interval here says what another would have answered."
    assert "no two ranked the same sample" in said[1]


def test_runs_that_no_vote_links_are_said_to_rest_on_the_ghost_tie(planted: Analysis, tmp_path: Path) -> None:
    found = analysed(tmp_path, key(), raters=3, noise=0)
    by_fidelity = tiered(found, found.verdicts[1])
    assert "above one of a group before it: run-3; then run-2; then run-0; then run-1." in by_fidelity
    assert tiered(planted, planted.verdicts[1]) == ""


def test_a_rater_who_turns_round_is_named(tmp_path: Path) -> None:
    of = key()
    votes = ballot(of, "Ann", seed=0, noise=0)
    for answer in votes["answers"]:
        if answer["repeat"]:
            answer["ranks"] = [5 - rank for rank in answer["ranks"]]
    (tmp_path / "ann.json").write_text(json.dumps(votes))
    paths = [tmp_path / "ann.json", *write_votes(tmp_path, of, raters=1, noise=0)]
    found = analyse(read_ballots(paths, of), of)
    assert unsteady(found.raters) == ["Ann"]
    assert [rater.itself for rater in found.raters] == [0, 1]


def test_a_question_that_nobody_answered_is_refused(tmp_path: Path) -> None:
    votes = ballot(key(), "Ann", seed=0)
    votes["answers"] = [answer for answer in votes["answers"] if answer["question"] == "quality"]
    (tmp_path / "ann.json").write_text(json.dumps(votes))
    with pytest.raises(ValueError, match="no vote answers the question of fidelity"):
        analyse(read_ballots([tmp_path / "ann.json"], key()), key())


def test_the_report_says_the_same_as_json_as_words_and_as_a_page(planted: Analysis, tmp_path: Path) -> None:
    page = write_ranking(planted, tmp_path).read_text()
    found = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert found["headline"] in re.sub("&#39;", "'", page)
    assert found["headline"] in (tmp_path / "report.md").read_text()
    best = found["questions"]["fidelity"]["average_user_ranking"][3]
    assert best["value"] == pytest.approx(planted.verdicts[1].average[3].value)
    assert f"{best['value']:.2f} [{best['low']:.2f}, {best['high']:.2f}]" in page
    assert "<script" not in page


def test_names_of_runs_and_raters_are_words(tmp_path: Path) -> None:
    of = key()
    runs = tuple(run.model_copy(update={"name": HARM + run.name}) for run in of.runs)
    of = of.model_copy(update={"runs": runs})
    (tmp_path / "harm.json").write_text(json.dumps(ballot(of, HARM, seed=0)))
    write_ranking(analyse(read_ballots([tmp_path / "harm.json"], of), of), tmp_path)
    for name in ("report.html", "report.md"):
        assert "<script" not in (tmp_path / name).read_text()


def test_the_same_votes_in_another_order_give_the_same_report(tmp_path: Path) -> None:
    of = key()
    paths = write_votes(tmp_path, of, raters=3)
    reports = []
    for place, order in enumerate((paths, paths[::-1])):
        (tmp_path / str(place)).mkdir()
        write_ranking(analyse(read_ballots(order, of), of), tmp_path / str(place))
        reports.append((tmp_path / str(place) / "report.json").read_bytes())
    assert reports[0] == reports[1]
