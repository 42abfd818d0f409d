"""Sound datasets, made once and copied for each fault: a playroom, and photographs where there are some."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from evaluate.audit.audit import Audit, Plan, audit
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index
from manifests.layout import IMAGES

SETTINGS = ("depth.model=tiny/depth", "openpose.model=tiny", "segmentation.model=tiny/segmentation")
ROOM = ("canny", "depth", "normal", "openpose", "segmentation")
PHOTOS = sorted((Path(__file__).parents[4] / "shared/data/photos").glob("*.jpg"))[:24]


def build(root: Path, corpus: str, words: Sequence[str], settings: Sequence[str], resolution: int) -> Dataset:
    """Ingest and annotate in this process."""
    dataset = make_plan(root, find_corpus(corpus), splits={"train": 0.6, "validation": 0.2, "test": 0.2})
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    tasks = make_tasks(dataset, words, settings=settings, resolution=resolution)
    for task in tasks:
        create_card(dataset.root, task.card)
    bound = bind(tasks, torch.device("cpu"))
    for name in dataset.shards():
        annotate_shard(dataset, name, bound, batch_size=8, threads=1, done=lambda _: None)
    build_index(dataset)
    return dataset


@pytest.fixture(scope="session")
def sound_room(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build(tmp_path_factory.mktemp("sound") / "room", "playroom:40", ROOM, SETTINGS, 0)


@pytest.fixture(scope="session")
def sound_photos(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    home = tmp_path_factory.mktemp("photos")
    (home / "corpus").mkdir()
    for photo in PHOTOS:
        shutil.copy(photo, home / "corpus")
        (home / "corpus" / f"{photo.stem}.txt").write_text(f"a photo, number {photo.stem[1:]}")
    words = ("canny", "lineart", "phash")
    return build(home / "photos", str(home / "corpus"), words, ("lineart.model=standard",), 192)


@pytest.fixture
def room(sound_room: Dataset, tmp_path: Path) -> Dataset:
    """A copy that may be spoilt."""
    return copied(sound_room, tmp_path / "room")


@pytest.fixture
def photos(sound_photos: Dataset, tmp_path: Path) -> Dataset:
    """A copy that may be spoilt."""
    return copied(sound_photos, tmp_path / "photos")


def copied(dataset: Dataset, where: Path) -> Dataset:
    return Dataset.open(Path(shutil.copytree(dataset.root, where)))


@pytest.fixture
def run() -> Callable[..., Audit]:
    """Audit a dataset; options as fields of `Plan`."""

    def audited(dataset: Dataset, *families: str, **options: object) -> Audit:
        return audit(dataset, Plan(families, **{"sample": 40, **options}), torch.device("cpu"))  # type: ignore[arg-type]

    return audited
