# `make` alone prints the manual. Variables: STUDY, CIFAR10, ARGS (more options for `ablate`), PYTHON.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
ABLATE := $(BIN)/ablate
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup quickstart smoke study report status simulate paper paper-check ui dashboard test test-slow lint types \
	format chaos bench bench-overhead clean need-study

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY_DEV) ## Make .venv with all that tests and checks need (again only when pyproject.toml changes)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed, this is " \
		+ sys.version.split()[0] + "; make PYTHON=/path/to/python3 uses another")'
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet "pip>=23"
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY_DEV): $(READY)
	@echo "Adding to $(VENV) what tests and checks need ..."
	@$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

quickstart: $(READY) ## A small real study on scikit-learn's digits, from nothing to a report
	@$(ABLATE) run quickstart $(ARGS)

smoke: $(READY) ## A small ablation on CIFAR-10; CIFAR10=PATH takes your own archive or folder of images
	@test -z "$(CIFAR10)" || { data="$${ABLATE_DATA_DIR:-data}"; set -- $(ARGS); \
		while test $$# -gt 0; do \
		case "$$1" in (--data-dir) data="$$2";; (--data-dir=*) data="$${1#*=}";; esac; shift; done; \
		if test -e "$$data/cifar10.safetensors"; \
		then echo "$$data/cifar10.safetensors is there already: CIFAR10=... is not read"; \
		else $(ABLATE) data prepare cifar10 --from "$(CIFAR10)" --data-dir "$$data"; fi; }
	@$(ABLATE) run smoke $(ARGS)

study: need-study $(READY) ## Train what is left of a study: STUDY=reduction-ratio, or a YAML file of yours
	@$(ABLATE) run "$(STUDY)" $(ARGS)

report: need-study $(READY) ## Write a study's report as Markdown, HTML and LaTeX: STUDY=...
	@$(ABLATE) report "$(STUDY)" --format md,html,latex $(ARGS)

status: need-study $(READY) ## Say what of a study is done, failed and left: STUDY=...
	@$(ABLATE) status "$(STUDY)" $(ARGS)

need-study:
	@test -n "$(STUDY)" || { echo "which study? For example: make $(MAKECMDGOALS) STUDY=reduction-ratio" >&2; exit 2; }

simulate: $(READY_DEV) ## Simulate how often verdicts are right; docs/statistics.md quotes it
	@$(BIN)/python -m tools.simulation --write results/simulation/tables.md
	@$(BIN)/python -m tools.quoting docs/statistics.md

paper: $(READY_DEV) ## Write what README, docs and reports quote from results/ anew
	@$(BIN)/python -m tools.quoting

paper-check: $(READY_DEV) ## Check that every quoted number, table and plot is as results/ give it
	@$(BIN)/python -m tools.quoting --check

ui: $(READY) ## Open the laboratory notebook (MLflow) on http://127.0.0.1:5000
	@$(ABLATE) ui $(ARGS)

dashboard: need-study $(READY) ## Open optuna-dashboard on http://127.0.0.1:8080 for a study that chooses: STUDY=...
	@$(BIN)/python -m pip install --quiet --editable ".[dashboard]"
	@$(ABLATE) dashboard "$(STUDY)" $(ARGS)

test: $(READY_DEV) ## Run the tests; PYTEST_ARGS="-k sweep" for a choice
	@$(BIN)/python -m pytest -n auto -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY_DEV) ## Run the tests that take longer: every network trained, simulations, fuzzing
	@$(BIN)/python -m pytest -n auto -m slow $(PYTEST_ARGS)

CHAOS_KILLS ?= 100

chaos: $(READY_DEV) ## Kill a real study's sweep and workers CHAOS_KILLS times (100) and compare with a quiet run
	@$(BIN)/python tests/chaos/chaos.py --kills $(CHAOS_KILLS) $(ARGS)

bench: $(READY_DEV) ## Time our training against plain PyTorch, Lightning and timm (ROUNDS=5); installs the two
	@$(BIN)/python -m pip install --quiet --editable ".[dev,bench]"
	@$(BIN)/python -m bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(ARGS)

bench-overhead: $(READY_DEV) ## Time what a trial costs beside its training, in processes and on Ray (TRIALS=1000)
	@$(BIN)/python -m bench.sweeps.overhead $(if $(TRIALS),--trials $(TRIALS)) $(ARGS)

lint: $(READY_DEV) ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY_DEV) ## Check types, strictly
	@$(BIN)/mypy

format: $(READY_DEV) ## Format the code and repair what the linter can
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

clean: ## Remove .venv and caches; data, results and reports stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
