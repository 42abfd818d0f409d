from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.footer import read_footer, write_pictures, write_shard
from manifests.layout import ROW_GROUP
from manifests.record import IMAGES


@pytest.mark.parametrize("count", [0, 1, ROW_GROUP + 1])
def test_pictures_are_written_group_by_group_to_the_bytes_of_a_table(tmp_path: Path, count: int) -> None:
    rows = [{"key": f"{row:016x}", "captions": ["a room"], "image": {"bytes": bytes([row])}} for row in range(count)]
    made_with = {"pillow": "12"}
    write_pictures(rows, tmp_path / "rows.parquet", schema=IMAGES, packages=made_with)
    write_shard(pa.Table.from_pylist(rows, schema=IMAGES), tmp_path / "table.parquet", packages=made_with)
    assert (tmp_path / "rows.parquet").read_bytes() == (tmp_path / "table.parquet").read_bytes()
    assert pq.read_table(tmp_path / "rows.parquet")["key"].to_pylist() == [row["key"] for row in rows]
    assert pq.read_metadata(tmp_path / "rows.parquet").num_row_groups == max(1, -(-count // ROW_GROUP))
    assert read_footer(tmp_path / "rows.parquet")["packages"] == made_with
