"""A folder of small networks with random weights, and no other way to any."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.weights import VARIABLE
from tests.evaluate.quality.untrained import write_clip, write_head


@pytest.fixture
def weights(tmp_path: Path) -> Iterator[Path]:
    """CLIP and the head on it; no Inception, and neither the Hub nor a cache."""
    folder = tmp_path / "weights"
    folder.mkdir()
    write_clip(folder)
    write_head(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        patch.setenv("TORCH_HOME", str(tmp_path / "torch"))
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield folder
