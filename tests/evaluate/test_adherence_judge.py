from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from annotate.weights import offline
from evaluate.adherence_judge import AdherenceJudge, load_judge
from evaluate.batch import load_setup, run_batch
from evaluate.plan import plan_evaluation
from evaluate.reannotate import load_reannotator
from evaluate.samples import Wanted, read_samples
from evaluate.scores import matrix
from manifests.dataset import Dataset
from manifests.family import FamilyCard, create_card
from manifests.manifest import Manifest, load_manifest
from tests.toy_run import write_dataset
from tests.train.engines import engine_of
from tests.train.watch.test_judge import ADHERENCE, install
from train.control.registry import load_control
from train.hints import as_picture
from train.watch.probe import Probe
from train.watch.samples import read_pairs, validation_rows

CPU = torch.device("cpu")


@pytest.fixture
def manifest(run: Path) -> Manifest:
    return load_manifest(run / "manifest.yaml", ["watch.probe_every=1", "watch.probe_rows=3"])


@pytest.fixture
def rows(manifest: Manifest) -> pa.Table:
    return validation_rows(manifest, rows=3)


def test_a_probe_scores_what_an_evaluation_of_the_same_rows_scores(
    run: Path, manifest: Manifest, rows: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captions, seeds, crops, sampler, re-annotation and measure are alike."""
    install(tmp_path, ADHERENCE)
    monkeypatch.syspath_prepend(tmp_path)
    setup = load_setup(plan_evaluation(run, tmp_path / "evaluation", manifest), CPU)
    _, scores = run_batch(setup, rows, [(place, 0) for place in range(3)])
    arms = ["controlled", "floor", "ceiling"]
    expected = matrix(scores, measure="f1_1px", arms=arms)[1].mean(axis=0)
    engine = engine_of(manifest.base)
    engine.plain.load_state_dict(load_control(run / "controlnet", engine.base.unet).state_dict())
    numbers = Probe(engine, manifest, tmp_path)(1).numbers
    found = [numbers[f"probe/f1_1px{end}"] for end in ("", "_floor", "_ceiling")]
    assert found == pytest.approx(expected.tolist(), abs=0.01)  # batches of other sizes round otherwise
    assert found[0] != found[1]


def test_the_real_picture_scores_one_and_shows_its_own_hint(manifest: Manifest, rows: pa.Table) -> None:
    pairs = read_pairs(manifest, rows)
    judge = load_judge(manifest, rows, CPU)
    verdicts = judge(np.stack([pair.image for pair in pairs]), [0, 1, 2])
    assert [verdict.score for verdict in verdicts] == [1, 1, 1]
    assert all(np.array_equal(v.found, as_picture(pair.hint)) for v, pair in zip(verdicts, pairs, strict=True))
    assert (judge.measure, judge.higher_is_better) == ("f1_1px", True)


def test_each_picture_is_held_against_the_row_it_was_drawn_for(manifest: Manifest, rows: pa.Table) -> None:
    judge, (first, second, _) = load_judge(manifest, rows, CPU), read_pairs(manifest, rows)
    right = judge(np.stack([second.image, first.image]), [1, 0])
    wrong = judge(np.stack([second.image, first.image]), [0, 1])
    assert [verdict.score for verdict in right] == [1, 1]
    assert all(verdict.score < 0.9 for verdict in wrong)


def test_a_row_that_asks_for_nothing_has_no_score(manifest: Manifest, rows: pa.Table) -> None:
    dataset = Dataset.open(manifest.dataset)
    reannotator = load_reannotator(dataset, "canny", fingerprint=dataset.card("canny").fingerprint, device=CPU)
    samples = read_samples(dataset, Wanted("canny", 128), rows)
    blank = replace(samples[0], condition=np.zeros_like(samples[0].condition))
    verdicts = AdherenceJudge(reannotator, [blank, samples[1]])(
        np.stack([sample.image for sample in samples[:2]]), [0, 1]
    )
    assert np.isnan(verdicts[0].score)
    assert verdicts[1].score == 1


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A dataset with families that no judge can do with."""
    dataset = write_dataset(tmp_path_factory.mktemp("odd") / "playroom")
    create_card(dataset.root, FamilyCard(family="said", annotator="caption", version=1, kind="text"))
    create_card(dataset.root, FamilyCard(family="hed", annotator="hed", version=1, kind="soft"))
    return dataset


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("truth_edges", r"'truth_edges' came with the corpus, .* train on a detector's family"),
        ("said", r"nothing measures conditions of annotator 'caption'"),
        ("hed", r"hed.*PAIRMILL_WEIGHTS"),
    ],
)
def test_what_can_not_be_judged_is_refused_with_the_way_out(
    manifest: Manifest, rows: pa.Table, odd: Dataset, *, family: str, words: str
) -> None:
    asked = manifest.model_copy(update={"dataset": odd.root, "condition": family})
    with offline(), pytest.raises(ValueError, match=rf"(?s){words}"):
        load_judge(asked, rows, CPU)
