"""The folders are the architecture: who may import whom, and how long a file may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "manifests": set[str](),
    "annotate": {"manifests"},
    "train": {"manifests"},  # training reads conditions; it never makes them
    "evaluate": {"manifests", "annotate", "train"},  # it re-annotates what a checkpoint draws
    "pipelines": {"manifests", "annotate", "train", "evaluate"},  # nobody imports pipelines
}
FILES = [path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]


def imported_packages(path: Path) -> Iterator[str]:
    """Our own packages that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [node.module or ""]
        else:
            continue
        yield from (name.split(".")[0] for name in names if name.split(".")[0] in MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_what_it_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    forbidden = set(imported_packages(path)) - MAY_IMPORT[package] - {package}
    assert not forbidden, f"{package} may not import {forbidden}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_fits_one_idea(path: Path) -> None:
    text = path.read_text()
    if path.name == "__init__.py":
        assert text == "", "each name has one address"
        return
    assert text.count("\n") <= 250, "split the file"
    assert ast.get_docstring(ast.parse(text)), "the module's docstring says its idea"
