from pathlib import Path

from manifests.study import Study, cells


def study(**fields: object) -> Study:
    return Study.model_validate({"name": "s", "manifest": Path("toy.yaml"), **fields})


def test_every_value_of_an_axis_meets_every_value_of_the_others() -> None:
    kinds = {"zero": {}, "gaussian": {"control.connections": "gaussian"}}
    found = cells(study(axes={"rows": [1_000, 100], "kind": kinds}), seed=0, train_seed=0)
    assert [cell.name for cell in found] == [
        "rows-000100_kind-zero",
        "rows-000100_kind-gaussian",
        "rows-001000_kind-zero",
        "rows-001000_kind-gaussian",
    ]
    assert found[1].overrides == ("rows=100", 'control.connections="gaussian"')


def test_each_repeat_has_its_own_draw_and_seed_and_comes_after_all_ways_once() -> None:
    found = cells(study(axes={"rows": [10, 20]}, repeats=2, overrides=("train.steps=5",)), seed=7, train_seed=3)
    assert [(cell.labels["rows"], cell.repeat) for cell in found] == [("10", 0), ("20", 0), ("10", 1), ("20", 1)]
    assert found[0].overrides == ("train.steps=5", "rows=10", "seed=7", "train.seed=3")
    assert found[3].overrides == ("train.steps=5", "rows=20", "seed=8", "train.seed=4")
    assert found[3].name == "rows-000020_repeat-1"


def test_values_that_are_words_stay_words() -> None:
    found = cells(study(axes={"evaluate.prompts": ["none", "perfect"]}), seed=0, train_seed=0)
    assert found[0].overrides == ('evaluate.prompts="none"',)


def test_axes_that_only_judge_share_trainings() -> None:
    axes = {"train.prompt_drop": [0.0, 0.5], "evaluate.prompts": ["none", "perfect"]}
    found = cells(study(axes=axes), seed=0, train_seed=0)
    assert [cell.training for cell in found] == ["train.prompt_drop-0.0"] * 2 + ["train.prompt_drop-0.5"] * 2
    assert len({cell.name for cell in found}) == 4
    (one, *_) = cells(study(axes={"evaluate.prompts": ["none", "perfect"]}), seed=0, train_seed=0)
    assert one.training == "s"


def test_several_budgets_are_an_axis() -> None:
    found = cells(study(axes={"rows": [10, 20]}, budget=("samples", "flops")), seed=0, train_seed=0)
    assert [(cell.labels["rows"], cell.labels["budget"], cell.budget) for cell in found][:2] == [
        ("10", "samples", "samples"),
        ("10", "flops", "flops"),
    ]
    assert "budget" not in cells(study(axes={"rows": [10, 20]}, budget="flops"), seed=0, train_seed=0)[0].labels
