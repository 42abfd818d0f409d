"""Pictures or a dataset → one page: each picture with all its conditions side by side, to be looked at."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # the folder of this file would shadow packages of the same names
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from typer import Argument, Option

from annotate.chain import assemble
from annotate.corpora.folder import SUFFIXES
from annotate.place import check_dataset
from annotate.registry import ANNOTATORS
from annotate.task import known_annotators, parse_families, parse_profile
from evaluate.album import Scale, write_album
from evaluate.sheet.page import write_sheet
from manifests.dataset import SETTINGS, Dataset
from manifests.room import in_bytes
from manifests.storage import locate
from pipelines.entry import run as run_command

RESOLUTION = 512  # pixels


def main(  # noqa: PLR0913, PLR0917  options of a command
    what: Annotated[list[str], Argument(help="a dataset; or picture files, or folders of them")],
    out: Annotated[str, Option(help="HTML file to write; DATASET/sheet.html or ./gallery.html by default")] = "",
    rows: Annotated[int, Option(help="pictures shown; of a dataset at random, and again for each column", min=1)] = 12,
    by: Annotated[
        list[str] | None, Option(help="of a dataset: index columns to lay out in strata, as canny.edge_density, width")
    ] = None,
    where: Annotated[str, Option(help="of a dataset: only these rows, as 'persons = 1 AND width >= 512'")] = "",
    families: Annotated[str, Option(help=f"of pictures: as canny,hed; there are {known_annotators()}")] = "",
    resolution: Annotated[int, Option(help="of pictures: short side in pixels; 0: as the picture", min=0)] = RESOLUTION,
    profile: Annotated[str, Option(help="of pictures: exact, or aux as controlnet_aux")] = "exact",
    set_: Annotated[
        list[str] | None, Option("--set", help="of pictures: FAMILY.setting=value, as canny.low=50")
    ] = None,
) -> None:
    """Look: python pipelines/gallery.py /data/photos_pairs, or python pipelines/gallery.py cat.jpg dog.jpg

    One HTML file that needs nothing else. Of a dataset it shows what was made: are the conditions upright, aligned, of
    the right polarity? Rows at random, from every stratum of each stat, those that failed, and the largest clusters of
    duplicates. Of pictures it shows what every annotator that can run here would make; nothing is fetched.
    """
    if is_dataset(what):
        if families or set_ or resolution != RESOLUTION or profile != "exact":
            raise ValueError(
                f"{what[0]}: --families, --resolution, --profile and --set are for pictures; datasets have theirs"
            )
        root = check_dataset(what[0])
        page = locate(out) if out else root / "sheet.html"
        made = write_sheet(Dataset.open(root), page, rows=rows, by=by or (), where=where)
        print(f"made {made}, {in_bytes(made.stat().st_size)}")
        return
    if by or where:
        raise ValueError(f"{what[0]}: --by and --where are for a dataset, whose index they ask. Leave them out")
    asked = families.split(",") if families else list(ANNOTATORS)
    scale = Scale(resolution, parse_profile(profile))
    album = Path(out or "gallery.html").absolute()
    names = list(parse_families(asked))
    print(f"made {write_album(find_pictures(what, rows), assemble(asked, set_ or []), names, album, scale=scale)}")


def is_dataset(what: Sequence[str]) -> bool:
    """Whether one dataset is meant, and no pictures; whatever isn't there either is taken for one."""
    place = Path(what[0])
    return len(what) == 1 and not place.is_file() and (not place.is_dir() or (place / SETTINGS).exists())


def find_pictures(what: Sequence[str], rows: int) -> list[Path]:
    """Files as they were named, and of each folder the first `rows` pictures, by name.

    Raises:
        ValueError: there is no such file, or no picture in a folder.
    """
    found: list[Path] = []
    for words in what:
        place = Path(words)
        inside = sorted(path for path in place.glob("*") if path.suffix.lower() in SUFFIXES)[:rows]
        if not (place.is_file() or inside):
            raise ValueError(
                f"{place}: neither a picture nor a folder of pictures nor, alone, a dataset. Mend the path"
            )
        found += [place] if place.is_file() else inside
    return found


if __name__ == "__main__":
    run_command(main)
