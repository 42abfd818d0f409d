import json
import shutil
from pathlib import Path

import pytest
import torch

from evaluate.batch import load_setup
from evaluate.job import finished, in_spans
from evaluate.plan import plan_evaluation
from evaluate.spec import read_spec
from manifests.manifest import load_manifest
from manifests.subset import resolve
from tests.toy_run import train, write_dataset, write_manifest
from train.run_folder import load_provenance


def test_test_samples_are_those_of_the_test_split_and_the_same_for_every_run(run: Path, tmp_path: Path) -> None:
    task = plan_evaluation(run, tmp_path / "out", load_manifest(run / "manifest.yaml"))
    more = plan_evaluation(run, tmp_path / "more", load_manifest(run / "manifest.yaml", ["evaluate.samples=12"]))
    assert len(task.pictures) == 8
    assert more.places["key"].to_pylist()[:8] == task.places["key"].to_pylist()
    assert [place for place, _ in task.pictures] == list(range(8))


def test_every_draw_of_every_sample_is_asked_for(run: Path, tmp_path: Path) -> None:
    manifest = load_manifest(run / "manifest.yaml", ["evaluate.draws=2", "evaluate.samples=3"])
    task = plan_evaluation(run, tmp_path / "out", manifest)
    assert task.pictures == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("evaluate.scheduler=dim", "there is no scheduler 'dim'. Take one of ddim"),
        ("condition=cany", "Did you mean 'canny'"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_drawn(
    run: Path, tmp_path: Path, *, override: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        plan_evaluation(run, tmp_path / "out", load_manifest(run / "manifest.yaml", [override]))
    assert not (tmp_path / "out").exists()


def test_an_unfinished_run_is_refused_with_the_way_to_finish_it(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "controlnet")
    with pytest.raises(ValueError, match=r"no ControlNet is there yet. Finish the run: .* --resume"):
        plan_evaluation(tmp_path / "run", tmp_path / "out", load_manifest(run / "manifest.yaml"))


def test_a_family_made_with_other_settings_is_refused_with_both_fingerprints(run: Path, tmp_path: Path) -> None:
    manifest = load_manifest(run / "manifest.yaml")
    other = write_dataset(tmp_path / "playroom", settings=["canny.low=90"])
    here, there = other.card("canny").fingerprint, plan_evaluation(run, tmp_path / "one", manifest).family_fingerprint
    manifest = load_manifest(run / "manifest.yaml", [f"dataset={other.root}"])
    with pytest.raises(ValueError, match=rf"fingerprint {here}, but the run was trained on {there}"):
        plan_evaluation(run, tmp_path / "two", manifest)


def test_what_came_with_the_corpus_is_trained_on_and_not_evaluated(
    run: Path, base_folder: Path, tmp_path: Path
) -> None:
    manifest = write_manifest(tmp_path / "toy.yaml", run.parent / "playroom", base_folder)
    train(manifest, tmp_path / "run", "--set", "condition=truth_edges")
    with pytest.raises(ValueError, match=r"'truth_edges' came with the corpus, .* train on a detector's family"):
        plan_evaluation(tmp_path / "run", tmp_path / "out", load_manifest(tmp_path / "run" / "manifest.yaml"))
    assert not (tmp_path / "out").exists()


def test_a_base_that_changed_since_training_is_refused_before_anything_is_drawn(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    provenance = tmp_path / "run" / "provenance.json"
    trained_on = load_provenance(run).base_digest
    manifest = load_manifest(run / "manifest.yaml")
    assert load_setup(plan_evaluation(run, tmp_path / "same", manifest), torch.device("cpu"))
    provenance.write_text(provenance.read_text().replace(trained_on, "0123456789abcdef"))
    task = plan_evaluation(tmp_path / "run", tmp_path / "out", manifest)
    with pytest.raises(ValueError, match=rf"trained on \({trained_on}, not 0123456789abcdef\). Put the base back"):
        load_setup(task, torch.device("cpu"))


def test_a_folder_holds_one_evaluation(run: Path, tmp_path: Path) -> None:
    plan_evaluation(run, tmp_path, load_manifest(run / "manifest.yaml"))
    plan_evaluation(run, tmp_path, load_manifest(run / "manifest.yaml", ["evaluate.batch_size=2"]))
    with pytest.raises(ValueError, match=r"holds another evaluation .*guidance"):
        plan_evaluation(run, tmp_path, load_manifest(run / "manifest.yaml", ["evaluate.guidance=3"]))


def test_what_is_missing_is_cut_into_spans_around_what_is_there(tmp_path: Path) -> None:
    for name in ("000003-000006", "000008-000009"):
        (tmp_path / f"{name}.parquet").touch()
    done = {number for span in finished(tmp_path) for number in span}
    missing = [number for number in range(12) if number not in done]
    assert in_spans(missing, 2) == [range(2), range(2, 3), range(6, 8), range(9, 11), range(11, 12)]
    assert in_spans(list(range(12)), 8) == [range(8), range(8, 12)]
    assert in_spans([], 8) == []


def test_an_evaluation_takes_over_which_rows_its_run_was_trained_on(run: Path, tmp_path: Path) -> None:
    manifest = load_manifest(run / "manifest.yaml")
    plan_evaluation(run, tmp_path / "out", manifest)
    assert read_spec(tmp_path / "out").account == resolve(manifest).account
    assert load_provenance(run).account == resolve(manifest).account
    kept = json.loads((run / "controlnet/provenance.json").read_text())["account"]
    assert kept["drawn"] == manifest.rows
