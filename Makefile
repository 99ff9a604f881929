# `make demo` shows it, `make test` proves it; each does all the set-up that it needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install check lint types test

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# All that needs no broker, database or browser, in under a minute.
check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -q -m "not broker and not database and not browser and not faults"

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
