"""An album: picture files with all their conditions side by side, made in memory, in one HTML file of its own."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from statistics import median

import torch

from annotate.annotator import IMAGE, STORED, Annotator, Parameters
from annotate.chain import Link, Read, source
from annotate.image import fit, normalise
from annotate.opening import Unusable
from annotate.rows import Fault
from annotate.stored import Stored
from annotate.weights import describe, offline
from evaluate.doctor.checkup import why_not
from evaluate.page.panel import Panel, as_thumbnail, in_words, show
from evaluate.page.render import render
from manifests.condition import Condition
from manifests.family import Profile
from manifests.storage import replace_text

Made = tuple[Condition, Parameters] | Fault
OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)


@dataclass(frozen=True)
class Scale:
    """How pictures are resized before they are annotated."""

    resolution: int = 512  # of the short side, pixels; 0: as they are
    profile: Profile = "exact"


@dataclass(frozen=True)
class Shot:
    """One picture file on the page."""

    name: str
    size: str
    picture: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Row:
    """One family in the page's table: its weights with their licences, and the median time that a picture takes."""

    family: str
    annotator: Annotator
    weights: list[str]
    time: str


@dataclass
class Bench:
    """Annotators that are loaded, in an order that works, and why the others are not.

    Attributes:
        seconds: what each family took, picture by picture.
    """

    annotators: Mapping[str, Annotator]
    links: dict[str, Link]
    absent: dict[str, str]
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def write_album(
    files: Sequence[Path], annotators: Mapping[str, Annotator], asked: Sequence[str], path: Path, *, scale: Scale
) -> Path:
    """Write the page.

    Args:
        files: pictures, in the order of the page.
        annotators: as `annotate.chain.assemble` gives them.
        asked: families that are shown; the rest are only read by others.
        path: the HTML file.

    Raises:
        ValueError: no family asked for can run here, or no file is a picture; says why.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bench = load(annotators, device)
    if not set(asked) & set(bench.links):
        reasons = "; ".join(f"{family}: {bench.absent[family]}" for family in asked)
        raise ValueError(f"no family that was asked for can run here ({reasons}). Ask: python pipelines/doctor.py")
    shots, unread = [], {}
    for file in files:
        try:
            shots.append(_shoot(file, bench, asked, scale))
        except Unusable as fault:
            unread[file.name] = str(fault)
    if not shots:
        first, why = next(iter(unread.items()))
        raise ValueError(f"{first}: {why}. Give pictures: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF")
    with offline():
        rows = _rows(bench, asked)
    absent = {family: why for family, why in bench.absent.items() if family in asked}
    title = files[0].name if len(files) == 1 else f"{len(shots)} pictures"
    page = render("album.html.j2", title=title, shots=shots, rows=rows, absent=absent, unread=unread, scale=scale)
    replace_text(page, path)
    return path


def load(annotators: Mapping[str, Annotator], device: torch.device) -> Bench:
    """Load what can run without fetching anything."""
    bench = Bench(annotators, {}, {})
    for family, annotator in annotators.items():
        reads = source(annotators, family)
        with offline():
            if why := why_not(annotators, family):
                bench.absent[family] = why
            elif reads in bench.absent:
                bench.absent[family] = f"reads {reads}, which can't run here"
            else:
                try:
                    bench.links[family] = Link(family, annotator, annotator.load(device))
                except Exception as error:  # one detector that can't be loaded takes no other with it
                    bench.absent[family] = f"{type(error).__name__}: {error}"
    return bench


def _shoot(file: Path, bench: Bench, asked: Sequence[str], scale: Scale) -> Shot:
    data = file.read_bytes()
    stored = Stored(normalise(data, max_side=0).data, _captions(file))
    image = stored.image
    picture = fit(image, scale.resolution, scale.profile)
    made = _conditions(bench, {IMAGE: picture[None], STORED: [stored]}, sha256(data).hexdigest()[:16])
    panels = tuple(_panel(bench, family, made[family]) for family in asked if family in bench.links)
    sizes = [f"{width} x {height}" for height, width in (image.shape[:2], picture.shape[:2])]
    return Shot(file.name, " → ".join(dict.fromkeys(sizes)), as_thumbnail(picture), panels)


def _captions(file: Path) -> tuple[str, ...]:
    """What stands in a text file beside the picture."""
    beside = file.with_suffix(".txt")
    return (beside.read_text(errors="replace").strip(),) if beside.is_file() else ()


def _conditions(bench: Bench, pictures: Mapping[str, Read], key: str) -> dict[str, Made]:
    """What every family makes of one picture.

    Args:
        pictures: `IMAGE` and `STORED` → the picture as their readers take it, as a batch of one.
    """
    made: dict[str, Made] = {}
    for family, link in bench.links.items():
        before = source(bench.annotators, family)
        read = pictures.get(before)
        if read is None:
            given = made[before]
            if isinstance(given, Fault):
                made[family] = Fault("source", given.error)
                continue
            read = bench.links[before].as_read([given[0]])
        made[family] = _run(link, read, key, bench.seconds[family])
    return made


def _run(link: Link, read: Read, key: str, seconds: list[float]) -> Made:
    drawn = link.annotator.draw(f"{key}:{link.family}")
    began = time.perf_counter()
    try:
        (condition,) = link(read, [key], [drawn])
    except OUT_OF_MEMORY:
        raise
    except Exception as error:  # whatever a detector raises is a fact about this picture
        return Fault("annotate", f"{type(error).__name__}: {error}")
    seconds.append(time.perf_counter() - began)
    return condition, drawn


def _panel(bench: Bench, family: str, made: Made) -> Panel:
    if isinstance(made, Fault):
        return Panel(family, "failed", f"{made.code} {made.error}")
    (condition, drawn), annotator = made, bench.annotators[family]
    status = "empty" if annotator.empty(condition) else "ok"
    said = in_words({**drawn, **annotator.measure(condition)})
    return show(family, annotator.kind, condition, status=status, said=said)


def _rows(bench: Bench, asked: Sequence[str]) -> list[Row]:
    return [
        Row(
            family,
            bench.annotators[family],
            [f"{found.file}: {found.licence}" for name in bench.annotators[family].weights for found in describe(name)],
            f"{1e3 * median(bench.seconds[family]):,.0f} ms" if bench.seconds[family] else "",
        )
        for family in asked
        if family in bench.links
    ]
