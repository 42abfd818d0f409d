"""What tests of several folders share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.weights import OTHERS
from tests.object_store import serve_s3

os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  else tests that run beside those of Ray starve its workers
# Each of these keeps several cores busy, so that two of them side by side end later than one after the other.
ON_RAY = (
    *(
        "annotate/test_cluster.py",
        "annotate/dry_run/test_dry_run.py",
        "annotate/test_full_disk.py",
        "annotate/test_resume.py",
    ),
    *("annotate/test_object_store.py", "faults/", "pipelines/"),
)


HOME = Path(__file__).parent
SLOW = frozenset((HOME / "slow.txt").read_text(encoding="utf-8").split())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share a process, those that run Ray all of them the same one; slow ones are marked."""
    for item in items:
        file = item.path.relative_to(HOME).as_posix()
        item.add_marker(pytest.mark.xdist_group("ray" if file.startswith(ON_RAY) else file))
        if f"{file}::{item.name.split('[')[0]}" in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def other_weights() -> Iterator[None]:
    """Tests put untrained weights under published names, and mean it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(OTHERS, "1")
        yield


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """Address of a bucket in an object store, empty at first; each test writes below a prefix of its own."""
    with serve_s3() as address:
        yield address
