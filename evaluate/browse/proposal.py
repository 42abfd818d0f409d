"""What was filtered, as a manifest that draws the same rows."""

import shlex

import yaml

from evaluate.browse.search import Search
from evaluate.browse.state import State, both
from manifests.index import ROWS

BASE = "stable-diffusion-v1-5/stable-diffusion-v1-5"
HEAD = """\
# {rows:,} of {found:,} rows of the train split that have an ok {condition}{filtered}.
# Chosen with pipelines/browse.py. What is not said here is at its default: see manifests/manifest.py.
"""


def found_rows(search: Search, state: State) -> int:
    """How many rows a manifest of this state may ask for."""
    return search.drawn(state) if state.condition else 0


def manifest_where(search: Search, state: State) -> str:
    """`where` with what was chosen beside it; the split is not among that, for a manifest draws from train alone."""
    where = state.where.strip()
    asked_anyway = (search.addresses[ROWS, "split"], search.addresses[state.condition, "status"])
    for address, label in search.facets(state):
        bins = search.bins[address]
        if address not in asked_anyway and label in bins.labels:
            where = both(where, bins.wheres[bins.labels.index(label)])
    return where


def propose(search: Search, state: State, rows: int | None) -> str:
    """The YAML.

    Args:
        rows: asked for; None: all that there are.

    Raises:
        ValueError: no condition is chosen, or no row, or too few, fulfil it all.
    """
    if not state.condition:
        raise ValueError("a manifest trains on a condition. Choose one")
    found = found_rows(search, state)
    if not found:
        raise ValueError(f"no row of the train split has an ok {state.condition} and fulfils this. Widen the filter")
    rows = found if rows is None else rows
    if not 0 < rows <= found:
        raise ValueError(f"rows: {rows:,} are asked for, and there are {found:,}. Say a number from 1 to {found:,}")
    where, resolution = manifest_where(search, state), search.held.cards[state.condition].resolution
    fields = {
        "dataset": str(search.held.dataset.root),
        "condition": state.condition,
        **({"where": where} if where else {}),
        "rows": rows,
        "seed": state.seed,
        "base": BASE,
        **({"resolution": resolution} if resolution else {}),
    }
    head = HEAD.format(
        rows=rows, found=found, condition=state.condition, filtered=" and fulfil `where`" if where else ""
    )
    return head + yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def commands(file: str) -> list[str]:
    """What to do with it."""
    named = shlex.quote(file)
    return [f"python pipelines/subset.py {named}", f"accelerate launch train/run.py --manifest {named}"]
