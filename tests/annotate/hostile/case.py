"""One hostile input: how it comes into a corpus that is otherwise sound, and what must become of it."""

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotate.corpora import fill50k
from annotate.image import encode_generated

PNG = [encode_generated(fill50k.record(0, row).image) for row in range(4)]  # 128 pixels square
SOUND = "a sound neighbour"  # caption of the records that a hostile one must not harm
NEIGHBOURS = 2  # of them, in every corpus
CAPTION = "a circle"  # of a hostile picture, unless the caption is what is hostile
SECRET = "the secret beside the corpus"  # text of files that stand beside every corpus, and must not be read
Members = Sequence[tuple[str | tarfile.TarInfo, bytes]]


@dataclass(frozen=True)
class Case:
    """A hostile input.

    Attributes:
        input: as the table names it.
        where: kind of corpus.
        write: puts it and its sound neighbours into a new, empty folder.
        becomes: what the table says became of it, and the reason stored.
        neighbours: sound records in the corpus.
        words: the corpus as a user names it, below that folder; "" for the folder.
    """

    input: str
    where: str
    write: Callable[[Path], None]
    becomes: tuple[str, str]
    neighbours: int = NEIGHBOURS
    words: str = ""


def kept(captions: str = "") -> tuple[str, str]:
    """It enters as it is; `captions` as the table quotes them when they are not CAPTION."""
    return "kept" + (f" as {captions}" if captions else ""), ""


def converted(why: str) -> tuple[str, str]:
    """Its picture enters, made plain."""
    return "kept, converted", why


def dropped(why: str) -> tuple[str, str]:
    """It is a row of dropped/, with `stage: reason`."""
    return "dropped", why


def refused(why: str) -> tuple[str, str]:
    """The corpus is refused by a message that names the file and ends with the remedy."""
    return "refused", why


def folder(files: Mapping[str, bytes]) -> Callable[[Path], None]:
    """A folder of pictures that has these files too."""

    def write(corpus: Path) -> None:
        neighbours = {f"{name}.png": PNG[0] for name in ("0sound", "zsound")}
        texts = {f"{name}.txt": SOUND.encode() for name in ("0sound", "zsound")}
        for name, data in (neighbours | texts | dict(files)).items():
            (corpus / name).parent.mkdir(parents=True, exist_ok=True)
            (corpus / name).write_bytes(data)

    return write


def record(stem: str, picture: bytes = PNG[1], caption: str = CAPTION) -> Members:
    """Members of one record."""
    return [(f"{stem}.png", picture), (f"{stem}.txt", caption.encode())]


def archive(members: Members, **options: Any) -> bytes:
    """A tar; members may come as headers of any kind."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", **options) as tar:
        for member, data in members:
            header = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    return target.getvalue()


def tars(hostile: bytes, **more: bytes) -> Callable[[Path], None]:
    """A folder with this tar beside one that is sound."""

    def write(corpus: Path) -> None:
        sound = archive([*record("0", PNG[0], SOUND), *record("1", PNG[0], SOUND)])
        for name, data in {"hostile": hostile, "sound": sound, **more}.items():
            (corpus / f"{name}.tar").write_bytes(data)

    return write


def among(members: Members, **options: Any) -> Callable[[Path], None]:
    """A tar in which these members stand between sound ones."""

    def write(corpus: Path) -> None:
        whole = [*record("0sound", PNG[0], SOUND), *members, *record("zsound", PNG[0], SOUND)]
        (corpus / "hostile.tar").write_bytes(archive(whole, **options))

    return write


def parquet(hostile: pa.Table | bytes, **options: Any) -> Callable[[Path], None]:
    """A folder with this table, or file, beside one that is sound."""

    def write(corpus: Path) -> None:
        sound = {"image": pa.array([PNG[0]] * 2), "caption": [SOUND] * 2}
        pq.write_table(pa.table(sound), corpus / "sound.parquet")
        if isinstance(hostile, bytes):
            (corpus / "hostile.parquet").write_bytes(hostile)
        else:
            pq.write_table(hostile, corpus / "hostile.parquet", **options)

    return write
