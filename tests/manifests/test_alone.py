import os
import signal
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


FORKS = """
import os, sys, time
from pathlib import Path
from manifests.alone import alone_in
with alone_in(Path(sys.argv[1])):
    if os.fork() == 0:
        print("forked", flush=True)
        time.sleep(60)
    time.sleep(600)
"""


def test_what_a_killed_writer_forked_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKS, str(tmp_path / "run")]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "forked\n"
    writer.kill()
    writer.wait()
    with alone_in(tmp_path / "run"):
        os.killpg(writer.pid, signal.SIGKILL)  # it was alive until now


def test_a_folder_in_which_nothing_was_written_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such base"), alone_in(tmp_path / "run"):
        raise ValueError("no such base")
    assert not (tmp_path / "run").exists()


MAKES = """
import sys, time
from pathlib import Path
from manifests.alone import alone_beside
path = Path(sys.argv[1])
with alone_beside(path) as aside:
    if not path.exists():
        (aside / "made").write_text(sys.argv[2])
        print("making", flush=True)
        time.sleep(float(sys.argv[3]))
        aside.rename(path)
print(path.joinpath("made").read_text(), flush=True)
"""


def makes(path: Path, name: str, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", MAKES, str(path), name, str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_several_want_at_once_is_made_by_one_of_them(tmp_path: Path) -> None:
    several = [makes(tmp_path / "set", str(number), 0.5) for number in range(4)]
    said = [process.communicate(timeout=120)[0].split() for process in several]
    assert sorted(map(len, said)) == [1, 1, 1, 2], "one made it"
    assert len({words[-1] for words in said}) == 1, "and all have it"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_who_waited_for_one_that_was_killed_makes_it_anew(tmp_path: Path) -> None:
    first = makes(tmp_path / "set", "first", 600)
    assert first.stdout is not None
    assert first.stdout.readline() == "making\n"
    second = makes(tmp_path / "set", "second", 0)
    first.kill()
    first.wait()
    assert second.communicate(timeout=120)[0].split() == ["making", "second"]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
