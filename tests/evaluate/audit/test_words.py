"""Captions that are no sentence about a picture are told from sentences in any language."""

import pytest

from evaluate.audit.words import LONG, is_odd

SENTENCES = (
    "",
    "uma mãe com o seu filho, não muito longe de São Paulo",
    "PÃO DE AÇÚCAR",
    "un château près de l'étang",
    "Fish & chips, 5 < 6",
)
ODD = (
    "a cafÃ© by the sea",
    "itâ€™s a dog",
    "see www.photos.com",
    "<b>dog</b>",
    "dogs &amp; cats",
    "IMG_1234",
    "cat.jpg",
    "a \ufffd cat",
    "dog " * LONG,
)


@pytest.mark.parametrize("caption", SENTENCES)
def test_a_sentence_is_not_odd(caption: str) -> None:
    assert not is_odd(caption)


@pytest.mark.parametrize("caption", ODD)
def test_debris_is_odd(caption: str) -> None:
    assert is_odd(caption)
