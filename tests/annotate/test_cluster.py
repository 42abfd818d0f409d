"""Jobs on a cluster of three nodes: real raylets on this machine, of one core each."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.job import ROOT
from manifests.dataset import Dataset
from manifests.index import read_index
from manifests.storage import locate
from tests.faults.compare import compare
from tests.faults.nodes import Nodes, cluster

PICTURES = 1_024  # in eight shards


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with cluster(3) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def ingested(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cluster") / "circles"
    assert finish(begin(nodes, "ingest", f"fill50k:{PICTURES}", str(root))) == (0, "")
    return root


def begin(nodes: Nodes, stage: str, *words: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "RAY_ADDRESS": nodes.address}
    command = [sys.executable, f"pipelines/{stage}.py", *words]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def finish(job: "subprocess.Popen[str]") -> tuple[int, str]:
    said = job.communicate(timeout=600)[1]
    return job.returncode, said


def notes(root: Path, stage: str) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted((root / "logs" / stage).glob("*.json"))]


def test_work_spreads_over_as_many_workers_as_the_cluster_has_room_for(ingested: Path) -> None:
    assert len(notes(ingested, "ingest")) == 8
    assert len({note["node"] for note in notes(ingested, "ingest")}) == 3
    assert Dataset.open(ingested).rows() == PICTURES


def test_a_worker_that_fits_on_no_node_is_an_error_and_no_endless_wait(nodes: Nodes, ingested: Path) -> None:
    code, said = finish(begin(nodes, "annotate", str(ingested), "canny", "--gpus", "0.5"))
    assert code == 1
    assert "takes one core and 0.5 GPUs, and the cluster has 3 cores and 0 GPUs" in said


def test_two_jobs_at_once_share_a_family_and_leave_others_alone(
    nodes: Nodes, ingested: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRMILL_CACHE", str(tmp_path / "cache"))
    together, alone = tmp_path / "together" / "circles", tmp_path / "alone" / "circles"
    for root in (together, alone):
        copy = ("cp", "-r", str(ingested), str(root))
        root.parent.mkdir()
        subprocess.run(copy, check=True)
    soft = ("soft=canny", "--set", "soft.low=50")
    jobs = [begin(nodes, "annotate", str(together), *words) for words in (("canny",), ("canny",), soft)]
    assert [finish(job) for job in jobs] == [(0, "")] * 3
    assert finish(begin(nodes, "annotate", str(alone), "canny", *soft)) == (0, "")

    assert not compare(locate(alone), locate(together))
    assert len(read_index(Dataset.open(together), "soft")) == PICTURES

    code, said = finish(begin(nodes, "annotate", str(together), "canny", "--set", "canny.low=50"))
    assert code == 1
    assert "low" in said
    assert "Give it another name" in said
