"""The tiny base's yardstick reads real pictures nearly right, and wrong captions as chance would."""

import pytest

from annotate.corpora import fill50k, playroom
from annotate.corpora.generated import Generated
from train.tiny_base.colours import agreement, chance, references


@pytest.mark.parametrize("corpus", [fill50k, playroom])
def test_real_pictures_agree_with_their_captions_and_not_with_others(corpus) -> None:
    learned: list[Generated] = [corpus.record(0, row) for row in range(200)]
    known = references([one.image for one in learned], [one.caption for one in learned])
    judged: list[Generated] = [corpus.record(1, row) for row in range(80)]
    pictures, captions = [one.image for one in judged], [one.caption for one in judged]
    right = agreement(pictures, captions, known)
    wrong = agreement(pictures, captions[1:] + captions[:1], known)
    assert len(right) == 2
    for part, share in right.items():
        assert share >= 0.9, part
        assert wrong[part] <= chance(known)[part] + 0.25, part
