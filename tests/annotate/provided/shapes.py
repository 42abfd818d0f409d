"""The shapes in which a corpus of records with conditions may lie: a folder, a tar, Parquet, save_to_disk."""

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

Records = Mapping[str, Mapping[str, bytes]]  # stem → suffix → contents of the file


def as_folder(records: Records, root: Path) -> Path:
    root.mkdir(parents=True)
    for stem, parts in records.items():
        for suffix, data in parts.items():
            (root / f"{stem}.{suffix}").write_bytes(data)
    return root


def as_tar(records: Records, root: Path) -> Path:
    root.mkdir(parents=True)
    with tarfile.open(root / "0.tar", "w") as archive:
        for stem, parts in records.items():
            for suffix, data in parts.items():
                member = tarfile.TarInfo(f"{stem}.{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return root / "0.tar"


def as_parquet(records: Records, root: Path) -> Path:
    """Conditions as binary columns of the fields' names, JSON as text."""
    root.mkdir(parents=True)
    fields = sorted({suffix for parts in records.values() for suffix in parts} - {"jpg", "txt"})
    columns: dict[str, list[object]] = {
        "image": [parts["jpg"] for parts in records.values()],
        "caption": [parts["txt"].decode() for parts in records.values()],
    }
    for field in fields:
        cells = [parts.get(field) for parts in records.values()]
        text = field.endswith("json")
        columns[field] = [cell.decode() if cell is not None and text else cell for cell in cells]
    pq.write_table(pa.table(columns), root / "0.parquet")
    return root / "0.parquet"


def as_disk(records: Records, root: Path) -> Path:
    """What `save_to_disk` writes, pictures and PNGs as the Image feature."""
    root.mkdir(parents=True)
    names = {suffix for parts in records.values() for suffix in parts} - {"jpg", "txt"}
    features = {"image": datasets.Image(), "caption": datasets.Value("string")}
    rows: dict[str, list[object]] = {
        "image": [{"bytes": parts["jpg"], "path": None} for parts in records.values()],
        "caption": [parts["txt"].decode() for parts in records.values()],
    }
    for name in sorted(names):
        cells = [parts.get(name) for parts in records.values()]
        if name.endswith("png"):
            features[name] = datasets.Image()
            rows[name] = [None if cell is None else {"bytes": cell, "path": None} for cell in cells]
        else:
            features[name] = datasets.Value("string")
            rows[name] = [None if cell is None else cell.decode() for cell in cells]
    made = datasets.Dataset.from_dict(rows, features=datasets.Features(features))
    made.save_to_disk(root / "disk")
    return root / "disk"


WRITERS: dict[str, Callable[[Records, Path], Path]] = {
    "folder": as_folder,
    "tar": as_tar,
    "parquet": as_parquet,
    "disk": as_disk,
}
