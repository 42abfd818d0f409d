import math
from typing import Any

import pytest

from annotate.corpora.columns import facts


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((said, True) for said in (True, 1, 1.0, "1", "1.0", "True", "yes")),
        *((said, False) for said in (False, 0, 0.0, "0", "0.0", "False", "no", "")),
        *((said, None) for said in (None, math.nan)),
    ],
)
def test_an_opt_out_is_read_however_it_is_written(said: Any, meant: bool | None) -> None:
    assert facts({"optout": said}, [])["optout"] is meant
