# Everything here does its own set-up: a fresh machine needs Python >= 3.11, make and git, no more.
# `make help` lists the targets.

PEOPLE ?= 3000
DAYS ?= 120
SEED ?= 1
WORKERS ?= 2

# The newest Python that is new enough; PYTHON=/path/to/python overrules the search.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# uv where it is at hand, because it is faster; pip where it is not. Both check every hash.
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
INSTALL = $(if $(UV),$(UV) pip install --compile-bytecode --python $(BIN)/python,$(BIN)/python -m pip install --quiet)
LOCK = $(if $(UV),$(UV),$(BIN)/uv) pip compile pyproject.toml --universal --generate-hashes \
  --no-emit-index-url --no-header --no-annotate

# Tests start Tekil hundreds of times; without kept bytecode every start takes two seconds more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install test check fast test-browser test-slow laws test-clients audit bench format lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: .make/run.stamp ## a living shop, and Tekil listening to it (PEOPLE=3000 DAYS=120 SEED=1)
	$(BIN)/tekil demo --people $(PEOPLE) --days $(DAYS) --seed $(SEED)

install: .make/run.stamp ## only the set-up: Tekil in .venv, as `make demo` uses it

test: check fast ## what must hold before every commit: checks, fast tests, browser stories
	@sh .ci/chromium
	@if command -v chromium >/dev/null; then $(MAKE) --no-print-directory test-browser; fi

check: .make/test.stamp ## style, types, floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: .make/test.stamp ## the fast tests only, in under a minute
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-browser: .make/test.stamp ## the console's stories, in a real browser
	$(BIN)/pytest -m 'browser and not clients'

test-slow: .make/test.stamp ## what takes minutes: kill -9, full disks, PostgreSQL, fuzzing, laws on many examples
	$(BIN)/pytest -m 'slow and not browser and not clients'
	TEKIL_LAW_EXAMPLES=6 $(BIN)/pytest tests/laws -m 'law and not slow' -n $(WORKERS)

laws: .make/test.stamp ## every law and property on many more examples, for as long as it takes
	TEKIL_HYPOTHESIS=thorough TEKIL_LAW_EXAMPLES=30 $(BIN)/pytest -m 'law and not slow' -n $(WORKERS)

test-clients: .make/test.stamp ## the real SDKs from npm and PyPI against a running Tekil
	$(BIN)/pytest -m clients

audit: .make/test.stamp ## known vulnerabilities of every locked package; 3 where the index tells none
	@$(BIN)/python .ci/audit

bench: .make/test.stamp ## every bar of the design, measured; fails where one is missed
	@failed=; for program in bench/[a-z]*.py; do \
	  $(BIN)/python $$program || failed="$$failed $$program"; done; \
	if [ -n "$$failed" ]; then echo "Bars missed by:$$failed" >&2; exit 1; fi

format: .make/test.stamp ## lay out the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# The smaller lock follows the larger, so that the demo runs exactly what was tested.
lock: .venv/pyvenv.cfg ## choose the newest dependencies that fit, and write the lock files
	$(if $(UV),,$(BIN)/python -m pip install --quiet uv)
	$(LOCK) --upgrade --all-extras --group dev -o requirements-dev.lock
	$(LOCK) --constraint requirements-dev.lock --extra postgresql -o requirements.lock

# A stamp says what was installed into this .venv; a newer lock, or a new .venv, makes it old.
.make/run.stamp: requirements.lock pyproject.toml .venv/pyvenv.cfg
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps -e .
	@mkdir -p .make && touch $@

.make/test.stamp: requirements-dev.lock pyproject.toml .venv/pyvenv.cfg
	$(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --no-deps -e .
	@mkdir -p .make && touch $@ .make/run.stamp

.venv/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "Tekil needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)." >&2; exit 1; fi
	$(PYTHON) -m venv .venv
