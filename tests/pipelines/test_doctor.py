"""The doctor's last word is its exit code; the gallery tells pictures from a dataset."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotate.job import ROOT
from annotate.published import WEIGHTS
from annotate.weights import VARIABLE
from pipelines.gallery import find_pictures, is_dataset, main

HED = "ControlNetHED.pth"
PHOTOGRAPH = ROOT / "evaluate/doctor/goldens/photograph.webp"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Environment of a machine without weights and without a network."""
    return {**os.environ, VARIABLE: str(tmp_path), "HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}


def ask(name: str, environment: dict[str, str], folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "pipelines" / f"{name}.py"), *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_canny_runs_as_expected_on_a_machine_without_weights(bare: dict[str, str], tmp_path: Path) -> None:
    done = ask("doctor", bare, tmp_path, "canny")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("canny "))
    assert line.split()[:2] == ["canny", "runs"]
    assert line.rstrip().endswith("as expected")


def test_weights_that_are_missing_matter_when_the_family_is_named(bare: dict[str, str], tmp_path: Path) -> None:
    assert ask("doctor", bare, tmp_path).returncode == 0
    done = ask("doctor", bare, tmp_path, "canny", "hed")
    assert done.returncode == 1
    said = " ".join(done.stdout.split())
    for words in (HED, f"{WEIGHTS[HED].megabytes} MB, Apache-2.0", "hf download lllyasviel/Annotators", VARIABLE):
        assert words in said


def test_a_download_that_fails_says_what_and_why(bare: dict[str, str], tmp_path: Path) -> None:
    done = ask("doctor", bare, tmp_path, "hed", "--download")
    assert done.returncode == 1
    assert f"weights {HED} (Apache-2.0, from lllyasviel/Annotators)" in " ".join(done.stdout.split())
    done = ask("doctor", bare, tmp_path, "--download")
    assert done.stderr.startswith("error: --download: of which families?")


def test_damage_matters_whether_or_not_the_family_is_named(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / HED).write_bytes(b"\x80\x02")
    done = ask("doctor", bare, tmp_path)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


def test_a_picture_is_shown_with_what_can_be_made_of_it(bare: dict[str, str], tmp_path: Path) -> None:
    done = ask("gallery", bare, tmp_path, str(PHOTOGRAPH), "--resolution", "64")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"made {tmp_path / 'gallery.html'}"
    page = (tmp_path / "gallery.html").read_text()
    assert 'alt="canny"' in page
    assert HED in page


def test_what_asks_an_index_is_refused_of_pictures() -> None:
    for option in ({"by": ["width"]}, {"where": "width > 1"}):
        with pytest.raises(ValueError, match=r"--by and --where are for a dataset.*Leave them out"):
            main([str(PHOTOGRAPH)], **option)


def test_pictures_are_told_from_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "dataset.json").write_text("{}")
    (tmp_path / "photos").mkdir()
    for name in ("b.png", "a.JPG", "notes.txt"):
        (tmp_path / "photos" / name).touch()
    assert is_dataset([str(tmp_path / "pairs")])
    assert is_dataset(["s3://bucket/pairs"])
    assert not is_dataset([str(tmp_path / "photos")])
    assert not is_dataset([str(PHOTOGRAPH)])
    found = find_pictures([str(tmp_path / "photos"), str(PHOTOGRAPH)], 12)
    assert [path.name for path in found] == ["a.JPG", "b.png", "photograph.webp"]
    assert len(find_pictures([str(tmp_path / "photos")], 1)) == 1
    with pytest.raises(ValueError, match="neither a picture nor"):
        find_pictures([str(tmp_path / "nowhere"), str(PHOTOGRAPH)], 12)
