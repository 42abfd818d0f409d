# Every target makes its own environment in .venv; nothing else is needed beforehand but Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install quickstart studies test test-all check lint bench faults

install: .venv/.installed
.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

quickstart: install
	$(BIN)/python pipelines/quickstart.py

studies: install
	$(BIN)/python pipelines/studies.py

# Files side by side, one thread each; those that run Ray one after the other (tests/conftest.py).
TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadgroup --no-loadscope-reorder

test: install  # all but those of tests/slow.txt
	$(TESTS) -m "not slow and not gpu"

test-all: install
	$(TESTS) -m "not gpu"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy manifests annotate train evaluate pipelines

check: lint test

bench: install  # of photographs: make bench PHOTOS=/data/photos
	$(BIN)/python benchmarks/annotate.py $(PHOTOS)
	$(BIN)/python benchmarks/annotators.py $(PHOTOS)
	$(BIN)/python benchmarks/evaluate.py

faults: install
	$(BIN)/python -m tests.faults.run
