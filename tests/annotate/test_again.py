"""Shards made again: those asked for and no others, and a job that goes wrong ends early."""

import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from annotate.again import end_retry, failed_shards, outdated_shards, parse_retry, retry_failed, withdraw
from annotate.limit import Limit, parse_share
from annotate.rows import Fault
from annotate.shard import Bound, annotate_shard, bind
from annotate.task import Task, make_tasks
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import build_index, index_path, read_index

SIZE = 128  # rows of a shard


@pytest.fixture
def circles(ingest: Callable[..., Dataset]) -> Dataset:
    """Three shards."""
    return ingest(f"fill50k:{3 * SIZE}")


def task_of(dataset: Dataset, *settings: str) -> Task:
    return make_tasks(dataset, ["canny"], settings=settings, resolution=128)[0]


def make(dataset: Dataset, bound: Bound, *names: str) -> None:
    create_card(dataset.root, bound.task.card)
    for name in names or dataset.missing("canny"):
        annotate_shard(dataset, name, [bound], batch_size=8, threads=1, done=lambda _: None)


def sound(task: Task) -> Bound:
    return bind([task], torch.device("cpu"))[0]


def broken(task: Task, error: Exception | None = None) -> Bound:
    """The same detector on a bad day."""

    def fail(images: object, parameters: object) -> list[Fault]:
        raise error or RuntimeError("what it can't bear in a picture")

    return Bound(task, fail)


def digests(dataset: Dataset) -> dict[str, bytes]:
    return {name: dataset.path("canny", name).read_bytes() for name in dataset.shards("canny")}


def test_the_failed_are_tried_again_and_nothing_else(circles: Dataset) -> None:
    task = task_of(circles)
    first, second, third = circles.shards()
    make(circles, sound(task), first, third)
    make(circles, broken(task), second)
    build_index(circles)
    whole = {name: circles.path("canny", name).stat().st_mtime_ns for name in (first, third)}
    assert failed_shards(circles, "canny", "") == [second]
    assert failed_shards(circles, "canny", "annotate") == [second]
    assert failed_shards(circles, "canny", "decode") == []

    withdraw(circles, "canny", [second])
    assert circles.missing("canny") == [second]
    with pytest.raises(ValueError, match="canny is not indexed"):
        read_index(circles, "canny")
    make(circles, sound(task))

    assert failed_shards(circles, "canny", "") == []
    assert {name: circles.path("canny", name).stat().st_mtime_ns for name in (first, third)} == whole
    build_index(circles)
    assert read_index(circles, "canny")["status"].to_pylist() == ["ok"] * 3 * SIZE


def test_a_retry_that_was_killed_withdraws_no_shard_twice(circles: Dataset) -> None:
    task = task_of(circles)
    first, second, third = circles.shards()
    make(circles, broken(task), first, third)
    make(circles, sound(task), second)
    retry_failed(circles, "canny", "")
    assert circles.missing("canny") == [first, third]
    make(circles, broken(task), first)  # it fails once more; the job is killed here, and started again
    retry_failed(circles, "canny", "")
    assert circles.missing("canny") == [third]
    make(circles, sound(task))
    end_retry(circles, "canny")
    retry_failed(circles, "canny", "")
    assert circles.missing("canny") == [first]


def test_nothing_is_outdated_that_would_be_made_alike(circles: Dataset) -> None:
    make(circles, sound(task_of(circles)))
    assert outdated_shards(circles, task_of(circles)) == []


def test_shards_of_other_settings_or_packages_are_outdated(circles: Dataset) -> None:
    task = task_of(circles)
    make(circles, sound(task))
    assert outdated_shards(circles, task_of(circles, "canny.low=50")) == circles.shards()
    updated = replace(task, card=task.card.model_copy(update={"packages": {"opencv-python-headless": "9.9"}}))
    assert outdated_shards(circles, updated) == circles.shards()


def test_a_refresh_that_was_killed_midway_can_not_be_taken_for_whole(circles: Dataset) -> None:
    make(circles, sound(task_of(circles)))
    before = digests(circles)
    softer = task_of(circles, "canny.low=50")
    with pytest.raises(ValueError, match="or make it again with --refresh"):
        create_card(circles.root, softer.card)
    create_card(circles.root, softer.card, refresh=True)  # killed here
    assert build_index(circles)["canny"] == len(circles.shards()), "which ends no other family's job"
    with pytest.raises(ValueError, match=r"made under another fingerprint\). Make them again: .*--refresh"):
        read_index(circles, "canny")

    withdraw(circles, "canny", outdated_shards(circles, softer)[:1])  # or here
    build_index(circles)
    assert not index_path(circles, "canny").exists(), "some of its shards are missing"

    withdraw(circles, "canny", outdated_shards(circles, softer))
    make(circles, sound(softer))
    build_index(circles)
    assert index_path(circles, "canny").exists()
    assert not set(digests(circles).values()) & set(before.values())


def test_a_job_ends_when_it_can_no_longer_keep_its_bound(circles: Dataset) -> None:
    task = task_of(circles)
    make(circles, broken(task), circles.shards()[0])
    limit = Limit(0.5, 3 * SIZE)
    for _ in range(2):  # before the job, and as another family of its is through: 128 failed, not 256
        limit.check(circles, "canny", circles.shards()[0])
    with pytest.raises(
        ValueError, match=r"canny: 128 rows have failed \(annotate 128\), and of 384 at most 0.100% may"
    ):
        Limit(0.001, 3 * SIZE).check(circles, "canny", circles.shards()[0])


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (torch.AcceleratorError("an illegal memory access was encountered"), torch.AcceleratorError),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), RuntimeError),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), MemoryError),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), MemoryError),
    ],
)
def test_a_fault_of_the_machine_is_no_fact_about_a_picture(
    circles: Dataset, error: Exception, seen: type[Exception]
) -> None:
    task = task_of(circles)
    with pytest.raises(seen):
        make(circles, broken(task, error), circles.shards()[0])
    assert not circles.path("canny", circles.shards()[0]).exists()


def test_nothing_is_made_from_another_source_than_its_card_says(circles: Dataset) -> None:
    depth = make_tasks(circles, ["depth"], settings=["depth.model=tiny/depth"], resolution=64)[0]
    name = circles.shards()[0]
    create_card(circles.root, depth.card)
    for each in circles.shards():
        annotate_shard(circles, each, [sound(depth)], batch_size=8, threads=0, done=lambda _: None)
    normal = make_tasks(circles, ["normal"], resolution=64)[0]
    create_card(circles.root, normal.card)
    older = replace(normal, card=normal.card.model_copy(update={"made_from": {"depth": "0" * 16}}))
    with pytest.raises(ValueError, match=f"depth/{name} is of fingerprint .*, and normal is made from 0000"):
        annotate_shard(circles, name, [sound(older)], batch_size=8, threads=0, done=lambda _: None)
    annotate_shard(circles, name, [sound(normal)], batch_size=8, threads=0, done=lambda _: None)
    assert circles.path("normal", name).exists()


@pytest.mark.parametrize(("words", "share"), [("0.1%", 0.001), ("0.25", 0.25), ("0", 0.0), ("100%", 1.0)])
def test_a_share_is_a_number_or_a_percentage(words: str, share: float) -> None:
    assert parse_share(words) == pytest.approx(share)


@pytest.mark.parametrize("words", ["ten", "-1", "120%", "nan", ""])
def test_what_is_no_share_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="not a share"):
        parse_share(words)


def test_only_failed_rows_are_tried_again() -> None:
    assert (parse_retry("failed"), parse_retry("failed:decode")) == ("", "decode")
    with pytest.raises(ValueError, match="only failed rows are tried again"):
        parse_retry("empty")


def test_the_command_that_a_card_gives_makes_the_very_family(circles: Dataset) -> None:
    words, settings = ["soft=canny", "flow=depth"], ["soft.low=50", "flow.model=tiny/depth"]
    for task in make_tasks(circles, words, settings=settings, resolution=96, profile="aux"):
        said = shlex.split(task.card.command(circles.root, refresh=True))
        again = dict(enumerate(said[3:]))
        set_ = [again[place + 1] for place, word in again.items() if word == "--set"]
        assert said[:3] == ["python", "pipelines/annotate.py", str(circles.root)]
        assert said[-1] == "--refresh"
        (same,) = make_tasks(circles, [said[3]], settings=set_, resolution=96, profile="aux")
        assert [said[4:6], said[6:8]] == [["--resolution", "96"], ["--profile", "aux"]]
        assert same.card == task.card
