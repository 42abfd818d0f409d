"""What can be ingested: which kind of corpus a user's words mean, and how that kind is listed and read."""

from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from annotate.corpora import drawn, folder, huggingface, parquet, webdataset
from annotate.corpora.columns import holds_bytes
from annotate.corpora.files import check_name, find, walk
from annotate.corpora.format import Corpus, Format
from annotate.provided.provision import PROVIDED
from manifests.dataset import SETTINGS

FORMATS: dict[str, Format] = {
    "playroom": Format(drawn.plan, drawn.read),
    "fill50k": Format(drawn.plan, drawn.read),
    "folder": Format(folder.plan, folder.read),
    "webdataset": Format(webdataset.plan, webdataset.read),
    "parquet": Format(parquet.plan, parquet.read),
    "disk": Format(huggingface.plan, huggingface.read),
    "hub": Format(huggingface.plan, huggingface.read),
}
GENERATED = ("playroom", "fill50k")
AT_INGEST = (*GENERATED, PROVIDED)  # stand for an annotator on the cards of families that come with a corpus
WAYS = "a folder of pictures, *.tar, *.parquet, a Hugging Face dataset's folder, hub:NAME, playroom:N or fill50k:N"


def find_corpus(words: str) -> Corpus:
    """Make out which corpus a user means.

    Raises:
        ValueError: there is nothing there, or nothing that can be read.
    """
    kind, colon, location = words.partition(":")
    if colon and kind in GENERATED:
        if not location.isdecimal() or int(location) == 0:
            raise ValueError(f"corpus {words}: {location!r} is not a number of pictures. Write for example {kind}:2000")
        return Corpus(kind, location)
    if colon and kind == "hub":
        return Corpus("hub", location)
    return Corpus(*_on_disk(words))


def is_path(words: str) -> bool:
    """Whether a user means something on disk."""
    kind, colon, _ = words.partition(":")
    return not (colon and kind in (*GENERATED, "hub"))


def _on_disk(words: str) -> tuple[str, str]:
    """Format and absolute location of a path or pattern."""
    path = Path(words).expanduser().absolute()
    if "?" in str(path):
        raise ValueError(
            f"corpus {words}: a '?' can't stand in a corpus's path. Use * in patterns, or rename the folder"
        )
    check_name(str(path))
    if path.is_dir():
        return _kind_of_folder(path), str(path)
    found = find(str(path), "")
    for suffix, kind in ((".tar", "webdataset"), (".parquet", "parquet")):
        if found and all(name.endswith(suffix) for name in found):
            return kind, str(path)
    if found:
        raise ValueError(f"corpus {words}: {Path(found[0]).name} is not something that can be ingested. Give {WAYS}")
    near = get_close_matches(path.name, [other.name for other in path.parent.glob("*")], 1)
    hint = f" (there is {near[0]})" if near else ""
    raise ValueError(f"corpus {words}: nothing there{hint}. Give {WAYS}")


def _kind_of_folder(path: Path) -> str:
    if (path / "state.json").exists() or (path / "dataset_dict.json").exists():
        return "disk"
    suffixes = {file.suffix.lower() for file in walk(path)}
    if ".tar" in suffixes and suffixes & folder.SUFFIXES:
        raise ValueError(
            f"corpus {path}: tars and pictures lie in it. Give {path}/**/*.tar, or a folder that holds pictures alone"
        )
    if ".tar" in suffixes:  # before Parquet: img2dataset writes 00000.parquet, without pictures, beside 00000.tar
        return "webdataset"
    if ".parquet" not in suffixes:
        return "folder"
    if suffixes & folder.SUFFIXES:
        return _kind_among_pictures(path)
    return "parquet"


def _kind_among_pictures(path: Path) -> str:
    """A folder of pictures, where Parquet beside them holds none: img2dataset says there what became of each."""
    for name in find(str(path), ".parquet"):
        if (Path(name).parent.parent / SETTINGS).exists():
            return "folder"  # a dataset lies in it, and whoever plans to read it says so
        try:
            schema = pq.read_schema(name)
        except pa.ArrowInvalid as error:
            raise ValueError(f"{name}: {error}. Mend it, or take it out of the corpus") from error
        if any(holds_bytes(field.type) for field in schema):
            raise ValueError(
                f"corpus {path}: pictures, and Parquet that holds some, lie in it. Give {path}/**/*.parquet, or a "
                "folder that holds pictures alone"
            )
    return "folder"
