"""Failed rows, through the command: a bound on them, and another try."""

from pathlib import Path

import pyarrow as pa
import pytest

from manifests.dataset import Dataset
from manifests.footer import write_shard
from manifests.layout import IMAGES
from manifests.storage import replace
from pipelines import annotate, ingest

SPOILT = 5  # rows of the second of three shards


def spoil(dataset: Dataset, name: str) -> None:
    """Damage some stored pictures, as a failing disk does."""
    table = dataset.read(IMAGES, name)
    images = [
        {"bytes": b"damaged", "path": None} if row < SPOILT else image
        for row, image in enumerate(table["image"].to_pylist())
    ]
    column = table.schema.get_field_index("image")
    damaged = table.set_column(column, table.schema.field("image"), pa.array(images, table.schema.field("image").type))
    replace(lambda partial: write_shard(damaged, partial), dataset.path(IMAGES, name))


def contents(dataset: Dataset) -> dict[str, bytes]:
    return {name: dataset.path("canny", name).read_bytes() for name in dataset.shards("canny")}


def test_failed_rows_are_bounded_counted_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "circles"
    ingest.main("fill50k:300", root)
    dataset = Dataset.open(root)
    sound = dataset.path(IMAGES, "00-000001").read_bytes()
    spoil(dataset, "00-000001")

    def bounded() -> None:
        annotate.main(root, ["canny"], max_failed="1%")

    with pytest.raises(ValueError, match=r"canny: 5 rows have failed \(decode 5\), and of 300 at most 1.000% may"):
        bounded()
    capsys.readouterr()
    annotate.main(root, ["canny"])
    balance = capsys.readouterr().out
    assert "canny: 300 rows in = " in balance
    assert "5 failed" in balance
    with pytest.raises(ValueError, match="canny: 5 rows have failed, and of 300 at most"):
        bounded()
    made = contents(dataset)

    dataset.path(IMAGES, "00-000001").write_bytes(sound)
    annotate.main(root, ["canny"], retry="failed:annotate")
    assert contents(dataset) == made, "no row has failed with that code"
    annotate.main(root, ["canny"], max_failed="1%", retry="failed")
    assert "0 failed" in capsys.readouterr().out
    again = contents(dataset)
    assert [name for name in made if made[name] != again[name]] == ["00-000001"]
