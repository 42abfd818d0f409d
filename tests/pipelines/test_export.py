"""The command that exports: what it says, what it refuses, and what reaches the Hub."""

from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
from huggingface_hub import DatasetCard

from manifests.push import check_push
from pipelines import export
from tests.hub_stand_in import TOKEN, Hub, serve_hub


@pytest.fixture(scope="module")
def out(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export, made by the command."""
    folder = tmp_path_factory.mktemp("export") / "rooms_canny"
    export.main(toy / "toy.yaml", str(folder), shard_rows=10)
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub of this machine, to which this process belongs."""
    with serve_hub() as served:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield served


def push(toy: Path, out: Path, *, public: bool = False) -> None:
    export.main(toy / "toy.yaml", str(out), shard_rows=10, push="someone/rooms", public=public)


def test_the_command_says_what_it_made(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "rooms_canny"
    export.main(toy / "toy.yaml", str(folder), held_out=5, source="url")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("train: 16 of ")
    assert printed[2].startswith("test: 5 of ")
    assert printed[3].startswith("reads ")
    assert printed[-1] == f"made {folder}"
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "data", "examples.webp", "export.json"]
    assert {name: len(rows) for name, rows in datasets.load_dataset(str(folder)).items()}["test"] == 5
    export.main(toy / "toy.yaml", str(folder), held_out=5, source="url")
    assert "reads" not in capsys.readouterr().out  # all of it is there


def test_the_card_is_one_that_the_hub_reads(out: Path) -> None:
    card = DatasetCard.load(out / "README.md")
    known = card.data.to_dict()
    assert known["license"] == "cc0-1.0"
    assert known["task_categories"] == ["text-to-image"]
    assert known["size_categories"] == ["n<1K"]
    assert "controlnet" in known["tags"]
    assert [of["split"] for of in known["configs"][0]["data_files"]] == ["train", "validation", "test"]
    features = {of["name"]: of["dtype"] for of in known["dataset_info"]["features"]}
    assert features["image"] == features["conditioning_image"] == "image"
    for part in ("examples.webp", "canny v1 (low=100", "from playroom:60", "CC0-1.0", "--resolution 128"):
        assert part in card.text
    assert str(out.parent) not in (out / "README.md").read_text() + (out / "export.json").read_text()


def test_a_dataset_in_the_place_of_a_manifest_is_refused_with_the_command_that_pushes_it(toy: Path) -> None:
    with pytest.raises(ValueError, match=r"hf upload NAMESPACE/NAME \S+/playroom \. --repo-type dataset --private"):
        export.main(toy / "playroom", "out")


@pytest.mark.parametrize("name", ["rooms", "some/one/rooms", "someone/ro oms", "someone/a--b", "someone/x.git", "/x"])
def test_a_name_that_no_repository_has_is_refused_before_any_work(toy: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"not the name of a repository\. Give NAMESPACE/NAME"):
        export.main(toy / "toy.yaml", str(tmp_path / "out"), push=name)
    assert not (tmp_path / "out").exists()


def test_a_bucket_is_not_pushed_from(toy: Path) -> None:
    with pytest.raises(ValueError, match="only a folder of this machine is pushed"):
        export.main(toy / "toy.yaml", "s3://bucket/out", push="someone/rooms")


def test_without_a_token_or_a_line_a_push_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"no token is at hand\. Log in with: hf auth login, or set HF_TOKEN"):
        check_push("someone/rooms")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match="HF_HUB_OFFLINE is set"):
        check_push("someone/rooms")


def test_a_token_that_the_hub_refuses_is_one_line_before_any_work(
    hub: Hub, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    with pytest.raises(ValueError, match=r"someone/rooms: the Hub refuses \(.*\)\. Log in with: hf auth login") as said:
        push(toy, tmp_path / "out")
    assert "\n" not in str(said.value)
    assert not (tmp_path / "out").exists()


def test_a_hub_that_is_not_there_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match="someone/rooms: the Hub can't be reached") as said:
        check_push("someone/rooms")
    assert "\n" not in str(said.value)


def test_a_push_makes_a_private_repository_of_the_files_and_the_card_comes_last(
    toy: Path, out: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.files["data/train-00000-of-00001.parquet"] = b"of an older export"
    push(toy, out)
    assert capsys.readouterr().out.splitlines()[-1] == f"pushed to {hub.address}/datasets/someone/rooms"
    assert hub.private is True
    assert hub.files == {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert list(hub.files)[-1] == "README.md"


def test_a_repository_that_is_public_takes_nothing_that_was_to_be_private(toy: Path, out: Path, hub: Hub) -> None:
    hub.private, hub.fixed = False, True
    with pytest.raises(ValueError, match=r"it is there, and is public\. Say --public"):
        push(toy, out)
    assert hub.files == {}
    push(toy, out, public=True)
    assert "README.md" in hub.files
