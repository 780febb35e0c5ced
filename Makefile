# Every target installs what it needs: `make test` works on a fresh machine with Python.
# What may be told from outside:
#   PYTHON       the interpreter that the environments are made with
#   N            the rounds of `make crash`, `make crash-inprocess`, and each campaign of `make cluster`
#   NODES        how many nodes the campaigns of `make cluster` have
#   HOURS, SEED  how long `make sim` simulates, and which life (one is drawn if none is given)
#   JOBS         how many tests run side by side
#   PYTEST_ARGS  and BENCH_ARGS: more arguments for either

PYTHON ?= python3
N ?= 50
NODES ?= 1 3
HOURS ?= 1
SEED ?=
JOBS ?= auto
PYTEST_ARGS ?=
BENCH_ARGS ?=

BIN := .venv/bin
# Each released Python SDK lives in an environment of its own; that module knows their versions.
SDK_ENVIRONMENTS = $(BIN)/python -m tests.e2e.venvs
SDK := dapr-1.18.3

# An environment is complete when its stamp is newer than pyproject.toml. The stamp of the larger
# installation comes with that of the smaller one, so that a demo after a test installs nothing.
RUN_STAMP := .venv/.installed
DEV_STAMP := .venv/.installed-dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo test sim mutants daprd test-daprd test-kubernetes test-sdks check bench bench-brokers bench-cluster generate crash crash-inprocess crash-points cluster clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(DEV_STAMP) ## make .venv and install all that development needs

demo: $(RUN_STAMP) ## run an order through a server and a worker, and show what happened
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python examples/demo.py

test: $(DEV_STAMP) ## run every test but those that build something large first
	$(SDK_ENVIRONMENTS)
	$(BIN)/python -m pytest --ignore=tests/e2e/sdks --ignore=tests/e2e/kubernetes --ignore=tests/e2e/daprd -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

test-sdks: $(DEV_STAMP) ## run the tests of the SDKs in Go, Java and JavaScript
	$(BIN)/python -m pytest tests/e2e/sdks $(PYTEST_ARGS)

test-kubernetes: $(DEV_STAMP) ## build an API server of Kubernetes, and run the tests against it
	$(BIN)/python -m pytest tests/e2e/kubernetes $(PYTEST_ARGS)

daprd: $(DEV_STAMP) ## build Dapr's sidecar, placement and scheduler from their Go modules
	$(BIN)/python -m tests.e2e.daprd.sidecar

test-daprd: daprd ## compare perdure with Dapr's own sidecar, and run the cases of the SDK there
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python -m pytest tests/e2e/daprd $(PYTEST_ARGS)

check: $(DEV_STAMP) ## check format, lint, types, floors and generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate.py --check

sim: $(RUN_STAMP) ## run a server through HOURS simulated hours in which everything goes wrong
	$(BIN)/perdure prove --hours $(HOURS) $(if $(SEED),--seed $(SEED))

mutants: $(DEV_STAMP) ## break the engine on purpose, and show which checker catches what
	$(BIN)/python -m tests.simulation.mutants

bench: $(DEV_STAMP) ## measure, and print JSON and a table
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-brokers: $(DEV_STAMP) ## measure messages from each broker to workflows
	$(BIN)/python -m benchmarks.brokers $(BENCH_ARGS)

bench-peers: $(DEV_STAMP) ## run the same on DBOS, Restate and Temporal, and write docs/benchmarks.md
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python -m benchmarks.peers --write docs/benchmarks.md $(BENCH_ARGS)

bench-cluster: $(DEV_STAMP) ## measure one node on Postgres, two, one on SQLite, DBOS, and the take-over
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python -m benchmarks.cluster $(BENCH_ARGS)

generate: $(DEV_STAMP) ## make src/perdure/wire/generated from our .proto files
	$(BIN)/python scripts/generate.py

crash: $(DEV_STAMP) ## kill the server N times under load, and account for everything
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python -m pytest tests/e2e/crash -q --crash-rounds=$(N) $(PYTEST_ARGS)

crash-inprocess: $(DEV_STAMP) ## kill a program with an engine of its own N times under load
	$(BIN)/python -m pytest tests/e2e/inprocess/test_crash.py -q --inprocess-crash-rounds=$(N) --timeout=3600 $(PYTEST_ARGS)

cluster: $(DEV_STAMP) ## let N things go wrong with nodes over a Postgres, and account for everything
	$(SDK_ENVIRONMENTS) $(SDK)
	$(BIN)/python -m pytest tests/e2e/cluster -q --cluster-rounds=$(N) $(addprefix --cluster-nodes=,$(NODES)) $(PYTEST_ARGS)

crash-points: $(DEV_STAMP) ## die at every single write of some short lives, and cut the power there
	$(BIN)/python -m pytest tests/crash_points -n $(JOBS) --every-write --timeout=3600 $(PYTEST_ARGS)

clean: ## remove the environments and everything that tools left behind
	rm -rf .venv .venvs build dist htmlcov .coverage .coverage.*
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(RUN_STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(DEV_STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(RUN_STAMP) $@
