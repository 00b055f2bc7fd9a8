# Two commands do all the set-up: `make run` and `make test`. `make docs` makes the site.

PYTHON ?= python3.11
COLE_HOME ?= ./cole-home
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-slow check docs

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

# Warnings are errors; the site is in build/site, and needs no server. `make test` builds it as well.
docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

# Made anew when pyproject.toml changes.
$(VENV)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	# What is imported is compiled then; all of it is 400 MB, and half of the time to install.
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]'
	# Tests start many processes. Some packages hold files that no Python reads.
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null 2>&1 || true
	touch $@
