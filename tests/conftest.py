"""What tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.object_store import serve_s3


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """Address of a bucket in an object store, empty at first; each test writes below a prefix of its own."""
    with serve_s3() as address:
        yield address
