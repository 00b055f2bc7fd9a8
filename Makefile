# Two commands do all the set-up: `make run` and `make test`.

PYTHON ?= python3.11
COLE_HOME ?= ./cole-home
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-slow check

run: $(VENV)/installed
	$(BIN)/cole run nasbench201 --home $(COLE_HOME)

# A process per core with one thread each; a file's tests share their fixtures.
test: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_OPTIONS)

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Made anew when pyproject.toml changes.
$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
