# `make demo` shows what comes out, `make test` checks it, `make help` lists the rest.

SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
DEMO := data/demo
# A third of the tests' time is waiting for servers: one worker more than there are processors.
PYTEST_WORKERS ?= $(shell $(PY) -c 'import os; print(1 + (os.cpu_count() or 1))')
# Each takes neighbouring tests, which share what they need.
PYTEST = $(PY) -m pytest -n $(PYTEST_WORKERS) --dist worksteal

# The first interpreter that constraints.txt has hashes for and that can make environments.
FITS := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$name >/dev/null && $$name -c '$(FITS)' 2>/dev/null && echo $$name && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak docs clean
.DELETE_ON_ERROR:

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

demo: $(DEMO)/.verified ## generate a month of 10 stores into data/demo, verify it, look at it
	@$(PY) examples/look_around.py $(DEMO)/facts

test: lint $(VENV)/.bench ## everything that must hold before a change is taken
	$(PYTEST) -m "not soak"

lint: $(VENV)/.dev ## style, types and layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.bench ## measure: encode floor, peer, planning, scale
	$(PY) -m benchmarks

soak: $(VENV)/.dev ## the long rounds, and promised seconds: many seeds, kills and ranges
	$(PY) -m pytest -m "timed and not soak"
	$(PYTEST) -m soak

docs: $(VENV)/.dev $(DEMO)/.verified ## write docs/reference and docs/img anew
	$(PY) tools/reference.py
	$(PY) tools/pictures.py $(DEMO)/facts

clean: ## remove the environment, the demo and all caches
	rm -rf $(VENV) $(DEMO) build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The demo, made anew when its configuration or the code changes.

$(DEMO)/.verified: examples/demo.yaml $(VENV)/.core $(shell find src -name '*.py' -o -name '*.yaml' -o -name '*.csv')
	$(VENV)/bin/retail-datagen generate --config $< --start 2024-01-01 --end 2024-01-30 --overwrite
	$(VENV)/bin/retail-datagen verify --quiet $(DEMO)/facts
	@touch $@

# The environment: dependencies by hash, then the package itself without asking for anything more.

$(PY):
	@if [ -z "$(PYTHON)" ]; then \
		echo "error: Python 3.11 to 3.14 is needed, with its venv module; found: $$(python3 --version 2>&1)." >&2; \
		echo "Install one (on Debian and Ubuntu: python3 and python3-venv), or name one: make PYTHON=/path/to/python3.12" >&2; \
		exit 2; \
	elif ! $(PYTHON) -c '$(FITS)'; then \
		echo "error: $(PYTHON) is $$($(PYTHON) --version 2>&1); needed is Python 3.11 to 3.14 with its venv module." >&2; \
		exit 2; \
	fi
	$(PYTHON) -m venv --clear $(VENV)

INSTALL = $(PY) tools/pin.py select $(1) > $(VENV)/pins.txt && \
	$(PY) -m pip install --quiet --require-hashes --only-binary :all: -r $(VENV)/pins.txt

$(VENV)/.core: constraints.txt pyproject.toml | $(PY)
	$(call INSTALL,core build)
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(PY) -m compileall -q src
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(call INSTALL,cloud delta iceberg kafka clickhouse postgres metrics store dev)
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(call INSTALL,bench)
	@touch $@
