"""Further conditions: shown to the control beside the one that is scored."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluate.batch import draw_arms, hints_of, load_setup, run_batch
from evaluate.measures.edges import EDGES
from evaluate.plan import plan_evaluation, trained_steps
from evaluate.retrieval import RETRIEVAL
from evaluate.samples import Wanted, read_samples
from evaluate.spec import Protocol
from manifests.dataset import Dataset
from manifests.manifest import Manifest, load_manifest
from tests.evaluate.synthetic import spec
from train.control.registry import build_control
from train.control.weights import weights_of
from train.watch.samples import read_pairs, validation_rows

CPU = torch.device("cpu")
FURTHER = ("truth_depth", "truth_openpose")  # of which the second is empty where nobody stands


@pytest.fixture
def several(run: Path) -> Manifest:
    return load_manifest(run / "manifest.yaml").model_copy(update={"further_conditions": FURTHER})


def test_training_and_evaluation_show_the_same_hints(several: Manifest, run: Path, tmp_path: Path) -> None:
    setup = load_setup(plan_evaluation(run, tmp_path, several), CPU)
    rows = validation_rows(several, rows=4)
    pairs = read_pairs(several, rows)
    hints = hints_of(setup, read_samples(setup.dataset, Wanted("canny", 128, FURTHER), rows))
    assert hints.drawn.shape == (4, 3, 3, 128, 128)
    assert torch.equal(hints.drawn, torch.stack([pair.hints for pair in pairs]))
    assert torch.equal(hints.present, torch.stack([pair.present for pair in pairs]))
    assert hints.present[:, :2].all()
    assert all(bool(hints.drawn[row, 2].any()) == bool(hints.present[row, 2]) for row in range(4))


def test_a_row_without_a_condition_is_shown_black_and_marked(several: Manifest) -> None:
    rows = validation_rows(several, rows=100)
    dataset = Dataset.open(several.dataset)
    empty = [
        dataset.read("truth_openpose", place["shard"], ["status"])["status"][place["row"]].as_py() != "ok"
        for place in rows.to_pylist()
    ]
    assert any(empty)
    assert not all(empty)
    present = [float(pair.present[2]) for pair in read_pairs(several, rows)]
    assert present == [0.0 if nobody else 1.0 for nobody in empty]


def test_the_same_square_is_cut_of_all_conditions(several: Manifest) -> None:
    """A further condition that is the first one gives the first one's hint, at a crop smaller than the picture."""
    twice = several.model_copy(update={"further_conditions": ("canny",), "resolution": 96})
    for pair in read_pairs(twice, validation_rows(twice, rows=3)):
        assert torch.equal(pair.hints[0], pair.hints[1])


def test_what_a_further_condition_says_changes_what_is_drawn(several: Manifest, run: Path, tmp_path: Path) -> None:
    setup = load_setup(plan_evaluation(run, tmp_path, several), CPU)
    control = build_control(setup.base.unet, several.control, seed=0, conditions=3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in control.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    setup = replace(setup, control=control.eval())
    rows = plan_evaluation(run, tmp_path, several).places.slice(0, 2)
    samples = read_samples(setup.dataset, Wanted("canny", 128, FURTHER), rows)
    without = [replace(sample, further=(None, None)) for sample in samples]
    drawn, other = (draw_arms(setup, each, [0, 0]) for each in (samples, without))
    assert np.array_equal(drawn["floor"], other["floor"])
    assert not np.array_equal(drawn["controlled"], other["controlled"])
    _, scores = run_batch(setup, rows, [(0, 0), (1, 0)])
    measures = {measure.name for measure in EDGES.measures} | {RETRIEVAL.name}
    assert set(scores["measure"].to_pylist()) == measures  # of canny alone


def test_further_conditions_are_part_of_the_protocol_and_change_no_other_fingerprint(
    several: Manifest, run: Path, tmp_path: Path
) -> None:
    assert spec().protocol.fingerprint == "f1cc2faf6073ce47"  # of before there were further conditions
    assert spec().fingerprint == "e641ef7c1dd0c360"
    plain: Protocol = spec().protocol
    assert replace(plain, further={"depth": "0"}).fingerprint != plain.fingerprint
    plan_evaluation(run, tmp_path, several)
    with pytest.raises(ValueError, match=r"another evaluation .*further"):
        plan_evaluation(run, tmp_path, load_manifest(run / "manifest.yaml"))


@pytest.mark.parametrize(
    ("family", "words"), [("depht", "no condition 'depht'"), ("canny_half", "canny_half lacks 1 shards. Finish it: ")]
)
def test_a_further_condition_that_is_not_all_there_is_refused(
    several: Manifest, run: Path, tmp_path: Path, *, family: str, words: str
) -> None:
    half = Dataset.open(several.dataset).root / "canny_half"
    half.mkdir(exist_ok=True)
    card = json.loads((half.parent / "canny" / "annotator.json").read_text())
    (half / "annotator.json").write_text(json.dumps({**card, "family": "canny_half"}))
    try:
        with pytest.raises(ValueError, match=words):
            plan_evaluation(run, tmp_path, several.model_copy(update={"further_conditions": (family,)}))
    finally:
        (half / "annotator.json").unlink()
        half.rmdir()


def test_the_steps_of_an_evaluation_are_those_of_the_weights(run: Path, tmp_path: Path) -> None:
    again = shutil.copytree(run, tmp_path / "run")
    with (again / "log.jsonl").open("a") as log:
        log.write('{"step": 100, "loss": 0.1}\n')  # of a longer training, that was killed
    assert trained_steps(again) == load_manifest(run / "manifest.yaml").train.steps


def test_weights_of_all_nets_count_and_no_file_beside_them(tmp_path: Path) -> None:
    for name in ("0/diffusion_pytorch_model.safetensors", "1/control.safetensors", "0/for_another_program.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.parent.name for path in weights_of(tmp_path)] == ["0", "1"]
