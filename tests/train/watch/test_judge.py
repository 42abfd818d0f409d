from pathlib import Path

import pytest
import torch

from manifests.manifest import load_manifest
from train.watch.judge import GROUP, NAME, load_judge
from train.watch.samples import validation_rows

CPU = torch.device("cpu")
ADHERENCE = f"{NAME} = evaluate.adherence_judge:load_judge"


def install(folder: Path, names: str) -> None:
    """Put a distribution with an entry point for judges into a folder that is on the path."""
    described = folder / "pairmill-0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: pairmill\nVersion: 0\n")
    (described / "entry_points.txt").write_text(f"[{GROUP}]\n{names}\n" if names else "")


def test_a_judge_that_is_installed_is_found_by_its_entry_point(
    manifest_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = load_manifest(manifest_path)
    rows = validation_rows(manifest, rows=2)
    install(tmp_path, ADHERENCE)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="family canny: made by canny"):  # by other settings than any canny here has
        load_judge(manifest, rows, CPU)


def test_without_one_the_way_to_install_it_is_said(
    manifest_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = load_manifest(manifest_path)
    install(tmp_path, "")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"no judge is installed .*make install"):
        load_judge(manifest, validation_rows(manifest, rows=2), CPU)
