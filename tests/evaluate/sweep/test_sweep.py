import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluate.spec import SPEC_FILE, read_spec, write_spec
from evaluate.statistics import Interval
from evaluate.sweep.report import in_words, write_sweep_report
from evaluate.sweep.sweep import check_field, read_sweep
from tests.evaluate.synthetic import write_evaluation


def evaluated(folder: Path, *, scale: float, blur: float, guidance: float = 9.0) -> Path:
    """An evaluation at some control scale whose pictures are so badly drawn."""
    write_evaluation(folder, samples=8, blur=blur)
    spec = read_spec(folder)
    settings = {**spec.protocol.settings, "control_scale": scale, "guidance": guidance}
    (folder / SPEC_FILE).unlink()
    write_spec(replace(spec, protocol=replace(spec.protocol, settings=settings)), folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    home = tmp_path_factory.mktemp("sweep")
    blurs = {1.0: 0.8, 0.0: 4.0, 0.5: 2.0}
    return [evaluated(home / f"scale-{scale}", scale=scale, blur=blur) for scale, blur in blurs.items()]


def test_settings_stand_in_order_and_the_best_is_named(folders: list[Path]) -> None:
    sweep = read_sweep("control_scale", folders)
    assert [each.value for each in sweep.settings] == [0.0, 0.5, 1.0]
    shares = [each.share.value for each in sweep.settings]
    assert shares == sorted(shares)
    assert in_words(sweep).startswith("synthetic obeys most at control_scale 1.0: ")


def test_settings_that_differ_in_something_else_are_refused_by_name(folders: list[Path], tmp_path: Path) -> None:
    other = evaluated(tmp_path / "other", scale=2.0, blur=1.0, guidance=3.0)
    with pytest.raises(ValueError, match=r"not in control_scale alone; settings.guidance: 9.0 and 3.0"):
        read_sweep("control_scale", [folders[0], other])


def test_a_sweep_says_the_same_three_times(folders: list[Path], tmp_path: Path) -> None:
    sweep = read_sweep("control_scale", folders)
    page = write_sweep_report(sweep, tmp_path).read_text()
    said = json.loads((tmp_path / "sweep.json").read_text(), parse_constant=pytest.fail)
    for each, setting in zip(said["settings"], sweep.settings, strict=True):
        assert each["normalised"]["value"] == setting.share.value
        assert f"{setting.share.value:.3f}" in page
        assert f"{setting.share.value:.2f}" in (tmp_path / "sweep.md").read_text()
    assert 'src="http' not in page


def test_where_nowhere_is_a_way_to_go_quality_is_drawn_against_nothing(folders: list[Path], tmp_path: Path) -> None:
    sweep, nowhere = read_sweep("control_scale", folders), Interval(*[float("nan")] * 3)
    looked = tuple(replace(each, quality={"clip_score@tiny": Interval(20.0, 19.0, 21.0)}) for each in sweep.settings)
    assert "clip_score@tiny against" in write_sweep_report(replace(sweep, settings=looked), tmp_path).read_text()
    lost = tuple(replace(each, share=nowhere) for each in looked)
    page = write_sweep_report(replace(sweep, settings=lost), tmp_path).read_text()
    assert "clip_score@tiny against" not in page
    assert "surely better than the floor" in page


def test_what_decides_which_samples_are_drawn_is_not_swept() -> None:
    check_field("guidance")
    for field in ("samples", "scored", "geometry", "guidnce"):
        with pytest.raises(ValueError, match=f"'{field}' can't be swept. Take one of draws, "):
            check_field(field)
