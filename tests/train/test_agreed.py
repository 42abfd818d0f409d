import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from accelerate import Accelerator

from train.agreed import agreed, once_per_machine

ROOT = Path(__file__).parents[2]


def test_what_fails_in_one_process_fails_alike_in_all_and_what_is_made_is_made_once_a_machine(
    tmp_path: Path, manifest_path: Path, base_folder: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.in_two_processes", str(tmp_path), str(manifest_path), str(base_folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank-{rank}.json").read_text()) for rank in (0, 1))
    assert first["save_where_one_cannot"] == second["save_where_one_cannot"]
    assert "No space left on device" in first["save_where_one_cannot"][0]
    assert first["save_where_one_cannot"][1] == ["step-000001"]
    assert first["build_on_each_disk"] == ["machine-0", "built"]
    assert second["build_on_each_disk"] == ["machine-1", "built"]
    assert first["build_on_one_disk"] == ["shared", "built"]
    assert second["build_on_one_disk"] == ["shared"]
    assert first["prepare_where_one_has_no_base"] == second["prepare_where_one_has_no_base"]
    assert "there is no folder" in first["prepare_where_one_has_no_base"]


def test_one_process_agrees_with_itself() -> None:
    assert agreed(lambda: 3) == [3]
    assert once_per_machine(Accelerator(), lambda: 3) == 3
    with pytest.raises(ValueError, match="no room"):
        agreed(_refuse)


def _refuse() -> None:
    raise ValueError("no room")
