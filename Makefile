# One word a chore. The first one makes .venv from a bare python3 (with uv where there is one);
# it is made anew only when pyproject.toml changes.

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
TYPED = $(wildcard src tests examples benchmarks conftest.py)

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check types format bench mutants docs clean

help: ## this list
	@awk -F ': .*## ' '/^[a-z]+: .*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## a year of an office's work, on an SQLite file
	@$(BIN)/reportflow demo --database sqlite:///office.db $(ARGS)

test: $(INSTALLED) ## all tests and all snippets of the docs, on all cores
	@$(BIN)/pytest -n auto --dist loadscope $(ARGS)

coverage: $(INSTALLED) ## the same with coverage and its floor, which takes three times as long
	@$(BIN)/pytest -n auto --dist loadscope --cov --cov-report=term $(ARGS)

check: $(INSTALLED) ## format, lint, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(TYPED)

types: .venv/.types ## a second type checker over src and examples, and how complete the public types are
	@$(BIN)/pyright
	@PYTHONPATH=src $(BIN)/pyright --pythonpath $(BIN)/python --verifytypes reportflow --ignoreexternal | \
		awk '/completeness score/ { print; score = $$NF + 0 } END { exit score < 99 }'

format: $(INSTALLED) ## put the code into its form: imports sorted, safe fixes
	@$(BIN)/ruff check --quiet --exit-zero --fix . >/dev/null
	@$(BIN)/ruff format .

bench: .venv/.bench ## how fast it is here, beside SQL by hand and its peers
	@$(BIN)/python -m benchmarks.run $(ARGS)

mutants: .venv/.mutants ## which small mistakes the tests do not find: benchmarks/MUTANTS.md, in half an hour
	@$(BIN)/python benchmarks/mutants.py $(ARGS)

docs: $(INSTALLED) ## the pages, in build/docs/index.html
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

clean: ## take away what the chores made, but not .venv
	@rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@rm -rf examples/*/.hypothesis examples/*/src/.hypothesis examples/*/.pytest_cache
	@rm -f office.db office.db-shm office.db-wal examples/*/*.db examples/*/*.db-shm examples/*/*.db-wal
	@find $(wildcard src tests docs examples benchmarks) -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf __pycache__

$(INSTALLED): pyproject.toml
	@if ! $(BIN)/python -c '' 2>/dev/null; then \
		rm -rf .venv; \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
			echo "reportflow needs Python 3.11 or newer: install it, or name it, as in make PYTHON=python3.13." >&2; exit 1; }; \
		echo "Making .venv. This is done once and takes a minute or two."; \
		{ command -v uv >/dev/null && uv venv --quiet --seed --python "$(PYTHON)" .venv; } || \
		{ rm -rf .venv; $(PYTHON) -m venv .venv >/dev/null 2>&1; } || { \
			rm -rf .venv; \
			echo "$(PYTHON) cannot make a virtual environment: install python3-venv (on Debian or Ubuntu: apt-get install python3-venv), or uv." >&2; exit 1; }; \
	fi
	@{ command -v uv >/dev/null && uv pip install --quiet --python $(BIN)/python --editable '.[dev,cli]'; } || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cli]'
	@touch $@

# what one extra brings beside
.venv/.%: $(INSTALLED)
	@{ command -v uv >/dev/null && uv pip install --quiet --python $(BIN)/python --editable '.[dev,cli,$*]'; } || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,cli,$*]'
	@touch $@
