from pathlib import Path

import pyarrow as pa
import pytest

from evaluate.adherence import ADHERENCE
from evaluate.measures.measure import Score
from evaluate.plan import plan_evaluation
from evaluate.report.by_stratum import by_stratum
from evaluate.scores import SCHEMA, score_rows
from evaluate.traits import read_traits
from manifests.manifest import load_manifest

PRIMARY = ADHERENCE["canny"].primary


def scored(*, richness: list[float], rich: float, poor: float) -> pa.Table:
    """Scores of samples, those of a richness above one half going `rich` of the way, the others `poor`."""
    rows = []
    for place, richer in enumerate(richness):
        reached = rich if richer > 0.5 else poor
        for arm, value in {"floor": 0.1, "controlled": 0.1 + 0.8 * reached, "ceiling": 0.9}.items():
            rows += score_rows({PRIMARY.name: Score(value)}, key=f"{place:04d}", draw=0, seed=0, arm=arm)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_strata_of_a_trait_find_where_the_control_fails() -> None:
    richness = [number / 40 for number in range(40)]
    traits = pa.table({"key": [f"{place:04d}" for place in range(40)], "canny.edge_density": richness})
    (found,) = by_stratum(scored(richness=richness, rich=0.2, poor=0.9), traits, PRIMARY)
    assert found.trait == "canny.edge_density"
    assert [each.samples for each in found.strata] == [8] * 5
    assert [each.share.value for each in found.strata][:2] == pytest.approx([0.9, 0.9])
    assert [each.share.value for each in found.strata][3:] == pytest.approx([0.2, 0.2])


def test_a_trait_that_is_alike_everywhere_and_a_range_of_few_samples_are_left_out() -> None:
    richness = [0.2] * 38 + [0.8, 0.8]
    keys = [f"{place:04d}" for place in range(40)]
    traits = pa.table({"key": keys, "part": [0] * 40, "openpose.persons": [0] * 38 + [2, 2]})
    assert by_stratum(scored(richness=richness, rich=1, poor=1), traits, PRIMARY) == []


def test_an_evaluation_keeps_what_the_index_knows_of_its_samples(run: Path, tmp_path: Path) -> None:
    task = plan_evaluation(run, tmp_path / "out", load_manifest(run / "manifest.yaml"))
    traits = read_traits(tmp_path / "out")
    assert traits["key"].to_pylist() == task.places["key"].to_pylist()
    assert {"caption_length", "part", "canny.edge_density"} <= set(traits.column_names)
    assert not {"canny.low", "canny.high"} & set(traits.column_names)  # settings, not traits
    assert all(0 < value < 1 for value in traits["canny.edge_density"].to_pylist())
