"""Three blows of the many that `make faults` deals: to a job on three nodes whose dataset lies in an object store."""

from pathlib import Path
from random import Random

import pytest

from manifests.storage import locate
from tests.faults.inflict import inflict
from tests.faults.nodes import cluster
from tests.faults.run import make_uninterrupted


@pytest.mark.timeout(1800)
def test_what_is_killed_and_started_again_loses_nothing_doubles_nothing_and_has_the_same_bytes(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRMILL_CACHE", str(tmp_path / "cache"))
    blows = {"ingest": 1, "annotate": 1, "subset": 1}
    with cluster(3) as nodes:
        wanted = make_uninterrupted(tmp_path, nodes)
        outcome = inflict(wanted, locate(f"{bucket}/faults/rooms"), nodes, blows, Random(4))

    assert outcome.blows == 3
    assert not outcome.difference
