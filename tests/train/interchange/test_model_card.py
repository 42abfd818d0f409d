"""The card of a trained ControlNet, as the Hub parses it and as people read it."""

import hashlib
import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from upath import UPath

from manifests.family import FamilyCard, Weights
from manifests.licences import Licences
from manifests.manifest import load_manifest
from manifests.subset import resolve
from train.control.weights import DIFFUSERS_FILE as WEIGHTS
from train.interchange.measured import Measured, Row, measured
from train.interchange.model_card import Trained, rewrite_adherence, trained_by, write_model_card
from train.run_folder import claim, provenance_of

TINY_BASE = Path(__file__).parents[3] / "train/tiny_base/model"
F1 = Row("f1_1px", "share", higher_is_better=True, floor=0.17, drawn=0.59, ceiling=0.71, way=(0.76, 0.71, 0.82))
RMSE = Row("rmse", "", higher_is_better=False, floor=0.109, drawn=0.037, ceiling=math.nan)
OPENPOSE = Weights(
    file="body_pose.pth", sha256="ab" * 32, licence="CMU, non-commercial", source="lllyasviel/Annotators"
)


@pytest.fixture
def trained(manifest_path: Path) -> Trained:
    manifest = load_manifest(manifest_path)
    subset = resolve(manifest)
    provenance = provenance_of(manifest, subset, overrides=[], processes=1)
    return Trained(provenance, (subset.card,), Licences(Counter({"CC-BY-4.0": 48}), 0), steps=5)


def test_a_run_knows_what_its_card_tells(manifest_path: Path, tmp_path: Path) -> None:
    manifest = load_manifest(manifest_path)
    subset = resolve(manifest)
    provenance = provenance_of(manifest, subset, overrides=[], processes=1)
    claim(tmp_path / "run", manifest, provenance, resume=False)
    told = trained_by(subset.cards, manifest.dataset, tmp_path / "run", steps=3)
    assert (told.provenance, told.families, told.steps) == (provenance, (subset.card,), 3)
    assert told.pictures == Licences(Counter(), 0)  # this dataset has no source/
    gone = trained_by(subset.cards, UPath(tmp_path / "gone"), tmp_path / "run", steps=3)
    assert gone.pictures is None  # weights are not lost for want of a list of licences


def on(trained: Trained, base: str, **manifest: Any) -> Trained:
    said = {**trained.provenance.manifest, "base": base, **manifest}
    return replace(trained, provenance=replace(trained.provenance, base=base, manifest=said))


def card(folder: Path, trained: Trained, found: Measured | None = None) -> ModelCard:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).touch()
    write_model_card(folder, trained, found)
    return ModelCard.load(folder / "README.md")


def test_the_hub_reads_what_it_is_and_on_which_base(trained: Trained, tmp_path: Path) -> None:
    known = card(tmp_path / "run/controlnet", on(trained, "stable-diffusion-v1-5/stable-diffusion-v1-5")).data.to_dict()
    assert known == {
        "base_model": "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "tags": ["controlnet", "diffusers", "pairmill", "canny"],
    }


def test_it_takes_the_licence_of_a_base_that_has_a_card(trained: Trained, tmp_path: Path) -> None:
    made = card(tmp_path, on(trained, str(TINY_BASE)))
    assert made.data.license == "apache-2.0"
    assert made.data.base_model is None  # a folder of this machine is no name on the Hub
    assert "which is under `apache-2.0`, says its card." in made.text


def test_it_says_what_it_was_trained_on(trained: Trained, tmp_path: Path) -> None:
    text, provenance = card(tmp_path / "circles_run" / "controlnet", trained).text, trained.provenance
    for said in (
        "# circles\\_run: canny for ",
        "on 16 pictures with their canny conditions for 5 steps of 4.",
        f"| rows | 16, subset `{provenance.subset_fingerprint}` |",
        f"| family canny | canny v1, `{provenance.family_fingerprint}` |",
        f"| manifest | `{provenance.manifest_fingerprint}` |",
        "| steps | 5 of 6 |",
        "| samples seen | 20 |",
        f"torch {provenance.versions['torch']}",
        "  learning_rate: 0.001",
        "| CC-BY-4.0 | 48 |",
        "ControlNetModel.from_pretrained(",
    ):
        assert said in text


def test_no_path_of_this_machine_is_in_it(trained: Trained, base_folder: Path, tmp_path: Path) -> None:
    assert trained.provenance.base == str(base_folder)
    text = card(tmp_path, trained).content
    assert str(base_folder.parent) not in text
    assert str(Path(trained.provenance.manifest["dataset"]).parent.parent) not in text


def test_weights_that_forbid_commerce_are_warned_of(trained: Trained, tmp_path: Path) -> None:
    bound = FamilyCard(family="pose", annotator="openpose", version=2, kind="keypoints", weights=[OPENPOSE])
    made = card(tmp_path, replace(on(trained, str(TINY_BASE)), families=[bound], pictures=None))
    assert made.data.license == "other"
    assert "| pose | body\\_pose.pth | CMU, non-commercial | lllyasviel/Annotators | abababababababab |" in made.text
    assert "**pose: made by weights that are not licensed for commercial use.**" in made.text


def test_pictures_that_forbid_commerce_make_its_licence_another(trained: Trained, tmp_path: Path) -> None:
    pictures = Licences(Counter({"CC-BY-4.0": 40, "CC-BY-NC-4.0": 8}), 0)
    assert card(tmp_path, replace(on(trained, str(TINY_BASE)), pictures=pictures)).data.license == "other"


def test_it_says_that_nothing_was_measured(trained: Trained, tmp_path: Path) -> None:
    assert "## Adherence\n\nIt was not measured." in card(tmp_path, trained).text


def test_numbers_stand_beside_floor_and_ceiling(trained: Trained, tmp_path: Path) -> None:
    text = card(tmp_path, trained, Measured("On 76 test pictures.", (F1, RMSE))).text
    assert "On 76 test pictures." in text
    assert "| f1\\_1px (share) | higher | 0.170 | 0.590 | 0.710 | 0.76 [0.71, 0.82] |" in text
    assert "| rmse | lower | 0.109 | 0.037 | – | – |" in text


def test_numbers_that_come_later_replace_that_section_alone(trained: Trained, tmp_path: Path) -> None:
    before = card(tmp_path, trained).content
    rewrite_adherence(tmp_path, Measured("On 76 test pictures.", (F1,)))
    after = ModelCard.load(tmp_path / "README.md").content
    assert after.split("## Adherence")[0] == before.split("## Adherence")[0]
    assert after.split("## Limits")[1] == before.split("## Limits")[1]
    assert "It was not measured." not in after
    assert "| f1\\_1px (share) |" in after
    rewrite_adherence(tmp_path, Measured("On 90 test pictures.", (F1,)))
    assert "76" not in (tmp_path / "README.md").read_text().split("## Adherence")[1].split("| f1")[0]


def test_a_folder_without_a_card_takes_no_numbers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"README\.md: no card with the sections"):
        rewrite_adherence(tmp_path, Measured("", (F1,)))


def evaluated(run: Path, weights: bytes, **settings: str) -> None:
    """What an evaluation of such weights leaves, as far as a card reads it."""
    protocol = {"settings": {"scheduler": "ddim", "steps": 20, "guidance": 9.0, **settings}}
    spec = {"controlnet_sha256": hashlib.sha256(weights).hexdigest(), "protocol": protocol}
    arms = {name: {"value": value, "low": 0.0, "high": 1.0} for name, value in (("floor", 0.1), ("ceiling", 0.9))}
    of = {"title": "edges", "unit": "", "higher_is_better": True}
    way = {"value": 0.5, "low": None, "high": None}
    second = {**of, "primary": False, "normalised": way, "arms": {**arms, "controlled": {"value": None}}}
    first = {**of, "primary": True, "normalised": way, "arms": {**arms, "controlled": {"value": 0.5}}}
    report = {
        "headline": "It obeys.",
        "fingerprint": "e" * 16,
        "protocol_fingerprint": "f" * 16,
        "samples": 1200,
        "spec": spec,
        "measures": {"chamfer": second, "f1": first},
    }
    (run / "evaluation").mkdir(parents=True)
    (run / "evaluation" / "report.json").write_text(json.dumps(report))


def test_numbers_come_from_the_evaluation_of_these_weights(tmp_path: Path) -> None:
    evaluated(tmp_path, b"weights")
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    found = measured(tmp_path, tmp_path)
    assert found is not None
    assert [row.name for row in found.rows] == ["f1", "chamfer"]
    assert (found.rows[0].floor, found.rows[0].drawn, found.rows[0].ceiling) == (0.1, 0.5, 0.9)
    assert math.isnan(found.rows[1].drawn)
    assert found.how.startswith("It obeys. On 1,200 test pictures (ddim, 20 steps, guidance 9)")
    (tmp_path / WEIGHTS).write_bytes(b"weights of a longer training")
    assert measured(tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    "settings", [{"method": "sdedit"}, {"method": "hint"}, {"beside": "none"}, {"split": "train"}, {"prompts": "none"}]
)
def test_what_the_control_did_not_draw_as_it_was_trained_says_nothing_of_it(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    evaluated(tmp_path, b"weights", **settings)
    (tmp_path / WEIGHTS).write_bytes(b"weights")
    assert measured(tmp_path, tmp_path) is None


def test_numbers_come_from_the_last_probe_where_nothing_was_evaluated(tmp_path: Path) -> None:
    lines = [
        {"step": 250, "probe/rmse": 0.09, "probe/rmse_floor": 0.1, "probe/rmse_ceiling": 0.02},
        {"step": 500, "probe/rmse": 0.04, "probe/rmse_floor": 0.1, "probe/rmse_ceiling": 0.02},
        {"step": 600, "control/gain": 0.3},
    ]
    (tmp_path / "observed.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = measured(tmp_path, tmp_path)
    assert found is not None
    assert "after step 500" in found.how
    row = found.rows[0]
    assert (row.name, row.drawn, row.higher_is_better) == ("rmse", 0.04, False)
    assert row.way[0] == pytest.approx(0.75)


def test_it_is_loaded_as_what_it_is(trained: Trained, tmp_path: Path) -> None:
    assert "StableDiffusionControlNetPipeline.from_pretrained" in card(tmp_path, trained).text
    (tmp_path / "config.json").write_text('{"addition_embed_type": "text_time"}')
    xl = card(tmp_path, trained).text
    assert "import ControlNetModel, StableDiffusionXLControlNetPipeline" in xl
    assert "convert.py" not in xl
    provenance = trained.provenance
    several = replace(provenance, manifest={**provenance.manifest, "further_conditions": ["depth"]})
    ours = "`train.control.registry.load_control(folder, unet)` loads it"
    assert ours in card(tmp_path, replace(trained, provenance=several)).text
    (tmp_path / WEIGHTS).unlink()  # as of a hint encoder that diffusers does not have
    write_model_card(tmp_path, trained, None)
    assert ours in (tmp_path / "README.md").read_text()
