"""The published table is told row by row, what was read apart from what is recalled."""

import pytest

from evaluate.cnpp.published import as_settings, published, published_of
from evaluate.cnpp.registry import RULES
from manifests.evaluate_settings import EvaluateSettings


@pytest.mark.parametrize(
    ("measure", "controlnet", "plus_plus"),
    [
        ("canny_f1@cnpp", 34.65, 37.04),
        ("hed_ssim@cnpp", 0.7621, 0.8097),
        ("lineart_ssim@cnpp", 0.7054, 0.8399),
        ("depth_rmse@cnpp", 35.90, 28.32),
        ("seg_miou@cnpp-ade", 27.46, 35.36),
    ],
)
def test_the_rows_of_every_condition_are_there(measure: str, controlnet: float, plus_plus: float) -> None:
    values = {row.method: row.value for row in published_of(measure) if row.evidence == "read"}
    assert values["ControlNet (SD1.5)"] == controlnet
    assert values["ControlNet++ (SD1.5)"] == plus_plus


def test_what_is_recalled_is_marked_and_stands_last() -> None:
    marks = [row.evidence for row in published()]
    assert marks == sorted(marks)
    assert {row.value for row in published() if row.evidence == "recalled"} == {32.55, 27.46, 43.64, 34.56}


def test_numbers_of_the_version_that_stored_jpeg_say_so() -> None:
    noted = {(row.method, row.measure) for row in published() if "JPEG" in row.note}
    assert noted == {
        (method, measure)
        for method in ("ControlNet (SD1.5)", "ControlNet++ (SD1.5)")
        for measure in ("seg_miou@cnpp-ade", "seg_miou@cnpp-coco")
    }


def test_no_method_has_two_numbers_of_one_measure() -> None:
    named = [(row.method, row.measure) for row in published()]
    assert len(named) == len(set(named))


def test_every_measure_of_ours_has_published_rows() -> None:
    assert all(published_of(rules.measure.name) for rules in RULES.values())


def test_of_methods_that_no_code_of_theirs_runs_nothing_is_claimed() -> None:
    unknown = {row.method for row in published() if row.way is None}
    assert unknown == {"GLIGEN (SD1.4)", "Uni-ControlNet (SD1.5)", "UniControl (SD1.5)"}


def test_the_way_of_its_controlnets_is_one_of_ours() -> None:
    settings = dict(each.removeprefix("evaluate.").split("=", 1) for each in as_settings())
    found = EvaluateSettings.model_validate(settings)
    assert (found.scheduler, found.steps, found.guidance, found.draws) == ("unipc", 20, 7.5, 4)
    assert (found.geometry, found.negative_prompt, found.precision) == ("squash", "worst quality, low quality", "fp16")
