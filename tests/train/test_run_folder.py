import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from manifests.manifest import Manifest, load_manifest
from manifests.subset import resolve
from train.base import load_base
from train.digest import base_digest
from train.launch import is_finished
from train.run_folder import Provenance, claim, load_provenance, provenance_of


def described(manifest: Manifest, *, base_digest: str = "0a") -> Provenance:
    return provenance_of(manifest, resolve(manifest), overrides=[], processes=1, base_digest=base_digest)


def refusal(run: Path, manifest_path: Path, *overrides: str) -> str:
    """What `claim` says to a run with these settings that would go on from there; "" if it lets it."""
    manifest = load_manifest(manifest_path, overrides)
    try:
        claim(run, manifest, described(manifest), resume=True)
    except ValueError as error:
        return str(error)
    return ""


@pytest.fixture
def run(manifest_path: Path, tmp_path: Path) -> Path:
    manifest = load_manifest(manifest_path)
    claim(tmp_path / "run", manifest, described(manifest), resume=False)
    return tmp_path / "run"


@pytest.mark.parametrize(
    "setting",
    [
        "train.steps=9",
        "engine.workers=1",
        "engine.micro_batch=2",
        "engine.recompute=all",
        "watch.keep=5",
        "watch.probe_every=0",
        "evaluate.steps=3",
    ],
)
def test_a_run_may_go_on_longer_at_another_pace_and_looked_at_otherwise(
    run: Path, manifest_path: Path, setting: str
) -> None:
    assert refusal(run, manifest_path, setting) == ""


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("train.ema=0.999", "train.ema is None, this one's is 0.999"),
        ("train.min_snr=5", "train.min_snr is None, this one's is 5.0"),
        ("train.flip=0.5", "train.flip is 0.0, this one's is 0.5"),
        ("train.stages=[{kind: mid_only, steps: 2}]", "train.stages is \\[\\]"),
        ("control.kind=lite", "control.kind is 'controlnet', this one's is 'lite'"),
        ("control.connections=gaussian", "control.connections"),
        ("resolution=40", "resolution is 32, this one's is 40"),
        ("rows=15", "subset"),
        ("seed=1", "subset"),
    ],
)
def test_a_run_that_computes_something_else_is_refused_naming_the_difference(
    run: Path, manifest_path: Path, setting: str, name: str
) -> None:
    with pytest.raises(ValueError, match=f"another run is here: its .*{name}"):
        raise ValueError(refusal(run, manifest_path, setting))


def test_a_family_made_anew_with_other_settings_is_another_run(run: Path, manifest_path: Path) -> None:
    manifest = load_manifest(manifest_path)
    changed = replace(described(manifest), family_fingerprint="ffff")
    with pytest.raises(ValueError, match=r"its canny is .* this one's is 'ffff'"):
        claim(run, manifest, changed, resume=True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("further_conditions", ["depth"], r"its further_conditions is \[\], this one's is \['depth'\]"),
        ("latents", "latents", "its latents is '', this one's is 'latents'"),
    ],
)
def test_a_run_that_reads_other_families_is_another_run(
    run: Path, manifest_path: Path, *, field: str, value: object, message: str
) -> None:
    manifest = load_manifest(manifest_path)
    here = described(manifest)
    with pytest.raises(ValueError, match=message):
        claim(run, manifest, replace(here, manifest={**here.manifest, field: value}), resume=True)


def test_another_base_under_the_same_name_is_another_run(run: Path, manifest_path: Path) -> None:
    manifest = load_manifest(manifest_path)
    with pytest.raises(ValueError, match="its base's weights is '0a', this one's is '0b'"):
        claim(run, manifest, described(manifest, base_digest="0b"), resume=True)


def test_a_run_begun_before_engine_and_watch_were_apart_is_still_read(run: Path, manifest_path: Path) -> None:
    path = run / "provenance.json"
    record = json.loads(path.read_text())
    for section in ("engine", "watch", "control", "further_conditions", "latents", "captions"):
        del record["manifest"][section]
    record["manifest"]["train"] |= {"checkpoint_every": 2, "workers": 0}
    for field in ("base_digest", "other_families"):
        del record[field]
    path.write_text(json.dumps(record))
    assert load_provenance(run).base_digest == ""
    assert refusal(run, manifest_path) == ""
    assert "train.seed is 0, this one's is 1" in refusal(run, manifest_path, "train.seed=1")


def test_a_run_killed_while_it_took_its_folder_can_go_on(run: Path, manifest_path: Path, tmp_path: Path) -> None:
    (run / "manifest.yaml").unlink()
    assert refusal(run, manifest_path) == ""
    assert (run / "manifest.yaml").is_file()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".provenance.json.x1.partial").touch()
    assert refusal(tmp_path / "other", manifest_path) == ""
    assert load_provenance(tmp_path / "other")


def leave_weights(run: Path) -> None:
    """What tells that a run has ended."""
    (run / "controlnet").mkdir(exist_ok=True)
    (run / "controlnet" / "config.json").touch()
    shutil.copy(run / "provenance.json", run / "controlnet")


def test_a_run_made_longer_is_finished_at_its_new_length_alone(run: Path, manifest_path: Path) -> None:
    longer = load_manifest(manifest_path, ["train.steps=9"])
    assert not is_finished(run, load_manifest(manifest_path))
    leave_weights(run)
    assert is_finished(run, load_manifest(manifest_path))
    assert refusal(run, manifest_path, "train.steps=9") == ""
    assert load_manifest(run / "manifest.yaml").train.steps == 9
    assert not is_finished(run, longer), "killed now, its weights are still those of the shorter one"
    leave_weights(run)
    assert is_finished(run, longer)
    assert is_finished(run, load_manifest(manifest_path, ["train.steps=9", "watch.log_every=7", "engine.workers=1"]))
    with pytest.raises(ValueError, match=r"another run is here; train\.steps: 9 and"):
        is_finished(run, load_manifest(manifest_path))


def test_a_finished_run_of_the_time_before_a_setting_stays_finished(run: Path, manifest_path: Path) -> None:
    leave_weights(run)
    path = run / "controlnet" / "provenance.json"
    record = json.loads(path.read_text())
    del record["manifest"]["latents"], record["manifest"]["control"]["joining"]
    path.write_text(json.dumps(record))
    assert is_finished(run, load_manifest(manifest_path))
    path.write_text(json.dumps({**record, "manifest": {**record["manifest"], "gone": 1}}))
    with pytest.raises(ValueError, match="of another version of Pairmill"):
        is_finished(run, load_manifest(manifest_path))


def test_the_digest_of_a_base_tells_one_changed_weight(base_folder: Path) -> None:
    base, same = load_base(str(base_folder)), load_base(str(base_folder))
    assert base_digest(base) == base_digest(same)
    with torch.no_grad():
        same.vae.post_quant_conv.bias[0] += 1e-6
    assert base_digest(base) != base_digest(same)
    same.vae.load_state_dict(base.vae.state_dict())
    assert base_digest(base) == base_digest(same)
    same.scheduler.register_to_config(prediction_type="v_prediction")
    assert base_digest(base) != base_digest(same)


def test_what_a_scheduler_says_of_drawing_alone_changes_no_digest(base_folder: Path) -> None:
    base, same = load_base(str(base_folder)), load_base(str(base_folder))
    same.scheduler.register_to_config(steps_offset=1, of_a_later_version=True)
    assert base_digest(base) == base_digest(same)
