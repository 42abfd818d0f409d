import subprocess
import sys
from pathlib import Path

import pytest

from manifests.alone import alone_in

HOLDS = """
import sys, time
from pathlib import Path
from manifests.alone import alone_in
with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_writer_is_refused_until_the_first_one_ends_however_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    other = subprocess.Popen([sys.executable, "-c", HOLDS, str(folder)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(ValueError, match=r"run: another process is writing it\. Wait"), alone_in(folder):
        pass
    other.kill()
    other.wait()
    with alone_in(folder):
        (folder / "log.jsonl").touch()
    with alone_in(folder):
        pass
    assert [path.name for path in folder.iterdir()] == ["log.jsonl"], "nothing is left of the lock"


def test_a_folder_in_which_nothing_was_written_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such base"), alone_in(tmp_path / "run"):
        raise ValueError("no such base")
    assert not (tmp_path / "run").exists()
