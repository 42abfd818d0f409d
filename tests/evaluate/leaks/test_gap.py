"""The gap between rows trained on and test rows is that of two sets of samples, and of nothing else."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from evaluate.leaks.gap import train_test_gap
from tests.evaluate.synthetic import write_evaluation


def write(folder: Path, *, blur: float, keys: str, samples: int = 12) -> Path:
    """An evaluation whose samples' keys begin so."""
    write_evaluation(folder, blur=blur, samples=samples)
    table = pq.read_table(folder / "scores.parquet")
    named = pc.binary_join_element_wise(keys, table["key"], "")
    pq.write_table(table.set_column(0, "key", named), folder / "scores.parquet")
    spec = json.loads((folder / "spec.json").read_text())
    spec["protocol"]["settings"] |= {"split": keys, "samples": samples}
    spec["protocol"]["keys_sha256"] = keys
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder


def test_a_run_that_obeys_what_it_has_seen_better_has_a_gap(tmp_path: Path) -> None:
    test, seen = write(tmp_path / "test", blur=2.6, keys="test"), write(tmp_path / "seen", blur=1.2, keys="train")
    gap = train_test_gap(test, seen)
    line = gap.primary
    assert line.difference.value == pytest.approx(line.trained.value - line.test.value)
    assert line.difference.low > 0
    assert line.normalised.low > 0
    assert line.told
    assert abs(line.ceilings.value) < 1e-9  # the same pictures
    backwards = train_test_gap(seen, test)
    assert not backwards.primary.told
    assert backwards.primary.less
    assert not line.less
    assert backwards.primary.difference.high < 0


def test_a_run_that_obeys_all_alike_has_none(tmp_path: Path) -> None:
    test, seen = write(tmp_path / "test", blur=2.0, keys="test"), write(tmp_path / "seen", blur=2.0, keys="train")
    gap = train_test_gap(test, seen)
    assert gap.primary.difference.low < 0 < gap.primary.difference.high  # other samples: there is doubt
    assert not gap.primary.told


def test_the_interval_is_that_of_two_samples_of_their_own(tmp_path: Path) -> None:
    test = write(tmp_path / "test", blur=2.0, keys="test", samples=8)
    seen = write(tmp_path / "seen", blur=1.5, keys="train", samples=12)
    gap = train_test_gap(test, seen)
    assert (gap.trained_samples, gap.test_samples) == (12, 8)
    errors = []
    for folder in (test, seen):
        table = pa.table(pq.read_table(folder / "scores.parquet"))
        chosen = table.filter(pc.and_(pc.equal(table["measure"], "f1_1px"), pc.equal(table["arm"], "controlled")))
        errors.append(np.var(chosen["value"].to_numpy()) / len(chosen))
    width = gap.primary.difference.high - gap.primary.difference.low
    assert width == pytest.approx(2 * 1.96 * np.sqrt(sum(errors)), rel=0.1)


def test_evaluations_that_differ_otherwise_are_refused(tmp_path: Path) -> None:
    test, seen = write(tmp_path / "test", blur=2.0, keys="test"), write(tmp_path / "seen", blur=2.0, keys="train")
    spec = json.loads((seen / "spec.json").read_text())
    spec["protocol"]["settings"]["guidance"] = 3.0
    (seen / "spec.json").write_text(json.dumps(spec))
    with pytest.raises(ValueError, match=r"settings.guidance: 9.0 and 3.0"):
        train_test_gap(test, seen)


def test_samples_in_common_are_refused(tmp_path: Path) -> None:
    test, seen = write(tmp_path / "test", blur=2.0, keys="test"), write(tmp_path / "seen", blur=2.0, keys="test")
    with pytest.raises(ValueError, match="12 of its samples are in"):
        train_test_gap(test, seen)
