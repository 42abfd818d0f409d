import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from manifests.control import ControlSettings, Kind
from manifests.manifest import Manifest, load_manifest
from manifests.train_settings import TrainSettings
from tests.train.engines import engine_of
from train.diffusion import noised, sample_losses
from train.engine import Engine
from train.watch.fixed_rows import (
    BATCH,
    BINS,
    FixedRows,
    deranged,
    fix_rows,
    fixed_timesteps,
    losses,
    places,
    predict_alone,
    text_of,
)
from train.watch.monitor import Monitor, connection_norms, numbers_of
from train.watch.record import FILE, read_looks
from train.watch.samples import validation_pairs


@pytest.fixture
def manifest(manifest_path: Path) -> Manifest:
    return load_manifest(manifest_path, ["watch.monitor_every=2", "watch.monitor_rows=4"])


@pytest.fixture
def engine(base_folder: Path) -> Engine:
    return new_engine(base_folder)


@pytest.fixture
def rows(engine: Engine, manifest: Manifest) -> FixedRows:
    return fix_rows(engine.base, validation_pairs(manifest, rows=4))


def new_engine(base_folder: Path, *, learning_rate: float = 1e-3) -> Engine:
    train = TrainSettings(learning_rate=learning_rate, precision="no")
    return engine_of(str(base_folder), train=train, kind=ControlSettings(hint_weights="gaussian"))


def train_on(engine: Engine, rows: FixedRows, *, steps: int) -> None:
    """Lower the losses that the monitor measures, of all bins at once, on its own rows."""
    timesteps = torch.tensor(fixed_timesteps(1000)).repeat(len(rows.keys))
    latents, hints, present = (each.repeat_interleave(BINS, dim=0) for each in (rows.latents, rows.hints, rows.present))
    noise, text = rows.noise.flatten(0, 1), text_of(engine, rows.tokens.repeat_interleave(BINS, dim=0))
    noisy = noised(latents, noise, engine.shares[timesteps])
    for _ in range(steps):
        answer = engine.control(noisy, timesteps, text, hints, present)
        engine.accelerator.backward(sample_losses(answer, noise).mean())
        engine.optimizer.step()
        engine.optimizer.zero_grad()


def measured(engine: Engine, rows: FixedRows) -> dict[str, float]:
    with engine.result_weights() as control:
        found = [losses(engine, rows, predict, order) for predict, order in _looks(engine, control, rows)]
    return numbers_of(*(each.double().numpy() for each in found))


def _looks(engine: Engine, control: Any, rows: FixedRows) -> list[tuple[Any, torch.Tensor]]:
    return [(predict_alone(engine.base), rows.own), (control, rows.own), (control, rows.others)]


def state_of(engine: Engine) -> dict[str, torch.Tensor]:
    found = {f"weight {name}": value for name, value in engine.plain.state_dict().items()}
    for place, moments in engine.optimizer.state_dict()["state"].items():
        found |= {f"{name} {place}": torch.as_tensor(value) for name, value in moments.items()}
    return {name: value.clone() for name, value in found.items()}


def test_an_untrained_controlnet_has_exactly_no_gain_and_reads_no_hint(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    numbers = Monitor(engine, manifest, tmp_path)(2).numbers
    effects = {name: value for name, value in numbers.items() if name.startswith(("control/gain", "control/hint"))}
    assert len(effects) == 2 * (2 + BINS)
    assert set(effects.values()) == {0.0}
    assert set(connection_norms(engine.plain).values()) == {0.0}
    assert numbers["control/loss"] > 0


def test_a_control_that_learnt_what_its_hint_says_shows_gain_and_loses_it_under_another_hint(
    base_folder: Path, rows: FixedRows
) -> None:
    # White hints beside bright latents, black ones beside dark: without its hint nobody can know which.
    bright = torch.tensor([1.0, -1.0, 1.0, -1.0])[:, None, None, None]
    planted = replace(
        rows,
        latents=3 * bright.expand_as(rows.latents),
        hints=((1 + bright) / 2)[:, None].expand_as(rows.hints),
        tokens=rows.tokens[:1].expand_as(rows.tokens),
    )
    engine = new_engine(base_folder, learning_rate=3e-3)
    train_on(engine, planted, steps=20)
    numbers = measured(engine, planted)
    assert numbers["control/gain"] > 0.1 > numbers["control/gain_se"] > 0
    assert numbers["control/hint"] > 0.04 > numbers["control/hint_se"] > 0
    assert numbers["control/hint"] == pytest.approx(np.mean([numbers[f"control/hint_bin{bin}"] for bin in range(BINS)]))
    norms = connection_norms(engine.plain)
    assert [*norms] == [*(f"zero_norm/down{place}" for place in range(len(norms) - 1)), "zero_norm/mid"]
    assert min(norms.values()) > 0


def test_looking_leaves_weights_optimiser_and_generators_as_they_are(
    base_folder: Path, manifest: Manifest, rows: FixedRows, tmp_path: Path
) -> None:
    watched, unwatched = new_engine(base_folder), new_engine(base_folder)
    monitor = Monitor(watched, manifest, tmp_path)
    generators = torch.get_rng_state(), random.getstate(), str(np.random.get_state())  # noqa: NPY002
    for step in range(1, 4):
        train_on(watched, rows, steps=1)
        monitor(step)
        train_on(unwatched, rows, steps=1)
    assert torch.equal(torch.get_rng_state(), generators[0])
    assert (random.getstate(), str(np.random.get_state())) == generators[1:]  # noqa: NPY002
    assert watched.plain.training
    assert all(weight.grad is None for weight in watched.plain.parameters())
    left, right = state_of(watched), state_of(unwatched)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_the_rows_and_their_losses_are_the_same_in_every_run(
    base_folder: Path, manifest: Manifest, tmp_path: Path
) -> None:
    found = []
    for seed in (0, 1):
        other = manifest.model_copy(update={"train": manifest.train.model_copy(update={"seed": seed})})
        Monitor(new_engine(base_folder), other, tmp_path / str(seed))(2)
        found.append((tmp_path / str(seed) / FILE).read_text())
    assert found[0] == found[1]


def test_it_looks_at_multiples_and_at_the_end_and_never_when_turned_off(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    def due(every: int) -> list[int]:
        watch = manifest.watch.model_copy(update={"monitor_every": every})
        monitor = Monitor(engine, manifest.model_copy(update={"watch": watch}), tmp_path)
        return [step for step in range(1, manifest.train.steps + 1) if monitor.due(step)]

    assert due(4) == [4, 6]
    assert due(0) == []


def test_a_run_that_goes_on_drops_later_looks_and_one_cut_off_in_writing(
    base_folder: Path, manifest: Manifest, tmp_path: Path
) -> None:
    first = Monitor(new_engine(base_folder), manifest, tmp_path)
    for step in (2, 4, 6):
        first(step)
    with (tmp_path / FILE).open("a") as file:
        file.write('{"step": 8, "ke')
    looks = read_looks(tmp_path)
    assert looks is not None
    assert looks.steps.tolist() == [2, 4, 6]
    Monitor(new_engine(base_folder), manifest, tmp_path)(4)
    assert [json.loads(line)["step"] for line in (tmp_path / FILE).read_text().splitlines()] == [2, 4]


def test_weights_that_are_no_numbers_stop_the_training_and_the_reason_names_step_and_way_out(
    engine: Engine, manifest: Manifest, tmp_path: Path
) -> None:
    with torch.no_grad():
        next(engine.plain.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match=r"at step 1,000 losses that are no numbers in 4 of 4.*learning_rate.*bf16"):
        Monitor(engine, manifest, tmp_path)(1_000)
    assert read_looks(tmp_path) is None


def test_a_single_held_out_row_is_said_once_to_be_too_few(engine: Engine, manifest: Manifest, tmp_path: Path) -> None:
    watch = manifest.watch.model_copy(update={"monitor_rows": 1})
    monitor = Monitor(engine, manifest.model_copy(update={"watch": watch}), tmp_path)
    assert "needs two rows" in monitor(2).warnings[0]
    assert not monitor.due(4)


def test_every_row_that_has_a_condition_is_shown_the_hint_of_another_one_that_has_it() -> None:
    order = deranged(torch.tensor([1.0, 0.0, 1.0, 1.0]))
    assert order.tolist() == [2, 1, 3, 0]


def test_conditions_are_shuffled_each_by_itself_and_a_row_keeps_lacking_what_it_lacks(rows: FixedRows) -> None:
    two = replace(
        rows,
        hints=rows.hints.expand(-1, 2, -1, -1, -1),
        present=torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
    )
    assert two.own.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert two.others.tolist() == [[1, 0], [2, 3], [3, 2], [0, 1]]


def test_a_v_prediction_base_is_held_against_the_velocity(engine: Engine, rows: FixedRows) -> None:
    engine.base.scheduler.register_to_config(prediction_type="v_prediction")

    def perfect(noisy: torch.Tensor, timesteps: torch.Tensor, *_: Any) -> torch.Tensor:
        shares = engine.shares[timesteps][:, None, None, None]
        noise = (noisy - shares.sqrt() * rows.latents) / (1 - shares).sqrt()
        return shares.sqrt() * noise - (1 - shares).sqrt() * rows.latents

    assert float(losses(engine, rows, perfect, rows.own).max()) < 1e-6


@pytest.mark.parametrize("processes", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [2, 5, 32, 50])
def test_processes_share_the_rows_in_batches_of_one_size(processes: int, count: int) -> None:
    shared = [places(count, process=process, processes=processes) for process in range(processes)]
    sizes = {len(batch) for batches in shared for batch in batches}
    assert len(sizes) == 1
    assert max(sizes) <= BATCH
    assert len({len(batches) for batches in shared}) == 1
    together = [number for batches in shared for batch in batches for number in batch]
    assert together[:count] == [*range(count)]


def test_the_timesteps_lie_in_the_middle_of_eight_equal_bins() -> None:
    assert fixed_timesteps(1000) == [62, 187, 312, 437, 562, 687, 812, 937]


@pytest.mark.parametrize("kind", ["film", "lite", "mid_only"])
def test_connections_of_other_kinds_are_found_and_are_zero_at_first(base_folder: Path, kind: Kind) -> None:
    engine = engine_of(str(base_folder), kind=ControlSettings(kind=kind))
    norms = connection_norms(engine.plain)
    assert norms
    assert set(norms.values()) == {0.0}
