"""The browser as a command."""

import socket
import subprocess
import sys
from pathlib import Path

from annotate.job import ROOT
from pipelines.browse import LOCAL


def test_a_port_that_is_taken_is_said_in_one_line_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, str(ROOT / "pipelines" / "browse.py"), str(tmp_path), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: port {port}: address already in use. ")
    assert "--port 0" in line
