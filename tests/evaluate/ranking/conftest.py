"""Three runs that were evaluated alike, with a hostile caption, and a ranking of them."""

from pathlib import Path

import pytest

from evaluate.ranking.export import export
from evaluate.ranking.key import Key
from tests.evaluate.synthetic import write_evaluation

CAPTION = '</script><script>document.title = "caught"</script> & <img src="https://example.org/x.png" onerror=alert(1)>'
BLURS = {"poor-run": 2.6, "middling-run": 1.8, "good-run": 1.1}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of evaluations, 6 samples each."""
    home = tmp_path_factory.mktemp("ranked")
    for rows, (name, blur) in enumerate(BLURS.items(), start=1_000):
        write_evaluation(home / name, samples=6, blur=blur, rows=rows, caption=CAPTION)
    return [home / name for name in BLURS]


@pytest.fixture(scope="session")
def exported(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Key]:
    """The folder of a page, and its key."""
    folder = tmp_path_factory.mktemp("ranking")
    return folder, export(runs, folder, samples=4, repeats=2, seed=0)
