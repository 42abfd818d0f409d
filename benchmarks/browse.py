"""How long `browse.py` takes to start, to filter and to turn a page of a big dataset, and its memory."""

import sys
import time
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from starlette.testclient import TestClient
from typer import Argument, Option

from benchmarks.big_dataset import make_corpus, make_dataset
from evaluate.browse.app import make_app
from manifests.index import ROWS, build_index, index_path
from pipelines.entry import run

WHERE = "canny.edge_density BETWEEN 0.05 AND 0.30 AND width >= 600"
STEPS = {  # each a page nobody has asked for before; the first of all draws every column's bins
    "first page": {},
    "a filter on two columns": {"where": WHERE},
    "its page 2": {"where": WHERE, "page": 2},
    "its page 20,000": {"where": WHERE, "page": 20_000},
    "and the rows a manifest would have": {"where": WHERE, "condition": "canny"},
    "in draw order": {"where": WHERE, "condition": "canny", "order": "draw"},
    "its page 2 in draw order, 24 shards": {"where": WHERE, "condition": "canny", "order": "draw", "page": 2},
    "in the order of a stat": {"where": WHERE, "order": "canny.edge_density"},
    "in the order of the keys": {"where": WHERE, "order": "key"},
    "a filter on words": {"where": "key LIKE '%ab%' OR shard < '00-000100'"},
}


def main(
    folder: Annotated[Path, Argument(help="to make the dataset in, or one that has it")],
    rows: Annotated[int, Option(help="of a new dataset", min=1)] = 1_000_000,
) -> None:
    """Measure: python benchmarks/browse.py /scratch/browse

    Makes a dataset of a million rows, as benchmarks/scale.py does, in a minute. Prints a table in Markdown.
    """
    if not (folder / "corpus").exists():
        make_corpus(folder / "corpus", rows)
    dataset = make_dataset(folder / "dataset", str(folder / "corpus"), processes=2)
    if not index_path(dataset, ROWS).exists():
        build_index(dataset)
    print(f"| step | ms |\n|---|---|\n| (imports) | peak memory {peak():,} MB |")
    began = time.perf_counter()
    client = TestClient(make_app(dataset), base_url="http://127.0.0.1")
    print(f"| start, imports aside | {1e3 * (time.perf_counter() - began):,.0f} |")
    for title, asked in STEPS.items():
        print(f"| {title} | {took(client, '/', asked):,.0f} |")
    print(f"| failures of that filter | {took(client, '/failures', {'where': WHERE}):,.0f} |")
    print(f"| clusters of that filter | {took(client, '/clusters', {'where': WHERE}):,.0f} |")
    print(f"| one row | {took(client, '/row/00-000400/7', {'where': WHERE}):,.0f} |")
    print(f"| (all of it) | peak memory {peak():,} MB |")


def took(client: TestClient, path: str, asked: dict[str, object]) -> float:
    """Milliseconds until a page is there."""
    began = time.perf_counter()
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return 1e3 * (time.perf_counter() - began)


def peak() -> int:
    """Of this process's resident memory, MB."""
    status = Path("/proc/self/status").read_text().split()
    return int(status[status.index("VmHWM:") + 1]) // 1000


if __name__ == "__main__":
    run(main)
