import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_training_killed_at_random_steps_ends_as_one_that_was_not_on_any_number_of_processes(
    manifest_path: Path,
) -> None:
    options = ["--kills", "2", "--steps", "6", "--manifest", str(manifest_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.kill_and_resume", *options],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("bit-equal") == 2
    assert done.stdout.count("24 samples and draws the same, in the same order") == 2
