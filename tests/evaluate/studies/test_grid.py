import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy.stats import t

from evaluate.scores import matrix, read_scores
from evaluate.studies.cost import Cost
from evaluate.studies.grid import read_grid
from evaluate.studies.lineage import Lineage
from evaluate.studies.matrix import matrices
from evaluate.studies.pooled import behind_the_furthest, corrected, less, pooled_shares
from evaluate.studies.report import write_grid_report
from evaluate.studies.spread import Spread
from evaluate.studies.ways import Grid, Trained
from evaluate.studies.words import headline, pairs_in_words, verdicts
from manifests.study import Cell
from tests.evaluate.synthetic import write_evaluation

SIZES = {100: 2.6, 400: 1.6, 1_600: 1.6}  # rows → how blurred pictures are drawn
COST = Cost(seconds=60.0, samples=960, teraflop=3.5, bytes=1_000_000)


def lineage(name: str, repeat: int) -> Lineage:
    return Lineage(name, repeat, repeat + 7, "ab", "2026-01-01T00:00:00+00:00", "", {"torch": f"2.{repeat}"})


def trained(folder: Path, labels: dict[str, str], *, repeat: int = 0) -> Trained:
    name = f"{folder.name}{labels}{repeat}"  # no two of these share a training
    return Trained(Cell(folder.name, folder.name, labels, repeat), lineage(name, repeat), folder, COST)


def judged(kind: str, repeat: int, folder: Path) -> Trained:
    """One of two ways to judge a training."""
    name = f"run{repeat}"
    return Trained(Cell(f"{kind}{repeat}", name, {"judged": kind}, repeat), lineage(name, repeat), folder, COST)


def of_sizes(folders: Sequence[Path]) -> Grid:
    runs = [trained(folder, {"rows": str(rows)}) for rows, folder in zip(SIZES, folders, strict=False)]
    return read_grid("sizes", runs, failed={})


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


def test_each_way_is_held_against_the_first_by_sample(folders: list[Path]) -> None:
    grid = of_sizes(folders)
    small, middle, large = grid.ways
    assert [(one.way, one.beside) for one in grid.compared] == [(middle, small), (large, small)]
    further, furthest = (one.difference for one in grid.compared)
    assert further.value == pytest.approx(share(folders[1]) - share(folders[0]))
    assert further.low > 0
    assert furthest == further  # the same pictures: no doubt, however the samples scatter
    assert small.share.value == pytest.approx(share(folders[0]))
    assert small.share.low < small.share.value < small.share.high


def test_verdicts_claim_nothing_that_cannot_be_told(folders: list[Path]) -> None:
    grid = of_sizes(folders)
    assert all(" is ahead of 100 rows: +" in said for said in verdicts(grid))
    assert headline(grid).startswith("400 rows goes furthest: ")
    assert "; not told from it: 1,600 rows (" in headline(grid)
    assert headline(grid).endswith("%). Told from it: 1.")
    same = read_grid("same", [trained(folders[1], {"kind": "a"}), trained(folders[2], {"kind": "b"})], failed={})
    assert verdicts(same) == ["b is not told from a: +0 points of the way (95% interval +0 to +0; p = 1)."]
    assert headline(same).endswith(", but is told from no other way.")


def test_what_is_told_apart_among_two_may_not_be_among_many(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "near", blur=1.75)
    two = [trained(folders[1], {"kind": "a"}), trained(tmp_path / "near", {"kind": "b"})]
    many = [*two, *(trained(folders[1], {"kind": f"same{number}"}) for number in range(40))]
    (alone,), (among, *_) = (verdicts(read_grid("apart", runs, failed={})) for runs in (two, many))
    assert " is behind a: " in alone
    assert " is not told from a: " in among


def test_trainings_that_differ_widen_every_interval(folders: list[Path]) -> None:
    once = read_grid("once", [trained(folders[0], {"kind": "a"}), trained(folders[1], {"kind": "b"})], failed={})
    twice = read_grid(
        "twice",
        [
            trained(folders[0], {"kind": "a"}),
            trained(folders[1], {"kind": "b"}),
            trained(folders[1], {"kind": "a"}, repeat=1),
            trained(folders[0], {"kind": "b"}, repeat=1),
        ],
        failed={},
    )
    assert once.between_runs is None
    assert twice.between_runs == pytest.approx(np.std([share(folders[0]), share(folders[1])], ddof=1))
    assert [way.runs for way in twice.ways] == [2, 2]
    (apart,) = twice.compared
    assert apart.difference.value == pytest.approx(0)
    assert apart.difference.low < 0 < apart.difference.high
    for score in ("score", "share"):
        narrow, wide = (getattr(grid.ways[0], score) for grid in (once, twice))
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low), score


def test_a_way_without_room_between_floor_and_ceiling_spoils_no_other(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "flat")
    file = tmp_path / "flat" / "scores.parquet"
    scores = read_scores(file)
    flat = pc.if_else(pc.equal(scores["arm"], "ceiling"), 0.0, scores["value"])
    pq.write_table(scores.set_column(scores.schema.get_field_index("value"), "value", flat), file)
    pairs = [(folders[0], "a"), (folders[1], "b"), (tmp_path / "flat", "flat")]
    runs = [trained(folder, {"kind": kind}, repeat=again) for again in (0, 1) for folder, kind in pairs]
    grid = read_grid("spoilt", runs, failed={})
    assert [np.isfinite(way.share.value) for way in grid.ways] == [True, True, False]
    assert "isn't surely better than its floor" in verdicts(grid)[1]
    assert headline(grid).startswith("b goes furthest: ")


def test_growth_with_rows_is_said_apart_for_each_of_the_other_axes(folders: list[Path]) -> None:
    runs = [
        trained(folder, {"rows": str(rows), "kind": kind})
        for kind in ("a", "b")
        for rows, folder in zip(SIZES, folders, strict=True)
    ]
    grid = read_grid("both", runs, failed={})
    assert list(grid.scaling) == ["a", "b"]
    assert all("not identifiable from these sizes" in pairs_in_words(one) for one in grid.scaling.values())
    assert of_sizes(folders[:2]).scaling == {}


def test_a_report_says_the_same_three_times(folders: list[Path], tmp_path: Path) -> None:
    runs = [trained(folder, {"rows": str(rows)}) for rows, folder in zip(SIZES, folders, strict=True)]
    grid = read_grid("sizes <b>", runs, failed={"rows-5": "it <broke>"})
    html = write_grid_report(grid, tmp_path).read_text()
    said = json.loads((tmp_path / "report.json").read_text(), parse_constant=pytest.fail)
    assert [way["labels"]["rows"] for way in said["ways"]] == [str(rows) for rows in SIZES]
    assert said["failed"] == {"rows-5": "it <broke>"}
    for text in (html, (tmp_path / "report.md").read_text()):
        assert headline(grid) in text
        assert "<broke>" not in text
        assert "1,600" in text
        assert "Seeds of draw and training: 0 and 7." in text
        assert "torch 2.0" in text
    assert html.count("<svg") == 1
    assert html.count("<img") == 6 * (2 + len(SIZES))


def test_each_training_is_named_once_with_its_seeds_and_several_versions_are_all_told(
    folders: list[Path], tmp_path: Path
) -> None:
    runs = [judged(kind, repeat, folders[repeat]) for repeat in (0, 1) for kind in ("a", "b")]
    write_grid_report(read_grid("judged", runs, failed={}), tmp_path)
    said = json.loads((tmp_path / "report.json").read_text())
    assert [(one["training"], one["seed"], one["train_seed"]) for one in said["trainings"]] == [
        ("run0", 0, 7),
        ("run1", 1, 8),
    ]
    assert said["versions"] == {"torch": "2.0 or 2.1"}


def test_only_like_is_compared_with_like(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "other", rows=50, samples=12)
    runs = [trained(folders[0], {"rows": "100"}), trained(tmp_path / "other", {"rows": "50"})]
    with pytest.raises(ValueError, match=r"were not evaluated alike: .*samples"):
        read_grid("sizes", runs, failed={})


def test_only_what_is_varied_may_differ(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "fewer", rows=50, samples=12)
    runs = [trained(folders[0], {"samples": "24"}), trained(tmp_path / "fewer", {"samples": "12"})]
    grid = read_grid("samples", runs, failed={}, varied={"evaluate.samples"})
    assert [way.samples for way in grid.ways] == [24, 12]
    assert not grid.alike
    with pytest.raises(ValueError, match="were not evaluated alike"):
        read_grid("samples", runs, failed={}, varied={"evaluate.prompts"})


def test_what_decides_the_crop_may_leave_a_way_other_samples(folders: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "fewer", rows=50, samples=12)
    written = json.loads((tmp_path / "fewer" / "spec.json").read_text())
    ours = json.loads((folders[0] / "spec.json").read_text())
    settings = {**ours["protocol"]["settings"], "geometry": "squash"}
    written["protocol"] = {**ours["protocol"], "settings": settings}
    (tmp_path / "fewer" / "spec.json").write_text(json.dumps(written))
    runs = [trained(folders[0], {"geometry": "centre"}), trained(tmp_path / "fewer", {"geometry": "squash"})]
    grid = read_grid("crops", runs, failed={}, varied={"evaluate.geometry"})
    assert [way.samples for way in grid.ways] == [24, 12]


def test_two_axes_make_a_matrix(folders: list[Path]) -> None:
    pairs = [("a", "x"), ("a", "y"), ("b", "y")]
    runs = [trained(folder, {"down": d, "across": a}) for folder, (d, a) in zip(folders, pairs, strict=True)]
    (matrix,) = matrices(read_grid("two", runs, failed={}))
    assert matrix.columns == ("x", "y")
    assert [way and way.folder for way in matrix.rows["b"]] == [None, folders[2]]


def test_ways_that_judge_the_same_trainings_differ_by_no_other_training(folders: list[Path]) -> None:
    runs = [
        Trained(
            Cell(f"{kind}{again}", f"run{again}", {"judged": kind}, again),
            lineage(f"run{again}", again),
            folders[again],
            COST,
        )
        for again in (0, 1)
        for kind in ("a", "b")
    ]
    grid = read_grid("judged", runs, failed={})
    assert grid.between_runs is not None
    (apart,) = grid.compared
    assert (apart.difference.low, apart.difference.high) == (0, 0)


def test_trainings_that_differ_in_what_a_way_of_judging_does_to_them_widen_its_difference(folders: list[Path]) -> None:
    drawn = {("a", 0): 0, ("b", 0): 1, ("a", 1): 0, ("b", 1): 0}  # b is ahead of a by the first training alone
    runs = [
        Trained(
            Cell(f"{kind}{again}", f"run{again}", {"judged": kind}, again),
            lineage(f"run{again}", again),
            folders[at],
            COST,
        )
        for (kind, again), at in drawn.items()
    ]
    (apart,) = read_grid("judged", runs, failed={}).compared
    assert apart.difference.value == pytest.approx((share(folders[1]) - share(folders[0])) / 2)
    assert apart.difference.low < 0 < apart.difference.high
    assert not apart.told


def test_what_a_study_asks_is_compared_all_else_being_equal(folders: list[Path]) -> None:
    labels = [{"down": down, "across": across} for down in ("a", "b", "c") for across in ("x", "y")]
    runs = [trained(folders[place % 2], one) for place, one in enumerate(labels)]

    def asked(*against: dict[str, str | tuple[str, str]]) -> list[tuple[str, str]]:
        return [(one.way.name, one.beside.name) for one in read_grid("two", runs, failed={}, against=against).compared]

    of_first = [("b, x", "a, x"), ("b, y", "a, y"), ("c, x", "a, x"), ("c, y", "a, y")]
    assert asked() == [*of_first, ("a, y", "a, x"), ("b, y", "b, x"), ("c, y", "c, x")]
    assert asked({"across": "y"}) == [("a, x", "a, y"), ("b, x", "b, y"), ("c, x", "c, y")]
    assert asked({"down": ("c", "b")}, {"down": ("b", "c")}) == [("c, x", "b, x"), ("c, y", "b, y")]
    (one, *_) = read_grid("two", runs, failed={}, against=[{"across": "x"}]).compared
    assert one.single
    assert one.told
    assert "of one training each, which chance may have made" in verdicts(read_grid("two", runs, failed={}))[-1]


def test_the_furthest_of_many_equal_ways_is_told_from_few() -> None:
    """Picked for going furthest, it would be told from the last by far more than one study in twenty otherwise."""
    generator, told = np.random.default_rng(0), 0
    for _ in range(200):
        means = generator.normal(size=30)
        ways = [(mean, mean + generator.normal(size=400)) for mean in means]
        told += min(behind_the_furthest(ways)) < 0.05
    assert told <= 18


def test_trainings_that_differ_by_chance_alone_are_told_apart_in_one_study_of_twenty() -> None:
    """All ways share one estimate of how trainings differ: that it may be too small is no news of any of them."""
    generator, furthest, compared = np.random.default_rng(1), 0, 0
    for _ in range(300):
        means = generator.normal(size=(9, 2))
        reached = [(np.array(mean), np.full(600, mean)) for mean in means.ravel()]
        groups = [[2 * way, 2 * way + 1] for way in range(9)]
        ways, _ = pooled_shares([(f"{way}a", f"{way}b") for way in range(9)], groups, reached)
        furthest += min(behind_the_furthest(ways)) < 0.05
        compared += min(p for _, p in corrected([less(way, ways[0]) for way in ways[1:]])) < 0.05
    assert furthest <= 24  # 300 at 5 %, and two standard deviations
    assert compared <= 24


def test_all_ways_share_the_doubt_of_how_trainings_differ() -> None:
    reached = [(np.array(value), np.full(20_000, value)) for value in (0.1, 0.4, 0.5, 0.3)]
    (one, other), _ = pooled_shares([("a", "b"), ("c", "d")], [[0, 1], [2, 3]], reached)
    sizes = np.log(np.abs([one[1] - one[0], other[1] - other[0]]))
    assert np.corrcoef(sizes)[0, 1] > 0.2  # of two estimates, one each, it would be 0


def test_a_difference_of_trainings_is_students_t() -> None:
    spread, generator = Spread(1.0, 2), np.random.default_rng(0)
    changes = spread.changes(np.ones(2), spread.unsure(100_000, generator)[:, None], generator)
    apart = (changes[:, 1] - changes[:, 0]) / np.sqrt(2)
    for level in (0.9, 0.975, 0.99):
        assert (apart <= t.ppf(level, 2)).mean() == pytest.approx(level, abs=0.003)


def test_of_several_conditions_each_has_its_furthest_way(folders: list[Path]) -> None:
    grid = of_sizes(folders)
    small, *others = grid.ways
    both = replace(grid, ways=(replace(small, condition="depth"), *others))
    assert headline(both).startswith("Furthest of depth: 100 rows, ")
    assert "; of canny: 400 rows, " in headline(both)
