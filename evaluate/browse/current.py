"""Pages of a dataset without the pictures that were taken down until now."""

from threading import Lock

from evaluate.browse.held import hold
from evaluate.browse.pages import Pages
from manifests.dataset import Dataset
from manifests.removed import requests


class Current:
    """Reads the index at the start, and again once there is another take-down.

    Raises:
        ValueError: the dataset is not indexed.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._lock = Lock()
        self._requests = requests(dataset)
        self._pages = Pages(hold(dataset))

    def pages(self) -> Pages:
        """Those that may be shown now; an answer asks once, for places change with them."""
        with self._lock:
            found = requests(self._dataset)
            if found != self._requests:
                self._pages = Pages(hold(self._dataset))
                self._requests = found  # as they were before the index was read: a later one is not missed
            return self._pages
