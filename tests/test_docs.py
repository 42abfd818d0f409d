"""What the documents promise to be tested is tested."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TRAPS = (ROOT / "docs/traps.md").read_text()
PARITY = (ROOT / "docs/parity.md").read_text()
NAMED = sorted({*re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TRAPS + PARITY)})


@cache
def defined_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{file}::{name}" for file, name in NAMED])
def test_every_test_that_a_document_names_exists(file: str, name: str) -> None:
    assert name in defined_in(file)


def test_every_trap_has_an_answer() -> None:
    rows = [row.strip("|").split("|") for row in TRAPS.splitlines() if re.match(r"\| \d", row)]
    assert [int(number) for number, _, _ in rows] == list(range(1, 26))
    assert all(len(answer.strip()) > 40 for _, _, answer in rows)
