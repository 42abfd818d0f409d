"""Similarities are those of transformers' CLIP, pair by pair, in batches of pictures of any size."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

from annotate.annotator import Annotate
from annotate.corpora.format import OPTIONAL
from annotate.registry import build
from annotate.shard import annotate_shard, bind
from annotate.stored import Stored
from annotate.task import make_tasks
from annotate.weights import VARIABLE
from manifests.dataset import Dataset
from tests.annotate import random_models

PHOTOS = sorted((Path(__file__).parents[3] / "shared/data/photos").glob("*.jpg"))[:6]
LONG = "red ball blue box grey wall sand floor green cone " * 8
CAPTIONS = ["red ball", "a blue box on a sand floor", "grey wall", LONG, "green cone, red box", "b"]


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of weights with a small CLIP in it, and something else."""
    weights = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    random_models.clip(weights / "clip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(weights))
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(weights / "cache"))
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield weights


def load() -> Annotate:
    return build("clip_score", {"model": "clip"}, "clip_score").load(torch.device("cpu"))


@pytest.mark.skipif(not PHOTOS, reason="no photographs here")
def test_pairs_in_a_batch_are_scored_as_transformers_scores_each_alone(folder: Path) -> None:
    model, processor = CLIPModel.from_pretrained(folder / "clip").eval(), CLIPProcessor.from_pretrained(folder / "clip")
    rows = [Stored(path.read_bytes(), (caption,)) for path, caption in zip(PHOTOS, CAPTIONS, strict=True)]
    assert len({row.image.shape for row in rows}) > 1
    made = load()(rows, [{}] * len(rows))
    theirs = []
    for row, caption in zip(rows, CAPTIONS, strict=True):
        picture = Image.open(io.BytesIO(row.data)).convert("RGB")
        inputs = processor(text=[caption], images=picture, return_tensors="pt", truncation=True, max_length=16)
        with torch.inference_mode():
            theirs.append((model(**inputs).logits_per_image / model.logit_scale.exp()).item())
    assert np.std(theirs) > 0.05, "similarities that are all alike would prove nothing"
    assert [score.values["clip_score"] for score in made] == pytest.approx(theirs, abs=1e-5)
    assert [score.shape for score in made] == [row.image.shape[:2] for row in rows]


@pytest.mark.skipif(not PHOTOS, reason="no photographs here")
def test_no_batch_changes_a_score() -> None:
    rows = [Stored(path.read_bytes(), (caption,)) for path, caption in zip(PHOTOS, CAPTIONS, strict=True)]
    together = [score.values["clip_score"] for score in load()(rows, [{}] * len(rows))]
    alone = [load()([row], [{}])[0].values["clip_score"] for row in rows]
    assert together == pytest.approx(alone, abs=1e-6)


def test_of_a_long_caption_it_is_said_how_many_tokens_were_not_read(png: list[bytes]) -> None:
    short, long = load()([Stored(png[0], ("red ball",)), Stored(png[0], (LONG,))], [{}, {}])
    assert short.values["truncated"] == 0
    assert long.values["truncated"] > 16


def test_rows_without_caption_are_empty_and_the_others_beside_them_scored(
    png: list[bytes], tmp_path: Path, ingest: Callable[..., Dataset], rows: Callable[..., list]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, picture in enumerate(png[:3]):
        (corpus / f"{number}.png").write_bytes(picture)
    (corpus / "1.txt").write_text("a circle")
    dataset = ingest(corpus, captions=OPTIONAL)
    tasks = make_tasks(dataset, ["clip_score"], settings=["clip_score.model=clip"])
    (name,) = dataset.shards()
    annotate_shard(dataset, name, bind(tasks, torch.device("cpu")), batch_size=8, threads=1, done=lambda _: None)
    made = {bool(image["captions"]): row for image, row in zip(rows(dataset), rows(dataset, "clip_score"), strict=True)}
    assert (made[False]["status"], made[False]["stats"]["clip_score"]) == ("empty", None)
    assert made[True]["status"] == "ok"
    assert -1 <= made[True]["stats"]["clip_score"] <= 1


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (2000, 10)])
def test_odd_pictures_are_scored_too(size: tuple[int, int]) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, "PNG")
    (made,) = load()([Stored(buffer.getvalue(), ("red",))], [{}])
    assert np.isfinite(made.values["clip_score"])


def test_weights_that_are_nowhere_are_named_with_the_ways_to_have_them(ingest: Callable[..., Dataset]) -> None:
    dataset = ingest("playroom:2")
    with pytest.raises(ValueError, match=r"model openai/clip-vit-base-patch32: .* Put it into a folder and set"):
        make_tasks(dataset, ["clip_score"])


def test_a_model_of_another_kind_is_refused(folder: Path) -> None:
    random_models.blip(folder / "blip")
    with pytest.raises(ValueError, match=r"is a 'blip' model\. Choose one of type clip"):
        build("clip_score", {"model": "blip"}, "clip_score").load(torch.device("cpu"))
