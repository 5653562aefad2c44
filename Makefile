# Two commands: `make demo` and `make test`. They need Python 3.11 or newer and make, nothing else.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
READY_TO_TEST := .venv/.ready-to-test
DEMO := data/demo
# The demo keeps to its own folder, key and all, and to itself: a Prefect server that its user has
# configured may be down.
DEMO_ENV := PITH_DATA_DIR=$(DEMO) PITH_IDENTITY__KEY_FILE=$(DEMO)/signing.key \
	PREFECT_API_URL=
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip

.PHONY: demo test test-fast lint bench bench-short docs build packages lock
.DEFAULT_GOAL := demo

demo: $(READY)
	@echo "== Processing the sample: data/sample into $(DEMO)"
	@$(DEMO_ENV) $(BIN)/pith-ingest backfill --raw data/sample \
		|| { status=$$?; [ $$status -eq 1 ] || exit $$status; }
	@echo "== Verifying every bundle"
	@$(DEMO_ENV) $(BIN)/pith-ingest verify --config config.yaml $(DEMO)/bundles
	@echo "== The papers, the newest first"
	@$(DEMO_ENV) $(BIN)/pith-ingest find

test: $(READY_TO_TEST)
	@$(BIN)/python -m pytest

# The inner loop: what needs no process, server or cluster of its own.
test-fast: $(READY_TO_TEST)
	@$(BIN)/python -m pytest -q -m "not (process or prefect or dask or s3 or browser or long)"

lint: $(READY_TO_TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# BIG=0 leaves the big folder out, which takes most of the time; BIG=3000000 is what all of arXiv needs.
PAPERS ?= 100000
BIG ?= 1000000
bench: $(READY_TO_TEST)
	@$(BIN)/python tests/benchmarks/bulk.py --papers $(PAPERS) --big $(BIG)

# The inner loop of making it faster: under a minute. Start-up weighs more with so few papers.
bench-short: $(READY_TO_TEST)
	@$(BIN)/python tests/benchmarks/bulk.py --papers 20000 --big 0 --rounds 2

# The site of docs/, in build/docs; every link is checked.
docs: $(READY_TO_TEST)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "open build/docs/index.html"

# Wheel and sdist, alone in dist/.
build: $(READY)
	@rm -rf dist
	@$(BIN)/python -m hatchling build --directory dist

# The wheel with pip, pipx and uv, on the oldest and the newest Python there is; some minutes.
packages: build
	@$(BIN)/python tests/packages/install.py all

# Set up .venv exactly as requirements.lock says, every package checked against its hash.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "pith-ingest needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 2; }
	@echo "== Setting up .venv from requirements.lock (a minute, once)"
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) install -qq --no-deps --require-hashes -r requirements.lock
	@$(PIP) install -qq --no-deps --no-build-isolation -e .
	@touch $@

# What tests and linters need besides, which a first look does not wait for.
$(READY_TO_TEST): $(READY) requirements-dev.lock
	@echo "== Adding what tests need from requirements-dev.lock (a minute, once)"
	@$(PIP) install -qq --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# Only for those who change dependencies in pyproject.toml; needs uv. The second has all of the first.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --extra build --generate-hashes \
	--no-emit-index-url --no-annotate
lock:
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --constraint requirements.lock --extra dev --extra dask --extra objects --extra explore \
		--output-file requirements-dev.lock pyproject.toml
