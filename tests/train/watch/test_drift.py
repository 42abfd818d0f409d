from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.corpora import playroom
from train.watch.drift import Looks, drift, look

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]


def looks(pictures: list[Picture], change: Callable[[Floats], Floats] = lambda values: values) -> Looks:
    changed = [change(picture.astype(np.float64)).clip(0, 255).round().astype(np.uint8) for picture in pictures]
    return np.stack([look(picture) for picture in changed])


def grey(values: Floats) -> Floats:
    return np.repeat(values.mean(axis=2, keepdims=True), 3, axis=2)


POOL = [playroom.record(0, number).image for number in range(48)]
REAL, OTHERS = POOL[:16], POOL[16:32]
PLANTED: dict[str, tuple[Callable[[Floats], Floats], str]] = {
    "redder": (lambda values: values + np.array([35, 0, 0]), "mean of red"),
    "bluer": (lambda values: values + np.array([0, 0, 35]), "mean of blue"),
    "darker": (lambda values: values * 0.6, "mean of green"),
    "harder": (lambda values: (values - values.mean()) * 1.8 + values.mean(), "contrast of red"),
    "grey": (grey, "chroma"),
    "burnt": (lambda values: (values - 128) * 3 + 128, "share of saturated values"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_drift_is_named_with_what_is_drawn_and_what_is_real(planted: str) -> None:
    change, words = PLANTED[planted]
    found = drift(looks(OTHERS, change), looks(REAL), looks(OTHERS))
    said = [warning for warning in found.warnings if warning.startswith(f"drift: the {words} is ")]
    assert len(said) == 1, found.warnings
    place = next(place for place, name in enumerate(found.numbers) if name.removeprefix("drift/") in _names(words))
    for values in (looks(OTHERS, change), looks(REAL)):
        mean = values[:, place].mean()
        assert (f"{100 * mean:.1f} %" if "share" in words else f"{mean:.0f}") in said[0]


def _names(words: str) -> set[str]:
    """Names of the statistics that these words may mean."""
    colour = words.rpartition(" ")[2]
    return {"mean": {colour}, "contrast": {f"{colour}_contrast"}, "share": {"saturated"}}.get(
        words.split(maxsplit=1)[0], {words}
    )


def test_sound_pictures_have_not_drifted() -> None:
    """Other pictures of the same kind, however they are dealt, and those very pictures."""
    pool, random = looks(POOL), np.random.default_rng(0)
    for _ in range(100):
        drawn, real, alone = (pool[places] for places in random.permutation(48).reshape(3, 16))
        assert drift(drawn, real, alone).warnings == ()
        assert drift(real, real, alone).warnings == ()
        assert drift(real, real, real).warnings == ()


def test_what_the_base_does_by_itself_is_not_the_controls_drift() -> None:
    burnt = looks(OTHERS, PLANTED["burnt"][0])
    assert drift(burnt, looks(REAL), burnt).warnings == ()
    assert drift(burnt, looks(REAL), looks(OTHERS)).warnings != ()


def test_a_control_that_undoes_a_drift_of_the_base_is_not_blamed() -> None:
    assert drift(looks(OTHERS), looks(REAL), looks(OTHERS, PLANTED["darker"][0])).warnings == ()


def test_numbers_are_drawn_less_real_in_levels_and_shares() -> None:
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    white[0, 0] = (100, 50, 200)
    found = drift(np.stack([look(white)]), np.stack([look(black)]), np.stack([look(black)]))
    assert found.warnings == ()  # of one picture nothing can be told
    assert found.numbers["drift/red"] == pytest.approx((15 * 255 + 100) / 16)
    assert found.numbers["drift/red_contrast"] == pytest.approx(np.std([255.0] * 15 + [100.0]))
    assert found.numbers["drift/chroma"] == pytest.approx(150 / 16)
    assert found.numbers["drift/saturated"] == pytest.approx(15 / 16 - 1)
