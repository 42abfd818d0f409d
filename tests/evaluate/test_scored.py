"""Which of several conditions is scored, what is shown beside it, and what makes the pictures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from evaluate.adherence import ADHERENCE
from evaluate.batch import Setup, draw_arms, hints_of, load_setup, run_batch
from evaluate.beside import accompanied
from evaluate.plan import Task, plan_evaluation
from evaluate.report.method import made_how
from evaluate.report.report import write_report
from evaluate.samples import Sample, read_samples
from evaluate.spec import Protocol, read_spec, write_spec
from manifests.dataset import Dataset
from manifests.evaluate_settings import EvaluateSettings
from manifests.index import build_index, read_index
from manifests.manifest import load_manifest
from manifests.subset import resolve
from tests.evaluate.synthetic import spec, write_evaluation
from tests.toy_run import annotate, train, write_dataset, write_manifest
from train.sampler import Hints, draw, first_noise, sample_seed
from train.sdedit import edit
from train.watch.samples import read_pairs

CPU = torch.device("cpu")
FAMILIES = ("canny", "openpose")  # people stand in some rows alone


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, base_folder: Path) -> Path:
    """A run that was shown edges and, where there are some, people; its weights are moved far from where they began."""
    home = tmp_path_factory.mktemp("both")
    dataset = write_dataset(home / "playroom")
    annotate(dataset, "openpose", settings=["openpose.model=tiny"])
    build_index(dataset)
    manifest = write_manifest(home / "toy.yaml", dataset.root, base_folder)
    train(manifest, home / "run", "--set", "further_conditions=[openpose]", "--set", "train.learning_rate=0.3")
    return home / "run"


def planned(run: Path, out: Path, *settings: str) -> Task:
    return plan_evaluation(run, out, load_manifest(run / "manifest.yaml", [f"evaluate.{each}" for each in settings]))


@pytest.fixture(scope="module")
def setups(both: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Setup]:
    """What setups each family."""
    home = tmp_path_factory.mktemp("setups")
    return {family: load_setup(planned(both, home / family, f"scored={family}"), CPU) for family in FAMILIES}


@pytest.fixture(scope="module")
def rows(both: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Test rows in which people stand."""
    return planned(both, tmp_path_factory.mktemp("rows"), "scored=openpose").places


def samples(setup: Setup, rows: pa.Table) -> list[Sample]:
    return read_samples(setup.dataset, setup.wanted, rows)


def test_hints_are_shown_in_the_trained_order_whatever_is_scored(
    both: Path, setups: dict[str, Setup], rows: pa.Table
) -> None:
    trained = read_pairs(load_manifest(both / "manifest.yaml"), rows)
    for family in FAMILIES:
        hints = hints_of(setups[family], samples(setups[family], rows))
        assert torch.equal(hints.drawn, torch.stack([pair.hints for pair in trained]))
        assert torch.equal(hints.present, torch.ones(len(rows), 2))


def test_a_row_that_lacks_the_unscored_first_condition_is_shown_black_at_its_place(setups: dict[str, Setup]) -> None:
    setup = replace(setups["canny"], wanted=replace(setups["canny"].wanted, place=1))  # as if people came first
    index = read_index(setup.dataset, "openpose", ["status"])["status"]
    everything = read_index(setup.dataset, "rows", ["key", "shard", "row"])
    nobody = everything.filter(pc.not_equal(index, "ok")).slice(0, 2)
    hints = hints_of(
        setup, samples(setup, nobody.cast(pa.schema([("key", "string"), ("shard", "string"), ("row", "int32")])))
    )
    assert hints.present.tolist() == [[0, 1]] * 2
    assert not hints.drawn[:, 0].any()
    assert hints.drawn[:, 1].any()


def test_held_out_rows_are_those_in_which_the_scored_family_is_ok(both: Path, tmp_path: Path) -> None:
    people, edges = (planned(both, tmp_path / name, f"scored={name}", "samples=100") for name in ("openpose", "canny"))
    dataset = Dataset.open(people.manifest.dataset)
    status, keys = read_index(dataset, "openpose", ["status"])["status"], read_index(dataset, "rows", ["key"])["key"]
    ok = set(keys.filter(pc.equal(status, "ok")).to_pylist())
    assert set(people.places["key"].to_pylist()) == set(edges.places["key"].to_pylist()) & ok
    assert 2 < len(people.places) < len(edges.places)


def test_of_the_train_split_rows_without_the_scored_condition_are_left_out(both: Path, tmp_path: Path) -> None:
    task = planned(both, tmp_path, "scored=openpose", "split=train", "samples=100")
    drawn = resolve(task.manifest).rows["key"].to_pylist()
    kept = task.places["key"].to_pylist()
    assert kept == [key for key in drawn if key in kept]
    assert 0 < len(kept) < len(drawn)


def test_pictures_are_annotated_and_measured_as_the_scored_family(
    both: Path, setups: dict[str, Setup], rows: pa.Table, tmp_path: Path
) -> None:
    protocol, card = protocol_of(both, tmp_path, "scored=openpose"), setups["openpose"].dataset.card("openpose")
    assert (protocol.condition, protocol.annotator, protocol.annotator_fingerprint) == (
        *("openpose", "openpose"),
        card.fingerprint,
    )
    assert protocol.measures_version == ADHERENCE["openpose"].version
    assert protocol.truth.keys() == {"truth_openpose"}
    assert protocol.further == {"canny": setups["canny"].reannotator.card.fingerprint}
    _, scores = run_batch(setups["openpose"], rows, [(0, 0), (1, 0)])
    primary = scores.filter(pc.equal(scores["measure"], ADHERENCE["openpose"].primary.name))
    assert set(primary.filter(pc.equal(primary["arm"], "oracle"))["value"].to_pylist()) == {1.0}


def protocol_of(run: Path, out: Path, *settings: str) -> Protocol:
    planned(run, out, *settings)
    return read_spec(out).protocol


def test_another_samples_condition_is_shown_beside_the_own_one(setups: dict[str, Setup], rows: pa.Table) -> None:
    setup = setups["openpose"]
    read = samples(setup, rows.slice(0, 3))
    lacking = replace(read[1], further=(None,))
    changed = accompanied(read[0], "another", others=[lacking, read[2]])
    assert changed.further[0] is read[2].further[0]
    assert changed.condition is read[0].condition
    own, other = (hints_of(setup, [each]) for each in (read[0], changed))
    assert torch.equal(other.drawn[0, 1], own.drawn[0, 1])
    assert torch.equal(other.drawn[0, 0], hints_of(setup, [read[2]]).drawn[0, 0])
    assert not torch.equal(other.drawn[0, 0], own.drawn[0, 0])
    with pytest.raises(ValueError, match=r"evaluate.beside: another: none of the 1 samples .* set evaluate.beside to"):
        accompanied(read[0], "another", others=[lacking])


def test_what_is_shown_beside_reaches_the_control_and_no_other_arm(setups: dict[str, Setup], rows: pa.Table) -> None:
    setup = setups["openpose"]
    ways = {
        beside: panel(replace(setup, settings=setup.settings.model_copy(update={"beside": beside})), rows)
        for beside in ("own", "another", "none")
    }
    read = samples(setup, rows.slice(0, 2))
    by_hand = draw_arms(setup, [replace(read[0], further=read[1].further)], [0])["controlled"][0]
    assert np.array_equal(ways["another"]["drawn"], by_hand)
    for one, other in (("own", "another"), ("own", "none"), ("another", "none")):
        assert not np.array_equal(ways[one]["drawn"], ways[other]["drawn"])
        for same in ("condition", "real", "floor", "ceiling"):
            assert np.array_equal(ways[one][same], ways[other][same])


def panel(setup: Setup, rows: pa.Table) -> dict[str, np.ndarray]:
    panels, _ = run_batch(setup, rows, [(0, 0)])
    return panels[0].pictures


def test_nothing_beside_is_what_a_masked_hint_is(setups: dict[str, Setup], rows: pa.Table) -> None:
    setup = setups["openpose"]
    read = samples(setup, rows.slice(0, 2))
    without = [accompanied(sample, "none", others=[]) for sample in read]
    hints = hints_of(setup, read)
    masked = Hints(hints.drawn, torch.tensor([[0.0, 1.0]] * 2))
    assert torch.equal(hints_of(setup, without).present, masked.present)
    captions, noise = [sample.caption(0) for sample in read], noise_of(setup, read)
    drawn = draw(setup.base, setup.control, captions, masked, noise=noise, sampling=setup.sampling)
    assert np.array_equal(draw_arms(setup, without, [0, 0])["controlled"], drawn)


def noise_of(setup: Setup, read: Sequence[Sample]) -> torch.Tensor:
    seeds = [sample_seed(setup.settings.seed, key=sample.key, draw=0) for sample in read]
    return first_noise(setup.base, seeds, resolution=setup.sampling.resolution)


def test_the_hint_itself_or_sdedit_of_it_takes_the_place_of_what_the_control_draws(
    both: Path, setups: dict[str, Setup], tmp_path: Path
) -> None:
    plain = setups["canny"]
    for method in ("hint", "sdedit"):
        task = planned(both, tmp_path / method, f"method={method}", "strength=0.5", "steps=4")
        setup = load_setup(task, CPU)
        assert setup.control is None
        panels, _ = run_batch(setup, task.places, [(0, 0)])
        read = samples(setup, task.places.slice(0, 1))
        asked = hints_of(setup, read).drawn[:, 0]
        wanted = edit(setup.base, [read[0].caption(0)], asked, noise=noise_of(setup, read), sampling=setup.sampling)[0]
        shown = panels[0].pictures
        assert np.array_equal(shown["drawn"], shown["condition"] if method == "hint" else wanted)
        steps = replace(plain, sampling=replace(plain.sampling, steps=4))
        assert np.array_equal(shown["floor"], draw_arms(steps, read, [0])["floor"][0])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["scored=depth"], r"'depth' was not shown in training. Take one of canny, openpose"),
        (["beside=none", "method=hint"], r"method hint draws from the hint of 'canny' alone"),
        (["method=hint", "control_scale=0.5"], r"evaluate.control_scale: method hint draws without the control"),
        (["method=sdedit", "steps=10", "strength=0.05"], r"strength 0.05 of 10 steps is not one step"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    both: Path, tmp_path: Path, *, settings: list[str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        planned(both, tmp_path / "out", *settings)
    assert not (tmp_path / "out").exists()


def test_nothing_can_be_left_out_or_exchanged_where_one_condition_is_shown(run: Path, tmp_path: Path) -> None:
    for beside in ("none", "another"):
        with pytest.raises(ValueError, match=rf"evaluate.beside: {beside}: nothing is shown beside 'canny'"):
            planned(run, tmp_path, f"beside={beside}")


def test_a_further_condition_of_another_scale_is_not_scored(both: Path, tmp_path: Path) -> None:
    dataset = Dataset.open(load_manifest(both / "manifest.yaml").dataset)
    annotate(dataset, "small=canny", resolution=96)
    build_index(dataset)
    manifest = load_manifest(both / "manifest.yaml", ["further_conditions=[openpose, small]", "evaluate.scored=small"])
    with pytest.raises(ValueError, match=r"'small' was annotated at 96 pixels and 'canny', .* at 128"):
        plan_evaluation(both, tmp_path, manifest)


def test_to_name_the_first_condition_as_scored_is_to_name_none(both: Path, tmp_path: Path) -> None:
    named, plain = (protocol_of(both, tmp_path / name, *more) for name, more in (("a", ["scored=canny"]), ("b", [])))
    assert named.fingerprint == plain.fingerprint
    assert protocol_of(both, tmp_path / "c", "scored=openpose").fingerprint != plain.fingerprint


def test_protocols_of_before_these_settings_keep_their_fingerprint() -> None:
    now = EvaluateSettings(guess="code").model_dump(mode="json", exclude={"batch_size"})
    protocol = replace(spec().protocol, settings=now)
    assert protocol.fingerprint == "ee032838746f7575"  # as it was without the four names below
    for name, value in (("scored", "depth"), ("beside", "none"), ("method", "hint"), ("strength", 0.5)):
        other = replace(protocol, settings={**now, name: value})
        assert other.fingerprint != protocol.fingerprint


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "sdedit", "strength": 0.6}, "SDEdit redrew the canny hints, noised to 0.6 of the steps"),
        ({"method": "hint"}, "each is the canny hint itself"),
        ({"beside": "another"}, "Beside canny the control was shown depth of another sample"),
        ({"beside": "none"}, "The control was trained on depth too, and shown canny alone"),
        ({}, "Beside canny the control was shown depth of the same sample"),
    ],
)
def test_how_pictures_were_made_is_said_in_words(settings: dict[str, str | float], words: str) -> None:
    first = spec().protocol
    assert words in made_how(replace(first, further={"depth": "0"}, settings={**first.settings, **settings}))
    assert made_how(first) == ""


def test_a_report_says_whose_score_it_is(tmp_path: Path) -> None:
    write_evaluation(tmp_path, samples=4)
    first = read_spec(tmp_path)
    (tmp_path / "spec.json").unlink()
    settings = {**first.protocol.settings, "method": "hint"}
    write_spec(replace(first, protocol=replace(first.protocol, settings=settings)), tmp_path)
    for said in (write_report(tmp_path).read_text(), (tmp_path / "report.md").read_text()):
        assert "The hint itself" in said
        assert "No network drew them" in said
        assert "The ControlNet" not in said
