# Two commands set everything up on a fresh machine: `make demo` and `make test`.

# Inside the conda environment of environment.yml that environment is used as it is.
ifeq ($(CONDA_DEFAULT_ENV),wanmi)
BIN := $(CONDA_PREFIX)/bin
else
BIN := .venv/bin
endif
PYTHON := $(BIN)/python
DIR ?= demo
AREA_KM2 ?= 4
PORT ?= 8000
WORKERS ?= 2

# Without bytecode each command would compile its libraries anew: minutes over all tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test bench grid-bench geocode-bench cell-bench real-bench lint lock docs clean environment environment-dev

help: ## Say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

demo: environment ## Sample district, six databases, API and map page on 127.0.0.1:8000; DEMO=once answers and exits
	@$(PYTHON) -m wanmi demo $(DIR) --area-km2 $(AREA_KM2) --port $(PORT) $(if $(filter once,$(DEMO)),--once)

test: environment-dev ## Run every test
	$(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup

bench: environment-dev ## Measure beside the peers and print the table
	$(PYTHON) -m tests.benchmarks

grid-bench: environment-dev ## Divide real towns and print the figures beside simpler ways
	$(PYTHON) -m tests.benchmarks.grids

geocode-bench: environment-dev ## Ask for places of four cities and print what is found beside plainer ways
	$(PYTHON) -m tests.benchmarks.geocoding

cell-bench: environment-dev ## Ask for the cells of points beside GEOS, geopandas, DuckDB, SedonaDB, PostGIS
	-$(BIN)/uv pip install --python $(PYTHON) --quiet --group bench
	$(PYTHON) -m tests.benchmarks.cells

real-bench: environment-dev ## Ask real cities what is known of them
	$(PYTHON) -m tests.benchmarks.real

lint: environment-dev ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: environment-dev ## Regenerate the data dictionary and the tables of known spellings
	$(PYTHON) -m wanmi db dictionary -o docs/data-dictionary.md
	$(PYTHON) -m pipelines.spellings docs/deliveries.md

environment:
	@sh .ci/prepare run

environment-dev:
	@sh .ci/prepare dev

PIN := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --quiet
lock: environment-dev ## Pin the requirements anew, with hashes and without addresses
	$(PIN) pyproject.toml --group build -o requirements.lock
	$(PIN) pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(PIN) --group node -o requirements-node.lock

clean: ## Stop the demo's database and remove what was made
	@if [ -f $(DIR)/wanmi.toml ] && [ -x $(PYTHON) ]; then $(PYTHON) -m wanmi -w $(DIR) db down || true; fi
	rm -rf .venv node_modules api/static/vendor build *.egg-info $(DIR)
