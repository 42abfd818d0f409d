import io
import tarfile
from pathlib import Path

from annotate.corpora.webdataset import PICTURE, _index


def test_what_comes_after_a_copy_of_a_picture_belongs_to_that_copy(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("x.jpg", "x.txt", "x.jpg", "x.jpg", "x.txt", "x.json"):
            member = tarfile.TarInfo(name)
            member.size = 4
            tar.addfile(member, io.BytesIO(b"data"))
    found = _index(str(tmp_path / "a.tar"), frozenset())
    assert {key: set(parts) for key, parts in found.items()} == {
        "x": {PICTURE, ".txt"},
        "x.2": {PICTURE},
        "x.3": {PICTURE, ".txt", ".json"},
    }
    assert found["x.3"][".txt"][0] > found["x.3"][PICTURE][0]
