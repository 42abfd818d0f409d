"""An export holds what training reads, row by row, and other people's loaders open it."""

import shutil
from pathlib import Path

import cv2
import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image
from torch.nn import functional
from torchvision import transforms
from upath import UPath

from annotate.corpus import find_corpus
from annotate.ingest import ingest_shard
from annotate.plan import make_plan
from annotate.shard import annotate_shard, bind
from annotate.task import make_tasks
from manifests.condition import decode
from manifests.dataset import Dataset
from manifests.family import create_card
from manifests.index import ROWS, build_index, read_index
from manifests.layout import IMAGES
from manifests.manifest import Manifest
from manifests.removed import remove_pictures
from manifests.storage import locate
from manifests.training_set.gather import gather_shard
from tests.toy_run import write_dataset
from train.base import load_base
from train.batches import decode_image
from train.export.card import write_export_card
from train.export.export import Export, begin_export, missing_shards, plan_export
from train.export.shards import check_export_room, clear, forecast, make_shards, wave_of
from train.hints import as_picture, hint
from train.views import centre_square

TINY_BASE = Path(__file__).parents[3] / "train/tiny_base/model"
PHOTOS = sorted((Path(__file__).parents[4] / "shared/data/photos").glob("*.jpg"))[:12]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def playroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exported") / "playroom"
    write_dataset(root)
    return root


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of several sizes, one of them as PNG, with edges at 128 pixels."""
    if not PHOTOS:
        pytest.skip("no photographs here")
    home = tmp_path_factory.mktemp("photos")
    corpus = home / "corpus"
    corpus.mkdir()
    for path in PHOTOS:
        shutil.copy(path, corpus)
        (corpus / f"{path.stem}.txt").write_text(f"<script>{path.stem}</script>")
    Image.open(PHOTOS[0]).convert("RGB").rotate(180).save(corpus / "upside_down.png")
    (corpus / "upside_down.txt").write_text("upside down")
    dataset = make_plan(home / "pairs", find_corpus(str(corpus)), splits={"train": 0.6, "validation": 0.2, "test": 0.2})
    for name in dataset.missing(IMAGES):
        ingest_shard(dataset, name, threads=1, done=lambda _: None)
    tasks = make_tasks(dataset, ["canny"], resolution=128)
    create_card(dataset.root, tasks[0].card)
    for name in dataset.missing("canny"):
        annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=4, threads=1, done=lambda _: None)
    build_index(dataset)
    return home / "pairs"


def manifest(root: Path, **fields: object) -> Manifest:
    asked = {"dataset": root, "condition": "canny", "rows": 16, "base": str(TINY_BASE), "resolution": 128}
    return Manifest(**{**asked, **fields})


def write(asked: Manifest, out: UPath | Path, *, shard_rows: int = 7, held: int = 1_000, source: str = "") -> Export:
    """What pipelines/export.py does."""
    export = plan_export(asked, held=held, shard_rows=shard_rows, source=source.split(",") if source else ())
    place = locate(out)
    begin_export(export, place)
    make_shards(export, place, lambda _: None)
    write_export_card(export, place)
    clear(place)
    return export


def contents(out: UPath) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def pair_of(export: Export, split: str, place: int, resolution: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Picture, hint and captions of a row as train/batches.py makes them of the dataset, cut in the middle."""
    row = export.splits[split].slice(place, 1)
    placed = row.append_column("position", [[0]])
    record = gather_shard(export.dataset, export.families, row["shard"][0].as_py(), placed).to_pylist()[0]
    kind = export.card.kind
    condition = decode(kind, record["condition"])
    square = centre_square(condition.shape[:2], resolution)
    picture = square.of_picture(decode_image(record["image"]["bytes"]))
    return picture, as_picture(hint(kind, square.of_condition(kind, condition))), record["captions"]


@pytest.mark.parametrize("family", ["canny", "truth_edges", "truth_depth", "truth_openpose", "truth_segmentation"])
def test_every_kind_of_hint_is_the_one_that_training_draws(playroom: Path, tmp_path: Path, family: str) -> None:
    export = write(manifest(playroom, condition=family, rows=5), tmp_path / "out")
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train")
    assert rows["key"] == export.splits["train"]["key"].to_pylist()
    for place, row in enumerate(rows):
        image, drawn, captions = pair_of(export, "train", place, 128)
        assert np.array_equal(np.asarray(row["image"].convert("RGB")), image)
        assert np.array_equal(np.asarray(row["conditioning_image"].convert("RGB")), drawn)
        assert row["text"] == captions[0]


def test_photographs_are_brought_to_the_size_of_their_conditions(photos: Path, tmp_path: Path) -> None:
    export = write(manifest(photos, rows=5, where=""), tmp_path / "out")
    forms = set()
    for split, drawn_rows in export.splits.items():
        rows = datasets.load_dataset(str(tmp_path / "out"), split=split)
        assert len(rows) == len(drawn_rows)
        for place, row in enumerate(rows):
            image, drawn, captions = pair_of(export, split, place, 128)
            assert row["image"].size == row["conditioning_image"].size
            assert min(row["image"].size) == 128
            forms.add(row["image"].format)
            square = middle(np.asarray(row["image"].convert("RGB")))
            assert np.abs(square.astype(int) - image).mean() < (0.01 if row["image"].format == "PNG" else 3)
            assert np.array_equal(middle(np.asarray(row["conditioning_image"].convert("RGB"))), drawn)
            assert row["text"] == captions[0]
    assert forms == {"JPEG", "PNG"}  # what was lossless stays so


def middle(picture: np.ndarray) -> np.ndarray:
    """The square that train/batches.py cuts where nothing else is asked for."""
    side = min(picture.shape[:2])
    top, left = (int(0.5 * (length - side + 1)) for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def test_a_pair_smaller_than_the_manifest_s_resolution_is_enlarged_before_the_hint_is_drawn(
    playroom: Path, tmp_path: Path
) -> None:
    export = write(manifest(playroom, condition="truth_openpose", rows=4, resolution=192), tmp_path / "out")
    for place, row in enumerate(datasets.load_dataset(str(tmp_path / "out"), split="train")):
        assert row["image"].size == row["conditioning_image"].size == (192, 192)
        assert np.array_equal(np.asarray(row["conditioning_image"]), pair_of(export, "train", place, 192)[1])


def test_each_split_holds_its_own_rows_and_no_others(playroom: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export = write(manifest(playroom), out)
    index = read_index(Dataset.open(playroom), ROWS).to_pylist()
    of = {name: {row["key"] for row in index if row["split"] == name} for name in ("train", "validation", "test")}
    keys = {name: datasets.load_dataset(str(out), split=name)["key"] for name in of}
    assert set(keys["test"]) == of["test"]
    assert set(keys["validation"]) == of["validation"]
    assert keys["train"] == export.splits["train"]["key"].to_pylist()
    assert set(keys["train"]) < of["train"]
    for name, found in keys.items():
        assert len(found) == len(set(found))
        streamed = datasets.load_dataset(str(out), split=name, streaming=True)
        assert [row["key"] for row in streamed] == found
    assert pq.read_schema(out / "data/train-00000-of-00003.parquet").names[:3] == [
        "image",
        "text",
        "conditioning_image",
    ]


def test_a_smaller_export_is_the_beginning_of_a_larger_one(playroom: Path, tmp_path: Path) -> None:
    keys = []
    for rows in (6, 16):
        write(manifest(playroom, rows=rows), tmp_path / str(rows), held=3)
        keys.append(datasets.load_dataset(str(tmp_path / str(rows)), split="train")["key"])
        assert len(datasets.load_dataset(str(tmp_path / str(rows)), split="test")) == 3
    assert keys[1][:6] == keys[0]


def test_other_rows_in_a_folder_of_the_same_name_are_not_taken_for_the_first(playroom: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "one/out", tmp_path / "two/out"]
    exports = [write(manifest(playroom, seed=seed), out) for seed, out in enumerate(folders)]
    for place in (0, 1, 0):
        opened = datasets.load_dataset(str(folders[place]), split="train")
        assert opened["key"] == exports[place].splits["train"]["key"].to_pylist()
    shutil.rmtree(folders[0])
    write(manifest(playroom, seed=5), folders[0])
    again = datasets.load_dataset(str(folders[0]), split="train")["key"]
    assert again != exports[0].splits["train"]["key"].to_pylist()


def test_an_export_killed_halfway_is_made_whole_to_the_same_bytes(playroom: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export = write(manifest(playroom), out)
    before = contents(out)
    for name in ("README.md", "data/train-00001-of-00003.parquet", "data/test-00000-of-00004.parquet"):
        (out / name).unlink()
    (out / ".partial/spool-of-a-killed-one").mkdir(parents=True)
    assert missing_shards(export, out) == {"train": [1], "validation": [], "test": [0]}
    kept = (out / "data/train-00000-of-00003.parquet").stat().st_mtime_ns
    write(manifest(playroom), out)
    assert contents(out) == before
    assert (out / "data/train-00000-of-00003.parquet").stat().st_mtime_ns == kept
    assert not (out / ".partial").exists()


def test_rows_spooled_in_several_turns_come_to_the_same_bytes(
    playroom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(manifest(playroom), tmp_path / "one/out", shard_rows=3)
    monkeypatch.setattr("train.export.shards.WAVE", 2)
    write(manifest(playroom), tmp_path / "two/out", shard_rows=3)
    assert contents(tmp_path / "two/out") == contents(tmp_path / "one/out")


def test_what_several_waves_read_is_foretold_for_each(playroom: Path, tmp_path: Path) -> None:
    export = plan_export(manifest(playroom), held=5, shard_rows=1)
    missing = {split: list(range(export.shards(split))) for split in export.splits}
    once, often = (forecast(export, missing, wave=wave) for wave in (64, 1))
    assert often.writes == once.writes
    assert often.reads > once.reads  # row groups that hold several of the rows are read for each
    assert wave_of(export, tmp_path, missing) == 512
    assert wave_of(export, locate("s3://bucket/out"), missing) == 512


def test_a_missing_shard_of_an_export_is_an_error_and_is_named(playroom: Path, tmp_path: Path) -> None:
    write(manifest(playroom), tmp_path / "out")
    (tmp_path / "out/data/train-00001-of-00003.parquet").unlink()
    for streaming in (False, True):
        with pytest.raises(FileNotFoundError, match="train-00001-of-00003"):
            datasets.load_dataset(str(tmp_path / "out"), split="train", streaming=streaming)


def test_another_export_in_the_folder_or_other_files_are_refused(playroom: Path, tmp_path: Path) -> None:
    write(manifest(playroom), tmp_path / "out")
    with pytest.raises(ValueError, match=r"another export is there \(seed: 0 there, 3 asked for"):
        write(manifest(playroom, seed=3), tmp_path / "out")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="other files are there, and no export"):
        write(manifest(playroom), tmp_path / "home")


def test_what_the_source_said_goes_along_if_it_is_asked_for(playroom: Path, tmp_path: Path) -> None:
    write(manifest(playroom), tmp_path / "out", source="id,url")
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train")
    assert rows.column_names == ["image", "text", "conditioning_image", "key", "licence", "id", "url"]
    opened = Dataset.open(playroom)
    said = {row["key"]: row for name in opened.shards("source") for row in opened.read("source", name).to_pylist()}
    for row in rows.remove_columns(["image", "conditioning_image"]):
        assert {"id": row["id"], "licence": row["licence"]} == {
            name: said[row["key"]][name] for name in ("id", "licence")
        }
    with pytest.raises(ValueError, match=r"--source price: no such column of source/\. There are id, url"):
        write(manifest(playroom), tmp_path / "other", source="price")


def test_pictures_taken_down_are_not_exported(playroom: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(playroom, tmp_path / "rooms"))
    opened = Dataset.open(root)
    gone = next(row for row in read_index(opened, ROWS).to_pylist() if row["split"] == "test")
    remove_pictures(opened, [gone["picture"]], "")
    write(manifest(root, rows=8), tmp_path / "out")
    assert gone["key"] not in datasets.load_dataset(str(tmp_path / "out"), split="test")["key"]


def test_a_split_without_rows_is_left_out(playroom: Path, tmp_path: Path) -> None:
    write(manifest(playroom, rows=1), tmp_path / "out", held=0)
    assert set(datasets.load_dataset(str(tmp_path / "out"))) == {"train"}


def test_an_export_to_a_bucket_has_the_bytes_of_one_to_a_folder(playroom: Path, tmp_path: Path, bucket: str) -> None:
    write(manifest(playroom), tmp_path / "out")
    write(manifest(playroom), locate(f"{bucket}/exported/out"))
    assert contents(locate(f"{bucket}/exported/out")) == contents(locate(tmp_path / "out"))


def test_no_room_is_said_before_anything_is_read(
    playroom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match=r"are needed there, and 1\.0 kB are free\. Lower rows or --held-out"):
        check_export_room(tmp_path / "out", forecast(plan_whole(playroom), {"train": [0, 1]}), 2)


def plan_whole(playroom: Path) -> Export:
    return plan_export(manifest(playroom), held=5, shard_rows=7)


def test_what_will_be_written_is_foretold(photos: Path, playroom: Path, tmp_path: Path) -> None:
    for root, rows in ((playroom, 16), (photos, 5)):
        export = write(manifest(root, rows=rows), tmp_path / root.name)
        told = forecast(export, {split: range(export.shards(split)) for split in export.splits}).writes
        written = sum(path.stat().st_size for path in (tmp_path / root.name / "data").glob("*.parquet"))
        assert 0.5 * written < told < 1.2 * written


def read_as_diffusers_does(out: Path, resolution: int, size: int) -> tuple[dict[str, torch.Tensor], list[str]]:
    """The way of examples/controlnet/train_controlnet.py from a folder to its first batch, with its defaults."""
    base = load_base(str(TINY_BASE))
    train = datasets.load_dataset(str(out))["train"]
    assert {"image", "text", "conditioning_image"} <= set(train.column_names)
    assert train.column_names[:3] == ["image", "text", "conditioning_image"]  # where no names are given, by place
    shape = [
        transforms.Resize(resolution, interpolation=transforms.InterpolationMode.BILINEAR),
        transforms.CenterCrop(resolution),
        transforms.ToTensor(),
    ]
    picture, drawing = transforms.Compose([*shape, transforms.Normalize([0.5], [0.5])]), transforms.Compose(shape)

    def prepare(rows: dict[str, list]) -> dict[str, list]:
        rows["pixel_values"] = [picture(image.convert("RGB")) for image in rows["image"]]
        rows["conditioning_pixel_values"] = [drawing(image.convert("RGB")) for image in rows["conditioning_image"]]
        rows["input_ids"] = base.tokenizer(
            rows["text"],
            max_length=base.tokenizer.model_max_length,
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).input_ids
        return rows

    rows = [train.with_transform(prepare)[place] for place in range(size)]
    names = ("pixel_values", "conditioning_pixel_values", "input_ids")
    return {name: torch.stack([row[name] for row in rows]) for name in names}, [row["key"] for row in rows]


def test_a_loader_as_diffusers_has_it_reads_an_export_and_a_controlnet_takes_a_step(
    playroom: Path, tmp_path: Path
) -> None:
    export = write(manifest(playroom, rows=4), tmp_path / "out")
    batch, keys = read_as_diffusers_does(tmp_path / "out", 128, size=2)
    assert keys == export.splits["train"]["key"].to_pylist()[:2]
    for place in range(2):
        image, drawn, _ = pair_of(export, "train", place, 128)
        pixels = (batch["pixel_values"][place].permute(1, 2, 0).numpy() + 1) * 127.5
        assert np.allclose(pixels, image, atol=1e-3)
        assert np.allclose(batch["conditioning_pixel_values"][place].permute(1, 2, 0).numpy() * 255, drawn, atol=1e-3)
    base = load_base(str(TINY_BASE))
    controlnet = ControlNetModel.from_unet(base.unet)
    optimiser = torch.optim.AdamW(controlnet.parameters(), lr=1e-3)
    losses = []
    for _ in range(2):
        losses.append(step(base, controlnet, batch))
        losses[-1].backward()
        optimiser.step()
        optimiser.zero_grad()
    assert all(torch.isfinite(loss) for loss in losses)
    assert losses[1] < losses[0]  # the same noise: the step went downhill


def step(base: object, controlnet: ControlNetModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss of one batch, as the script has it, with the same noise every time."""
    generator = torch.Generator().manual_seed(0)
    latents = base.vae.encode(batch["pixel_values"]).latent_dist.mean * base.vae.config.scaling_factor
    noise = torch.randn(latents.shape, generator=generator)
    steps = torch.tensor([300, 700])
    noisy = base.scheduler.add_noise(latents, noise, steps)
    words = base.text_encoder(batch["input_ids"])[0]
    down, middle_one = controlnet(
        noisy,
        steps,
        encoder_hidden_states=words,
        controlnet_cond=batch["conditioning_pixel_values"],
        return_dict=False,
    )
    predicted = base.unet(
        noisy,
        steps,
        encoder_hidden_states=words,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle_one,
    ).sample
    target = (
        noise
        if base.scheduler.config.prediction_type == "epsilon"
        else base.scheduler.get_velocity(latents, noise, steps)
    )
    return functional.mse_loss(predicted, target)


def test_resizing_as_diffusers_does_keeps_picture_and_hint_aligned(photos: Path, tmp_path: Path) -> None:
    write(manifest(photos, rows=5), tmp_path / "out")
    batch, _ = read_as_diffusers_does(tmp_path / "out", 96, size=5)
    for pixels, drawn in zip(batch["pixel_values"], batch["conditioning_pixel_values"], strict=True):
        grey = cv2.GaussianBlur(((pixels + 1) / 2).mean(0).numpy(), (0, 0), 1.0)
        slope, edges = np.hypot(*np.gradient(grey)), drawn[0].numpy() > 0.5
        here = slope[edges].mean()
        for shift in (-3, 3):
            assert here > slope[np.roll(edges, shift, axis=1)].mean()
            assert here > slope[np.roll(edges, shift, axis=0)].mean()
