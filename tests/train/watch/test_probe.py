import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from manifests.dataset import Dataset
from manifests.manifest import Manifest, load_manifest
from tests.toy_run import write_dataset, write_manifest
from tests.train.engines import engine_of
from tests.train.watch.test_judge import ADHERENCE, install
from train.engine import Engine
from train.grid import GAP, LINE
from train.watch.observe import OBSERVED_FILE, Findings
from train.watch.probe import Probe
from train.watch.probe_set import share

SIDE = 128
WATCHED = ["watch.probe_every=2", "watch.probe_rows=3", "train.steps=9"]


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A dataset whose edges a judge can find again."""
    return write_dataset(tmp_path_factory.mktemp("data") / "playroom")


@pytest.fixture
def manifest(rooms: Dataset, base_folder: Path, tmp_path: Path) -> Manifest:
    """Three pictures of two steps each, in batches of two."""
    path = write_manifest(tmp_path / "toy.yaml", Path(str(rooms.root)), base_folder)
    return load_manifest(path, [*WATCHED, "evaluate.batch_size=2"])


@pytest.fixture
def engine(base_folder: Path) -> Engine:
    return engine_of(str(base_folder))


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of this checkout, whatever is installed."""
    (tmp_path / "installed").mkdir()
    install(tmp_path / "installed", ADHERENCE)
    monkeypatch.syspath_prepend(tmp_path / "installed")


def changed(manifest: Manifest, **watch: object) -> Manifest:
    return manifest.model_copy(update={"watch": manifest.watch.model_copy(update=watch)})


def train_a_little(engine: Engine) -> None:
    """Weights as if they had been trained: none is zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in engine.plain.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)


def note(run: Path, found: Findings, step: int) -> None:
    """Write what was found where the log of a run does."""
    with (run / OBSERVED_FILE).open("a") as file:
        file.write(json.dumps({"step": step, **found.numbers}) + "\n")


@pytest.mark.usefixtures("judged")
def test_an_untrained_control_scores_what_the_base_scores_by_itself(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    found = Probe(engine, manifest, tmp_path)(2)
    numbers = found.numbers
    assert numbers["probe/f1_1px"] == numbers["probe/f1_1px_floor"]
    assert numbers["probe/floor_to_ceiling"] == 0
    assert 0 < numbers["probe/f1_1px_ceiling"] < 1
    assert found.best == numbers["probe/f1_1px"]
    assert found.stop == ""
    assert "drift/red" in numbers


@pytest.mark.usefixtures("judged")
def test_a_probe_repeats_itself_and_leaves_weights_and_generators_as_they_were(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    train_a_little(engine)
    weights = {name: value.clone() for name, value in engine.plain.state_dict().items()}
    probe, state = Probe(engine, manifest, tmp_path), torch.get_rng_state()
    first, second = probe(2), probe(4)
    again = Probe(engine, manifest, tmp_path)(2)
    assert first.numbers == second.numbers == again.numbers
    assert first.numbers["probe/f1_1px"] != first.numbers["probe/f1_1px_floor"]
    assert np.array_equal(first.pictures["probe"], again.pictures["probe"])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, weights[name]) for name, value in engine.plain.state_dict().items())
    assert engine.plain.training
    assert all(parameter.grad is None for parameter in engine.plain.parameters())


@pytest.mark.usefixtures("judged")
def test_the_grid_shows_hint_real_drawn_and_what_is_found_in_it(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    found = Probe(engine, manifest, tmp_path)(4)
    kept = np.asarray(Image.open(tmp_path / "samples" / "step-000004.png"))
    assert kept.shape == (LINE + 3 * (LINE + SIDE + GAP), 4 * (SIDE + GAP), 3)
    assert np.array_equal(kept, found.pictures["probe"])
    top, width = 2 * LINE, SIDE + GAP
    tiles = [kept[top : top + SIDE, width * column : width * column + SIDE] for column in range(4)]
    assert [len(np.unique(tile)) == 2 for tile in tiles] == [True, False, False, True]  # edges are black and white


@pytest.mark.usefixtures("judged")
def test_what_is_best_and_when_to_stop_is_known_after_an_interruption(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    patient = changed(manifest, patience=2)
    score = Probe(engine, patient, tmp_path)(2).numbers["probe/f1_1px"]
    for step, earlier in ((2, score + 0.2), (4, score - 0.2), (9, score + 0.4)):
        note(tmp_path, Findings({"probe/f1_1px": earlier}), step)
    found = Probe(engine, patient, tmp_path)(6)  # of step 9 nothing may be known before it
    assert found.best is None
    assert found.stop == f"2 probes without a better f1_1px than {score + 0.2:.4f}, that of step 2"
    assert Probe(engine, changed(manifest, patience=3), tmp_path)(6).stop == ""
    assert Probe(engine, patient, tmp_path)(9).stop == ""  # it ends there anyway


def test_without_a_judge_pictures_are_kept_and_one_warning_says_why(
    manifest_path: Path, base_folder: Path, tmp_path: Path
) -> None:
    """The edges of this dataset are of settings that no canny here has."""
    probe = Probe(engine_of(str(base_folder)), load_manifest(manifest_path), tmp_path)
    first, second = probe(3), probe(6)
    assert [len(found.warnings) for found in (first, second)] == [1, 0]
    assert first.warnings[0].startswith("probes are drawn and not scored: ")
    assert first.best is None
    assert not any(name.startswith("probe/") for name in first.numbers)
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == ["step-000003.png", "step-000006.png"]
    assert first.pictures["probe"].shape[1] == 3 * (32 + GAP)  # hint, real and drawn


@pytest.mark.parametrize("asked", [{"patience": 3}, {"export": "best"}])
def test_what_goes_by_scores_is_refused_before_the_first_step_where_there_are_none(
    manifest_path: Path, base_folder: Path, tmp_path: Path, *, asked: dict[str, object]
) -> None:
    manifest, engine = load_manifest(manifest_path), engine_of(str(base_folder))
    with pytest.raises(ValueError, match=r"go by the probes' score, and probes are drawn and not scored: "):
        Probe(engine, changed(manifest, **asked), tmp_path)
    with pytest.raises(ValueError, match=r"watch.probe_every = 0, .* means none. Raise them"):
        Probe(engine, changed(manifest, probe_every=0, **asked), tmp_path)


def test_a_dataset_without_validation_rows_is_said_to_have_none(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    found = Probe(engine, manifest.model_copy(update={"parts": (7,)}), tmp_path)(2)
    assert len(found.warnings) == 1
    assert "the validation split of" in found.warnings[0]
    assert not found.pictures


@pytest.mark.usefixtures("judged")
def test_weights_that_are_no_numbers_are_noticed_and_never_the_best(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    with torch.no_grad():
        next(engine.plain.parameters()).fill_(float("nan"))
    found = Probe(engine, manifest, tmp_path)(2)
    assert found.best is None
    assert found.warnings[0].startswith("3 of 3 pictures could not be drawn: their latents are not finite.")
    assert not any(name.startswith("drift/") for name in found.numbers)


def test_probes_are_due_every_so_many_steps_and_at_the_end(engine: Engine, manifest: Manifest, tmp_path: Path) -> None:
    probe = Probe(engine, manifest, tmp_path)
    assert [step for step in range(1, 10) if probe.due(step)] == [2, 4, 6, 8, 9]
    for never in ({"probe_every": 0}, {"probe_rows": 0}):
        probe = Probe(engine, changed(manifest, **never), tmp_path)
        assert not any(probe.due(step) for step in range(1, 10))


@pytest.mark.parametrize(("rows", "processes"), [(5, 1), (6, 2), (5, 2), (1, 4), (16, 3)])
def test_processes_share_the_rows_and_draw_equally_many(rows: int, processes: int) -> None:
    shares = [share(rows, process=process, processes=processes) for process in range(processes)]
    assert {number for each in shares for number in each} == set(range(rows))
    assert len({len(each) for each in shares}) == 1
    assert len(shares[0]) == -(-rows // processes)
