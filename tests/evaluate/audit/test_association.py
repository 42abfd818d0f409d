"""Whether a test of words against pictures can say what the audit asks of it."""

import numpy as np

from evaluate.audit.association import test_kernels as likeness_test  # pytest would take either for a test of ours
from evaluate.audit.association import test_scores as fit_test
from evaluate.audit.captions import CERTAIN

TESTS = 4  # at most: colours, people, CLIP, likeness


def test_words_that_go_with_pictures_pass_however_many_tests_share_the_certainty() -> None:
    scene = np.arange(40) % 4
    alike = (scene[:, None] == scene).astype(float)
    assert likeness_test("likeness", alike, alike, 0).p < CERTAIN / TESTS
    assert fit_test("colours", np.eye(40), 0).p < CERTAIN / TESTS


def test_words_that_go_with_no_pictures_do_not() -> None:
    random = np.random.default_rng(1)
    words, looks = (random.random((40, 40)) for _ in range(2))
    assert likeness_test("likeness", words + words.T, looks + looks.T, 0).p > CERTAIN
