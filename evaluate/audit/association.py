"""Whether captions and pictures belong together: a pairing against those of the same captions shuffled."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]

SHUFFLES = 1_999  # permutations: the smallest p-value is 1 in 2,000


@dataclass(frozen=True)
class Test:
    """One permutation test.

    Attributes:
        name: what was asked of captions and pictures.
        rows: that had anything to say.
        p: share of shuffled pairings that do as well as this one, this one among them.
        sigmas: by how many standard deviations it does better than they on average.
    """

    name: str
    rows: int
    p: float
    sigmas: float


def test_scores(name: str, scores: Array, seed: int) -> Test:
    """Whether captions fit their own pictures better than others.

    Args:
        scores: [N, N], how well caption j fits picture i; NaN in columns of captions that say nothing.
    """
    told = np.flatnonzero(~np.isnan(scores).any(axis=0))
    inside = scores[np.ix_(told, told)]
    places = np.arange(len(told))
    random = np.random.default_rng(seed)
    shuffled = [float(inside[places, random.permutation(places)].mean()) for _ in range(SHUFFLES)] if len(told) else []
    return _test(name, len(told), float(inside[places, places].mean()) if len(told) else 0.0, shuffled)


def test_kernels(name: str, words: Array, looks: Array, seed: int) -> Test:
    """Whether rows whose captions are alike have pictures that are alike (HSIC, Gretton et al. 2007).

    Args:
        words: [N, N] likeness of captions.
        looks: [N, N] likeness of pictures.
    """
    told = np.flatnonzero((words - np.diag(np.diag(words))).any(axis=0))
    one, other = _centred(words[np.ix_(told, told)]), _centred(looks[np.ix_(told, told)])
    np.fill_diagonal(one, 0.0)
    random = np.random.default_rng(seed)

    def together(order: NDArray[np.int64]) -> float:
        return float(np.vdot(one, other[np.ix_(order, order)]))

    own = together(np.arange(len(told)))
    return _test(name, len(told), own, [together(random.permutation(len(told))) for _ in range(SHUFFLES)])


def named_presence(captions: Sequence[set[int]], presence: Array) -> Array:
    """How well each caption's named things fit each picture: [N, N], picture by caption.

    By the picture's rank among all in the share of the thing: a colour that is everywhere says little.

    Args:
        captions: of each row, the columns of `presence` that its caption names.
        presence: [N, K], how much of thing k is in picture i.
    """
    ranks = np.column_stack([rankdata(column) for column in presence.T]) / max(len(presence), 1)
    scores = np.full((len(captions), len(captions)), np.nan)
    for caption, named in enumerate(captions):
        if named:
            scores[:, caption] = ranks[:, sorted(named)].mean(axis=1)
    return scores


def likeness_of_words(captions: Sequence[set[str]]) -> Array:
    """Cosine of captions by words that several share, rare ones counting more: [N, N]."""
    counts = Counter(word for words in captions for word in words)
    shared = {word: place for place, word in enumerate(sorted(word for word, count in counts.items() if count > 1))}
    table = np.zeros((len(captions), len(shared)))
    for row, words in enumerate(captions):
        for word in words & shared.keys():
            table[row, shared[word]] = np.log(len(captions) / counts[word])
    return np.asarray(_unit(table) @ _unit(table).T)


def likeness_of_looks(looks: Array) -> Array:
    """A kernel over pictures [N, D]: Gaussian of their distance, as wide as the median distance; [N, N]."""
    scaled = (looks - looks.mean(axis=0)) / np.maximum(looks.std(axis=0), 1e-6)
    squares = np.square(scaled).sum(axis=1)
    distance = np.maximum(squares[:, None] + squares[None] - 2 * scaled @ scaled.T, 0)
    return np.asarray(np.exp(-distance / max(float(np.median(distance)), 1e-9)))


def _test(name: str, rows: int, own: float, shuffled: Sequence[float]) -> Test:
    if rows < 2:
        return Test(name, rows, 1.0, 0.0)
    others = np.array(shuffled)
    as_well = int((others >= own - 1e-12).sum())
    spread = float(others.std())
    return Test(name, rows, (as_well + 1) / (len(others) + 1), (own - float(others.mean())) / spread if spread else 0.0)


def _centred(kernel: Array) -> Array:
    if not kernel.size:
        return kernel
    return np.asarray(kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, None] + kernel.mean())


def _unit(table: Array) -> Array:
    return np.asarray(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12))
