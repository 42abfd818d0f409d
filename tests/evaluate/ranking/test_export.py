"""The page names no run, is the same for the same seed, and the key says who drew what."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from evaluate.page.thumbnail import thumbnail
from evaluate.pictures import find
from evaluate.ranking.export import SIDE, export
from evaluate.ranking.key import Key, read_key
from evaluate.scores import matrix, read_scores
from evaluate.spec import read_spec
from tests.evaluate.ranking.conftest import BLURS
from tests.evaluate.synthetic import write_evaluation

Exported = tuple[Path, Key]


def data_of(folder: Path) -> dict:
    page = (folder / "page.html").read_text()
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def test_the_page_holds_no_name_no_fingerprint_and_no_key(exported: Exported, runs: list[Path]) -> None:
    folder, key = exported
    page = (folder / "page.html").read_text()
    said = [*BLURS, "synthetic", key.protocol_fingerprint, str(folder.parent), *(sample.key for sample in key.samples)]
    for run in runs:
        spec = read_spec(run)
        said += [spec.fingerprint, spec.controlnet_sha256, spec.subset_fingerprint, spec.manifest_fingerprint]
    for word in said:
        assert word not in page
        assert sha256(word.encode()).hexdigest()[:16] not in page


def test_the_key_says_which_run_drew_which_picture(exported: Exported, runs: list[Path]) -> None:
    folder, key = exported
    samples = data_of(folder)["samples"]
    assert len(samples) == len(key.samples) == 4
    for shown, sample in zip(samples, key.samples, strict=True):
        drawn = [find(run / "pictures", [sample.key])[sample.key].panels["drawn"] for run in runs]
        assert shown["pictures"] == [thumbnail(drawn[run], side=SIDE) for run in sample.runs]


def test_the_key_holds_the_primary_score_of_each_picture(exported: Exported, runs: list[Path]) -> None:
    _, key = exported
    for number, run in enumerate(runs):
        keys, values = matrix(read_scores(run / "scores.parquet"), measure=key.measure.name, arms=["controlled"])
        scores = dict(zip(keys, values[:, 0].tolist(), strict=True))
        assert [sample.scores[number] for sample in key.samples] == [scores[sample.key] for sample in key.samples]


def test_no_run_stands_in_one_place_of_all_samples(runs: list[Path], tmp_path: Path) -> None:
    key = export(runs, tmp_path, samples=6, repeats=0, seed=1)
    assert all(len({sample.runs.index(run) for sample in key.samples}) > 1 for run in range(3))


def test_one_seed_gives_one_page_and_another_seed_another(exported: Exported, runs: list[Path], tmp_path: Path) -> None:
    folder, key = exported
    assert export(runs, tmp_path / "again", samples=4, repeats=2, seed=0) == key == read_key(folder)
    assert (tmp_path / "again" / "page.html").read_bytes() == (folder / "page.html").read_bytes()
    other = export(runs, tmp_path / "other", samples=4, repeats=2, seed=1)
    assert other.page != key.page
    assert [sample.key for sample in other.samples] != [sample.key for sample in key.samples]


def test_all_samples_are_ranked_where_there_are_fewer_than_asked_for(runs: list[Path], tmp_path: Path) -> None:
    key = export(runs, tmp_path, samples=20, repeats=9, seed=0)
    assert (len(key.samples), key.repeats) == (6, 6)


def test_only_the_script_of_the_page_may_run(exported: Exported) -> None:
    page = (exported[0] / "page.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in page
    assert "unsafe-inline" not in page.partition("script-src")[2].partition(">")[0]


def test_runs_that_were_not_evaluated_alike_are_refused(runs: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "depth", samples=6, annotator="depth")
    with pytest.raises(ValueError, match="not evaluated alike"):
        export([runs[0], tmp_path / "depth"], tmp_path / "out", samples=4, repeats=0, seed=0)
    with pytest.raises(ValueError, match="two evaluations or more"):
        export(runs[:1], tmp_path / "out", samples=4, repeats=0, seed=0)
    with pytest.raises(ValueError, match=r"10 runs are too many to rank\. Export 9 or fewer"):
        export(runs[:1] * 10, tmp_path / "out", samples=4, repeats=0, seed=0)
    assert not (tmp_path / "out").exists()


def test_a_run_without_its_pictures_is_refused(runs: list[Path], tmp_path: Path) -> None:
    write_evaluation(tmp_path / "bare", samples=6, rows=7)
    (tmp_path / "bare" / "pictures" / "000000.parquet").unlink()
    with pytest.raises(ValueError, match=r"bare: the pictures of sample [0-9a-f]+ are not there"):
        export([runs[0], tmp_path / "bare"], tmp_path / "out", samples=4, repeats=0, seed=0)


def test_a_folder_keeps_the_key_of_the_page_that_was_sent(exported: Exported, runs: list[Path]) -> None:
    folder, key = exported
    with pytest.raises(ValueError, match=r"it holds another ranking, whose votes need its key\.json"):
        export(runs, folder, samples=4, repeats=2, seed=5)
    assert read_key(folder) == key


def test_a_key_that_was_changed_is_refused(exported: Exported, tmp_path: Path) -> None:
    changed = json.loads((exported[0] / "key.json").read_text())
    changed["samples"][1]["runs"] = [0, 0, 1]
    (tmp_path / "key.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match=r"key\.json: .*does not have one picture of each run.*Restore the file"):
        read_key(tmp_path)
    with pytest.raises(ValueError, match="no ranking was exported here"):
        read_key(tmp_path / "nowhere")
