import numpy as np
import pytest

from evaluate.prompts import last_half, prompted
from evaluate.samples import Sample

PICTURE = np.zeros((8, 8, 3), np.uint8)
SAMPLE = Sample("a", ("red ball, blue person, grey wall, sand floor", "a ball"), PICTURE, PICTURE[..., 0], {})
OTHER = Sample("b", ("green cone, white wall",), PICTURE, PICTURE[..., 0], {})


def test_a_perfect_prompt_is_the_samples_own() -> None:
    assert prompted(SAMPLE, "perfect", other=OTHER) == SAMPLE


def test_without_a_prompt_every_draw_has_no_words() -> None:
    assert [prompted(SAMPLE, "none", other=OTHER).caption(draw) for draw in range(3)] == ["", "", ""]


def test_an_insufficient_prompt_leaves_half_unsaid() -> None:
    assert prompted(SAMPLE, "insufficient", other=OTHER).captions == ("grey wall, sand floor", "ball")
    assert last_half("one two, three") == "three"
    assert last_half("one , two") == "two"
    assert last_half("one") == last_half("") == ""


def test_a_conflicting_prompt_is_another_samples() -> None:
    assert prompted(SAMPLE, "conflicting", other=OTHER).captions == OTHER.captions
    with pytest.raises(ValueError, match="no other sample"):
        prompted(SAMPLE, "conflicting", other=None)
