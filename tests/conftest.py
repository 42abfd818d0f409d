"""What tests of several folders share."""

import os
from collections.abc import Iterator

import pytest

from annotate.weights import OTHERS
from tests.object_store import serve_s3

os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  else tests that run beside those of Ray starve its workers


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
