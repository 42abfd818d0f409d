"""A file of votes is one rater's answers to this page, whole ones; anything else is refused by its name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluate.ranking.rankings import rankings, reweighted
from evaluate.ranking.votes import read_ballots
from tests.evaluate.ranking.planted import ballot, key, write_votes

KEY = key()


def write(path: Path, votes: object) -> Path:
    path.write_text(json.dumps(votes))
    return path


def set_answer(field: str, value: object) -> Callable[[dict], None]:
    return lambda votes: votes["answers"][2].update({field: value})


HARM: dict[str, tuple[Callable[[dict], None], str]] = {
    "another page": (lambda votes: votes.update(page="f" * 16), "votes of page ffffffffffffffff, and the key is of"),
    "another version": (lambda votes: votes.update(version=2), "votes of version 2; this Pairmill reads 1"),
    "no name": (lambda votes: votes.update(rater="  "), "a rater needs a name"),
    "nothing ranked": (lambda votes: votes.update(answers=[]), "ranked nothing. Leave the file out"),
    "a rank missing": (set_answer("ranks", [1, None, 2, 3]), r"answers\.2\.ranks\.1 = None: Input should be a valid"),
    "too few ranks": (set_answer("ranks", [1, 2, 3]), "sample 1, quality: 3 ranks of 4 are there"),
    "too high a rank": (set_answer("ranks", [1, 2, 3, 5]), "sample 1, quality: rank 5 of 4 pictures"),
    "a rank of none": (set_answer("ranks", [0, 1, 2, 3]), r"answers\.2\.ranks\.0 = 0"),
    "no such sample": (set_answer("sample", 20), "sample 20, quality: the page has 20 samples"),
    "no such question": (set_answer("question", "beauty"), "sample 1, beauty: the page asks no such question"),
    "no such picture": (set_answer("shown", [0, 1, 2, 2]), "which are not the page's"),
    "answered twice": (lambda votes: votes["answers"].append(votes["answers"][2]), "sample 1, quality: answered twice"),
    "a field too many": (lambda votes: votes.update(run="poor"), "run = 'poor': Extra inputs are not permitted"),
}


@pytest.mark.parametrize("harm", HARM)
def test_votes_that_the_page_did_not_save_are_refused(harm: str, tmp_path: Path) -> None:
    change, message = HARM[harm]
    votes = ballot(KEY, "Ann", seed=0)
    change(votes)
    with pytest.raises(ValueError, match=rf"ann\.json: .*{message}"):
        read_ballots([write(tmp_path / "ann.json", votes)], KEY)


def test_a_file_that_is_cut_off_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text(json.dumps(ballot(KEY, "Ann", seed=0))[:99])
    with pytest.raises(ValueError, match=r"cut\.json: these are no votes"):
        read_ballots([tmp_path / "cut.json"], KEY)
    with pytest.raises(ValueError, match="there is no such file of votes"):
        read_ballots([tmp_path / "none.json"], KEY)
    with pytest.raises(ValueError, match="there are no votes"):
        read_ballots([], KEY)


def test_no_rater_counts_twice_however_the_name_is_spelt(tmp_path: Path) -> None:
    spelt = ["Zoë", " zoe\u0308\u200b"]
    paths = [write(tmp_path / f"{place}.json", ballot(KEY, name, seed=0)) for place, name in enumerate(spelt)]
    with pytest.raises(ValueError, match=r"1\.json: rater 'zoë' is in .*0\.json already"):
        read_ballots(paths, KEY)


def test_raters_who_stopped_count_as_far_as_they_came(tmp_path: Path) -> None:
    votes = ballot(KEY, "Ann", seed=0)
    votes["answers"] = votes["answers"][:7]  # three samples and a half
    (found,) = read_ballots([write(tmp_path / "ann.json", votes)], KEY)
    assert [len(rankings([found], KEY, question).ranks) for question in ("quality", "fidelity")] == [4, 3]


def test_ranks_of_pictures_become_ranks_of_runs(tmp_path: Path) -> None:
    ballots = read_ballots(write_votes(tmp_path, KEY, raters=2, noise=0), KEY)
    found = rankings(ballots, KEY, "quality")
    assert found.ranks.tolist() == [[4, 3, 2, 1]] * 40, "wherever each run's picture stood"
    assert found.of == (2, 20)


def test_tied_pictures_share_the_mean_of_their_ranks(tmp_path: Path) -> None:
    votes = ballot(KEY, "Ann", seed=0)
    votes["answers"][0]["ranks"] = [2, 1, 2, 4]
    found = rankings(read_ballots([write(tmp_path / "ann.json", votes)], KEY), KEY, "quality")
    assert [found.ranks[0][run] for run in KEY.samples[0].runs] == [2.5, 1, 2.5, 4]
    assert found.ties == 1


def test_samples_that_come_again_do_not_count_twice(tmp_path: Path) -> None:
    ballots = read_ballots(write_votes(tmp_path, KEY, raters=3), KEY)
    assert len(rankings(ballots, KEY, "fidelity").ranks) == 60
    assert len(rankings(ballots, KEY, "fidelity", repeat=True).ranks) == 6


def test_a_resample_takes_raters_and_samples_whole(tmp_path: Path) -> None:
    answers = rankings(read_ballots(write_votes(tmp_path, KEY, raters=3), KEY), KEY, "fidelity")
    weights = reweighted(answers)
    grid = weights.reshape(-1, 3, 20)
    by_rater, by_sample = grid.sum(axis=2) / 20, grid.sum(axis=1) / 3
    assert weights.shape == (2_000, 60)
    assert (by_rater.sum(axis=1) == 3).all()
    assert (grid == by_rater[:, :, None] * by_sample[:, None, :]).all()
