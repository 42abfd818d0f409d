"""A family of latents is audited and shown as any other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluate.audit.audit import Audit
from evaluate.page.panel import coloured
from evaluate.sheet.page import write_sheet
from manifests.dataset import Dataset
from manifests.figures import Moments, View
from tests.evaluate.audit import plant
from tests.evaluate.audit.conftest import build, copied

BASE = Path(__file__).parents[3] / "train/tiny_base/model"
SETTINGS = (f"latents.base={BASE}", "latents.size=64", "latents.crops=2", "latents.flips=true")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build(tmp_path_factory.mktemp("latents") / "room", "playroom:10", ("latents",), SETTINGS, 64)


def of_latents(found: Audit, state: str) -> set[str]:
    return {verdict.check for verdict in found.verdicts if (verdict.family, verdict.state) == ("latents", state)}


def test_sound_latents_pass_and_are_the_same_when_made_again(sound: Dataset, run: Callable[..., Audit]) -> None:
    found = run(sound, "latents", sample=10)
    assert {"agreement", "values", "size"} <= of_latents(found, "pass")
    assert not of_latents(found, "fail")


def test_latents_of_other_pictures_do_not_agree(sound: Dataset, tmp_path: Path, run: Callable[..., Audit]) -> None:
    room = copied(sound, tmp_path / "room")

    def upside_down(moments: Moments) -> Moments:
        return Moments(moments.shape, moments.views, np.ascontiguousarray(moments.values[..., ::-1, :]))

    plant.conditions(room, "latents", upside_down)
    assert "agreement" in of_latents(run(room, "latents", sample=10), "fail")


def test_a_contact_sheet_shows_latents_in_colours(sound: Dataset, tmp_path: Path) -> None:
    page = write_sheet(sound, tmp_path / "sheet.html", rows=4).read_text()
    assert "latent_std" in page
    moments = Moments((64, 64), (View(0, 0),), np.random.default_rng(0).random((1, 2, 4, 8, 8)).astype(np.float16))
    picture = coloured(moments)
    assert picture.shape == (8, 8, 3)
    assert picture.max() == 255
    assert len(np.unique(picture)) > 50
