"""The arithmetic of a forecast, beside numbers worked out by hand."""

import math

import pytest

from annotate.dry_run.forecast import (
    Range,
    Sampled,
    design_effect,
    duration,
    makespan,
    memory_of,
    part_of_work,
    widened,
    wilson,
    wobble,
)


def test_wilsons_interval_is_the_published_one() -> None:
    found = wilson(0.1, 20)  # 2 of 20: 2.8 % to 30.1 % (Newcombe 1998's method 3)
    assert (found.low, found.likely, found.high) == pytest.approx((0.0279, 0.1, 0.3010), abs=1e-4)
    nothing = wilson(0.0, 100)
    assert (nothing.low, nothing.high) == pytest.approx((0.0, 0.0370), abs=1e-4)


def test_a_total_per_row_has_an_interval_from_how_runs_differ() -> None:
    # 2 s on 2 rows, 4 s on 2 rows: 1.5 s a row, residuals -1 and 1. Of a million rows nearly all are left:
    # sqrt(2 / 1 * 2) / 4 = 0.5, times t(0.975, 1) = 12.706.
    found = Sampled([2.0, 4.0], [2, 2], 1_000_000).per_row()
    assert found.likely == 1.5
    assert found.high - 1.5 == pytest.approx(0.5 * 12.706, rel=1e-4)
    assert found.low == 0.0


def test_a_sample_of_everything_is_certain() -> None:
    assert Sampled([2.0, 4.0], [2, 2], 4).per_row() == Range(1.5, 1.5, 1.5)
    assert Sampled([0, 1], [2, 2], 4).share() == Range(0.25, 0.25, 0.25)


def test_one_run_alone_tells_nothing_of_the_spread() -> None:
    assert Sampled([3.0], [2], 100).per_row() == Range(0.75, 1.5, 3.0)


def test_faults_that_come_in_stretches_say_less_than_as_many_from_anywhere() -> None:
    spread, heaped = [1, 1, 1, 1], [4, 0, 0, 0]
    rows = [4, 4, 4, 4]
    assert design_effect(spread, rows) == 1.0
    # residuals 3, -1, -1, -1: 4 / 3 * 12 / 256 = 0.0625; drawn one by one 0.25 * 0.75 / 16 = 0.01171875
    assert design_effect(heaped, rows) == pytest.approx(0.0625 / 0.01171875)
    narrow, wide = (Sampled(hits, rows, 10_000).share() for hits in (spread, heaped))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_the_last_worker_decides_when_a_job_is_through() -> None:
    assert makespan([3.0, 1.0, 1.0, 2.0], 2) == 4.0  # 3 | 1 1 2
    assert makespan([1.0] * 5, 2) == 3.0
    assert makespan([1.0, 2.0], 8) == 2.0
    assert makespan([], 4) == 0.0


def test_a_family_that_is_there_already_costs_nothing() -> None:
    work = {"": 1.0, "canny": 1.0, "hed": 8.0}
    assert part_of_work(work, ["canny", "hed"]) == 1.0
    assert part_of_work(work, ["canny"]) == pytest.approx(0.2)


def test_passes_that_waver_widen_an_interval() -> None:
    assert wobble([1.0]) == 0.0
    assert wobble([0.9, 1.0, 1.1]) == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-4)  # t(0.975, 2)
    assert widened(Range(7.0, 10.0, 13.0), 0.4) == Range(5.0, 10.0, 15.0)  # 3, 4, 5


def test_a_whole_shard_takes_more_memory_than_a_sample() -> None:
    assert memory_of(1_000, held=10, rows=110, bytes_per_row=5.0) == 1_500
    assert memory_of(1_000, held=10, rows=4, bytes_per_row=5.0) == 1_000


def test_a_range_turns_over_with_its_inverse() -> None:
    assert Range(0.5, 1.0, 2.0).inverse() == Range(0.5, 1.0, 2.0)
    assert Range(0.0, 2.0, 4.0).inverse() == Range(0.25, 0.5, math.inf)


def test_durations_are_in_the_unit_that_one_would_say() -> None:
    seconds = (0.31, 42, 89, 600, 5_400, 36 * 3_600, 40 * 86_400)
    assert [duration(each) for each in seconds] == ["0.3 s", "42 s", "89 s", "10 min", "1.5 h", "1.5 days", "40 days"]
