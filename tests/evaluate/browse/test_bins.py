"""A bar means, as `where`, the rows that it counts."""

import numpy as np
import pyarrow as pa
import pytest

from evaluate.browse.bins import bins_of
from evaluate.browse.columns import columns_of
from manifests.where import select


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.int32()])
@pytest.mark.parametrize("step", [1e-9, 2e-5, 0.05, 0.125, 3.0, 1e12])
def test_a_row_on_the_edge_of_a_bar_is_in_one_bar_alone(kind: pa.DataType, step: float) -> None:
    values = np.linspace(-4, 16, 401) * (round(step) % 1000 if pa.types.is_integer(kind) else step)
    table = pa.table({"stat": pa.array(values).cast(kind, safe=False)})
    bins = bins_of(columns_of({"rows": table})["stat"], table["stat"])
    assert bins is not None
    assert len(bins.wheres) > 1 or not values.any()
    for number, where in enumerate(bins.wheres):
        assert np.array_equal(select(where, {"rows": table}), bins.codes == number), where
