"""Which rows may be harmed so that no other row changes its split, and what may stand in their place."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from annotate.planted.clean import Clean, Numbers
from manifests.dataset import Settings
from manifests.splits.clusters import as_names
from manifests.splits.hashes import NONE
from manifests.splits.near import DISTANCE, cluster
from manifests.splits.splits import splits_of


def in_train(pictures: Numbers, settings: Settings) -> NDArray[np.bool_]:
    """Whether pictures [N], each a cluster by itself, are in the split train: [N]."""
    names = pa.chunked_array([as_names(pictures)])
    return np.asarray(splits_of(names, salt=settings.salt, shares=settings.splits).to_numpy(False) == "train")


def trained(clean: Clean, settings: Settings) -> NDArray[np.bool_]:
    """Whether rows are in train once the corpus is ingested by these settings: [N].

    A cluster has the number of its least picture, as `manifests.splits.splits` gives it.
    """
    labels = _labels(clean)
    least = np.full(labels.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(least, labels, clean.pictures)
    return in_train(least[labels], settings)


def harmable(clean: Clean, settings: Settings) -> NDArray[np.bool_]:
    """Whether a row can be harmed and no other row changes its split: [N].

    Of rows in train any, where splits go by equal files alone. Where they go by near copies too, the rows that are in
    train either way and near to none: others may be what joins a cluster, or what gives it its split.
    """
    able = trained(clean, settings)
    if settings.duplicates == "exact":
        return able
    labels = _labels(clean)
    return np.asarray(able & in_train(clean.pictures, settings) & (np.bincount(labels)[labels] == 1))


def is_alone(hashes: Numbers, clean: Clean, *, but: int) -> bool:
    """Whether a picture with these hashes [K] would be near to no row, row `but` apart, whose place it may take."""
    apart = np.bitwise_count(hashes[:, None, None] ^ clean.hashes[None])  # [K, N, K]
    near = (apart <= DISTANCE) & (hashes != NONE)[:, None, None] & (clean.hashes != NONE)
    near[:, but] = False
    return not near.any()


def _labels(clean: Clean) -> NDArray[np.int64]:
    """A number for each cluster, from 0, of every row: [N]."""
    return np.unique(cluster(clean.hashes, clean.pictures).labels, return_inverse=True)[1]
