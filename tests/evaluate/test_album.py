"""An album shows what every annotator makes of a picture, names those that can't run, and trusts no file."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from controlnet_aux.hed import ControlNetHED_Apache2
from PIL import Image

from annotate.annotator import Annotate, Annotator
from annotate.chain import assemble, path_to
from annotate.hed import WEIGHTS
from annotate.image import encode_generated
from annotate.registry import ANNOTATORS
from annotate.task import parse_families
from annotate.weights import VARIABLE
from evaluate.album import Scale, write_album
from manifests.condition import Kind
from manifests.figures import Poses, Text

HARM = '<script>alert("caught")</script>'
Write = Callable[..., str]


@pytest.fixture(autouse=True)
def _no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "weights"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A white disc near the upper left corner of a wide dark picture."""
    scene = cv2.circle(np.full((128, 200, 3), 20, np.uint8), (40, 30), 20, (255, 255, 255), -1)
    (tmp_path / "disc.png").write_bytes(encode_generated(scene))
    return tmp_path / "disc.png"


@pytest.fixture
def write(tmp_path: Path, picture: Path) -> Write:
    def run(*families: str, files: tuple[Path, ...] = (picture,), settings: tuple[str, ...] = ()) -> str:
        found = assemble(families, settings)
        names = list(parse_families(families))
        return write_album(files, found, names, tmp_path / "page.html", scale=Scale(0)).read_text()

    return run


def shown(page: str, family: str) -> np.ndarray:
    (data,) = re.findall(rf'src="data:image/webp;base64,([^"]+)" alt="{family}"', page)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))


def test_edges_lie_upright_over_the_picture(write: Write) -> None:
    page = write("canny")
    assert shown(page, "picture").shape == shown(page, "canny").shape == (128, 200)
    ys, xs = np.nonzero(shown(page, "canny") > 127)
    assert np.hypot(xs - 40, ys - 30) == pytest.approx(20, abs=2)


def test_a_family_that_cannot_run_is_named_with_the_reason_and_takes_no_other_with_it(write: Write) -> None:
    page = write("scribble", "canny")
    assert f"not on this machine: {WEIGHTS} (29 MB, Apache-2.0)" in page
    assert "doctor.py scribble" in page
    assert shown(page, "canny").any()


def test_what_an_annotator_reads_is_made_and_not_shown(write: Write, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ControlNetHED_Apache2()
    for block in (network.block1, network.block2, network.block3, network.block4, network.block5):
        torch.nn.init.constant_(block.projection.bias, 3.0)  # an edge everywhere, so that there is something to draw
    (tmp_path / "weights").mkdir()
    torch.save(network.state_dict(), tmp_path / "weights" / WEIGHTS)
    page = write("scribble")
    assert shown(page, "scribble").shape == (128, 200)
    assert 'alt="hed"' not in page


def test_words_are_shown_as_words_and_nothing_more(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Says(Annotator):
        name: ClassVar[str] = "says"
        version: ClassVar[int] = 1
        kind: ClassVar[Kind] = "text"
        stats: ClassVar[dict] = {}

        def load(self, device: torch.device) -> Annotate:
            return lambda images, _: [Text(image.shape[:2], f"a disc {HARM}") for image in images]

        def measure(self, condition: Text) -> dict[str, float]:
            return {"length": len(condition.text)}

        def empty(self, condition: Text) -> bool:
            return not condition.text

    monkeypatch.setitem(ANNOTATORS, "says", Says)
    page = write("says")
    assert "<blockquote>a disc &lt;script&gt;" in page
    assert "<script" not in page


def test_numbers_are_shown_as_words_beside_the_conditions(write: Write, picture: Path) -> None:
    picture.with_suffix(".txt").write_text(f"a disc {HARM}")
    page = write("canny", "quality", "caption_quality")
    assert shown(page, "canny").any()
    assert "short_side 128\nmegapixels 0.0256\naspect 1.56" in page
    assert "jpeg_quality" not in page, "it is a PNG"
    assert "words 3" in page or "tags" in page
    assert "<script" not in page


def test_a_picture_without_words_has_empty_numbers_of_them(write: Write) -> None:
    assert "<b>caption_quality</b> empty" in write("caption_quality")


def test_a_picture_that_an_annotator_chokes_on_is_one_failed_panel(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass(frozen=True)
    class Chokes(Annotator):
        name: ClassVar[str] = "chokes"
        version: ClassVar[int] = 1
        kind: ClassVar[Kind] = "keypoints"

        def load(self, device: torch.device) -> Annotate:
            def find(images: np.ndarray, _: object) -> list[Poses]:
                raise ValueError("too many people")

            return find

    monkeypatch.setitem(ANNOTATORS, "chokes", Chokes)
    page = write("chokes", "canny")
    assert "failed: annotate ValueError: too many people" in page
    assert shown(page, "canny").any()


def test_files_that_are_no_pictures_are_named_with_the_reason(write: Write, picture: Path, tmp_path: Path) -> None:
    (tmp_path / f"{'x' * 5}.jpg").write_bytes(b"not a picture")
    page = write("canny", files=(picture, tmp_path / "xxxxx.jpg"))
    assert "xxxxx.jpg" in page
    assert "not_an_image" in page
    with pytest.raises(ValueError, match=r"xxxxx\.jpg: not_an_image"):
        write("canny", files=(tmp_path / "xxxxx.jpg",))


def test_where_nothing_can_run_there_is_no_page(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"hed: not on this machine: {WEIGHTS}.*doctor\.py"):
        write("hed")
    assert not (tmp_path / "page.html").exists()


def test_families_have_names_and_settings_of_their_own(write: Write) -> None:
    page = write("canny", "faint=canny", settings=("faint.low=1", "faint.high=2"))
    assert "low 1, high 2" in page
    assert "low 100, high 200" in page


def test_an_annotator_comes_after_the_one_it_reads_whoever_is_named_first() -> None:
    assert list(assemble(["scribble"])) == ["hed", "scribble"]
    found = assemble(["scribble", "soft=hed"], ["soft.safe_share=1"])
    assert list(found) == ["soft", "scribble"], "the hed that was named serves"
    assert path_to(found, "scribble") == ["soft", "scribble"]


def test_a_setting_of_a_family_that_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(ValueError, match="hed is not asked for here"):
        assemble(["canny"], ["hed.safe_share=1"])
