from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from numpy.typing import NDArray

from evaluate.adherence import ADHERENCE
from evaluate.batch import Setup, draw_arms, load_setup, run_batch
from evaluate.plan import Task, plan_evaluation
from evaluate.report.summary import summarise
from evaluate.retrieval import RETRIEVAL
from evaluate.samples import Sample, Wanted, read_samples
from evaluate.scores import matrix
from manifests.control import ControlSettings
from manifests.dataset import Dataset
from manifests.manifest import load_manifest
from manifests.subset import resolve
from tests.toy_run import train, write_dataset, write_manifest
from train.control.registry import build_control

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def task(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Task:
    return plan_evaluation(run, tmp_path_factory.mktemp("evaluation"), load_manifest(run / "manifest.yaml"))


@pytest.fixture(scope="module")
def setup(task: Task) -> Setup:
    return load_setup(task, CPU)


def samples(setup: Setup, task: Task) -> list[Sample]:
    return read_samples(setup.dataset, setup.wanted, task.places.slice(0, 3))


def levels_apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.abs(one.astype(int) - other).max())


def means(scores: pa.Table) -> dict[str, float]:
    arms = ["controlled", "swapped", "floor", "ceiling", "oracle"]
    return dict(zip(arms, matrix(scores, measure="f1", arms=arms)[1].mean(axis=0).tolist(), strict=True))


def test_the_real_picture_scores_one_and_no_arm_is_left_out(setup: Setup, task: Task) -> None:
    panels, scores = run_batch(setup, task.places, task.pictures[:3])
    found = means(scores)
    assert found["oracle"] == 1
    assert all(0 <= found[arm] < 1 for arm in ("controlled", "swapped", "floor", "ceiling"))
    assert [panel.key for panel in panels] == task.places["key"].to_pylist()[:3]
    assert all(picture.shape == (128, 128, 3) for panel in panels for picture in panel.pictures.values())


def test_the_right_condition_is_sought_among_those_of_the_other_samples(setup: Setup, task: Task) -> None:
    _, scores = run_batch(setup, task.places, task.pictures[:3])
    sought = scores.filter(pc.equal(scores["measure"], RETRIEVAL.name))
    assert sorted(set(sought["arm"].to_pylist())) == ["ceiling", "controlled", "floor"]
    assert set(sought["asked"].to_pylist()) == {min(32, len(task.places))}
    assert len(sought) == 3 * 3


def test_a_grey_picture_scores_nothing(setup: Setup, task: Task) -> None:
    _, scores = run_batch(setup, task.places, task.pictures[:3])
    assert (matrix(scores, measure="f1_1px", arms=["blank"])[1] == 0).all()


def test_an_untrained_controlnet_draws_exactly_the_floor(setup: Setup, task: Task) -> None:
    read = samples(setup, task)
    trained = draw_arms(setup, read, [0, 0, 0])
    control = build_control(setup.base.unet, ControlSettings(), seed=0).eval()
    untrained = draw_arms(replace(setup, control=control), read, [0, 0, 0])
    assert np.array_equal(untrained["controlled"], untrained["floor"])
    assert np.array_equal(trained["floor"], untrained["floor"])
    assert levels_apart(trained["controlled"], untrained["controlled"]) > 1


def test_a_picture_depends_on_its_own_seed_and_not_on_its_batch(setup: Setup, task: Task) -> None:
    read = samples(setup, task)
    together = draw_arms(setup, read, [0, 0, 0])
    alone, again = (draw_arms(setup, read[1:2], [draw]) for draw in (0, 1))
    for arm in ("controlled", "floor"):
        assert levels_apart(together[arm][1], alone[arm][0]) <= 1  # rounding
        assert levels_apart(again[arm], alone[arm]) > 1  # another draw starts from other noise
        assert levels_apart(together[arm][0], together[arm][1]) > 1


def test_rows_whose_thresholds_differ_are_judged_by_their_own(tmp_path: Path, base_folder: Path) -> None:
    ranges = ["canny.low_range=[20, 60]", "canny.high_range=[70, 240]"]
    dataset = write_dataset(tmp_path / "playroom", settings=ranges)
    train(write_manifest(tmp_path / "toy.yaml", dataset.root, base_folder), tmp_path / "run")
    task = plan_evaluation(tmp_path / "run", tmp_path / "out", load_manifest(tmp_path / "run" / "manifest.yaml"))
    read = read_samples(Dataset.open(dataset.root), Wanted("canny", 128), task.places)
    assert len({sample.parameters["high"] for sample in read}) > 1
    _, scores = run_batch(load_setup(task, CPU), task.places, task.pictures[:4])
    assert means(scores)["oracle"] == 1


def test_networks_draw_in_the_precision_asked_for(run: Path, task: Task, tmp_path: Path) -> None:
    manifest = load_manifest(run / "manifest.yaml", ["evaluate.precision=bf16"])
    half = plan_evaluation(run, tmp_path / "half", manifest)
    setup = load_setup(half, CPU)
    weights = [setup.base.unet.dtype, setup.base.vae.dtype, *(each.dtype for each in setup.control.parameters())]
    assert set(weights) == {torch.bfloat16}
    _, scores = run_batch(setup, half.places, half.pictures[:2])
    assert means(scores)["oracle"] == 1
    with pytest.raises(ValueError, match=r"another evaluation.*precision"):  # so that the two are never mixed
        plan_evaluation(run, tmp_path / "half", load_manifest(run / "manifest.yaml"))


def test_prompts_that_conflict_are_those_of_the_sample_whose_condition_is_swapped(setup: Setup, task: Task) -> None:
    panels, _ = run_batch(
        replace(setup, settings=setup.settings.model_copy(update={"prompts": "conflicting"})),
        task.places,
        task.pictures[:2],
    )
    own = {panel.key: panel.caption for panel in run_batch(setup, task.places, task.pictures[:3])[0]}
    assert [panel.caption for panel in panels] == [own[key] for key in task.places["key"].to_pylist()[1:3]]


def test_guess_mode_without_guidance_or_residuals_is_refused(run: Path, tmp_path: Path) -> None:
    for overrides, named in (
        (["evaluate.guess=code", "evaluate.guidance=1"], "guidance above 1"),
        (["evaluate.guess=code", "control.kind=film"], "no residuals"),
    ):
        with pytest.raises(ValueError, match=named):
            plan_evaluation(run, tmp_path / "out", load_manifest(run / "manifest.yaml", overrides))


def test_samples_of_the_train_split_are_those_that_were_trained_on(run: Path, tmp_path: Path) -> None:
    manifest = load_manifest(run / "manifest.yaml", ["evaluate.split=train", "evaluate.samples=5"])
    task = plan_evaluation(run, tmp_path / "seen", manifest)
    assert task.places["key"].to_pylist() == resolve(manifest).rows["key"].to_pylist()[:5]
    other = load_manifest(run / "manifest.yaml", ["evaluate.split=train", "seed=5"])
    with pytest.raises(ValueError, match="is not the one that was trained on"):
        plan_evaluation(run, tmp_path / "other", other)


def test_pictures_are_scored_against_what_the_renderer_knows(setup: Setup, task: Task) -> None:
    assert setup.wanted.truth == "truth_edges"
    _, scores = run_batch(setup, task.places, task.pictures[:3])
    _, values = matrix(scores, measure="f1_2px", arms=["truth-oracle", "truth-ceiling", "truth-floor"])
    oracle, ceiling, floor = values.mean(axis=0)
    assert floor < ceiling < oracle < 1  # Canny of the real picture is nearly right, and not quite
    found = summarise(scores, ADHERENCE["canny"])
    assert found.truth is not None
    assert found.truth.lines[0].arms["oracle"].value < found.lines[0].arms["oracle"].value == 1
