# Everything that people and CI do here. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUNCTIONS := convert_dataset launch_tuning watch_jobs evaluate_model process_document
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps

MAKE_VENV = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "tunedrop needs Python 3.11 or later: make PYTHON=python3.13 …"; exit 1; }; \
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)

.DEFAULT_GOAL := help
.PHONY: help demo local test quick check format docs lock performance bench simulate clean

help:  ## list what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/local  ## three labelled files become models that answer documents, on this machine
	@$(BIN)/python -m local demo

local: $(VENV)/local  ## keep the local cloud up; drop files into local-cloud/
	@$(BIN)/python -m local up

# On several processors; tests that start servers stay on one worker, the others fill the rest.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist loadscope

test: $(VENV)/tests $(VENV)/checkov/installed  ## run all tests
	PATH="$(CURDIR)/$(VENV)/checkov/bin:$$PATH" $(BIN)/python -m pytest $(PARALLEL)

quick: $(VENV)/tests  ## run the tests that take no time
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

check: $(VENV)/tests  ## lint, format, types and the house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house

format: $(VENV)/tests  ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/tests  ## write the generated pages of docs/ again
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.generators.infra_page

performance: $(VENV)/tests  ## measure what each function's bundle imports
	$(BIN)/python -m benchmarks.imports

bench: $(VENV)/bench  ## measure what converting a file costs, and how fast models are asked
	$(BIN)/python -W ignore -m benchmarks.conversion
	$(BIN)/python -W ignore -m benchmarks.evaluation

SECONDS ?= 60

simulate: $(VENV)/tests  ## search for a schedule that loses or doubles a job; SECONDS=600 for longer
	$(BIN)/python -W ignore -m tests.simulation --seconds $(SECONDS)

# One compile of everything first, so that all locks agree; then each part, held to it.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate pyproject.toml

lock: $(VENV)/tests  ## write every requirements.txt again, from pyproject.toml
	$(COMPILE) --upgrade --extra tests --output-file tests/requirements.txt
	$(COMPILE) --extra local --constraint tests/requirements.txt --output-file local/requirements.txt
	$(COMPILE) --extra benchmarks --constraint tests/requirements.txt \
		--output-file benchmarks/requirements.txt
	echo "checkov>=3.3" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --upgrade - \
		--output-file tests/infra/checkov-requirements.txt
	for name in $(FUNCTIONS); do \
		$(COMPILE) --extra $$name --constraint tests/requirements.txt \
			--output-file functions/$$name/requirements.txt || exit 1; \
	done

# Checkov wants older versions of what the functions use, so it has an environment of its own.
$(VENV)/checkov/installed: tests/infra/checkov-requirements.txt | $(VENV)/tests
	@echo "Installing Checkov into $(VENV)/checkov; this happens once."
	@$(PYTHON) -m venv $(VENV)/checkov
	@$(VENV)/checkov/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps -r tests/infra/checkov-requirements.txt
	@touch $@

clean:  ## remove the virtual environment and what runs have left
	rm -rf $(VENV) out local-cloud .mypy_cache .pytest_cache .ruff_cache

$(VENV)/local: local/requirements.txt
	@echo "Installing the locked dependencies into $(VENV); this happens once."
	@$(MAKE_VENV)
	@$(PIP) -r local/requirements.txt
	@touch $@

$(VENV)/tests: tests/requirements.txt
	@echo "Installing the locked dependencies into $(VENV); this happens once."
	@$(MAKE_VENV)
	@$(PIP) -r tests/requirements.txt
	@touch $@ $(VENV)/local

$(VENV)/bench: benchmarks/requirements.txt | $(VENV)/tests
	@$(PIP) -r benchmarks/requirements.txt
	@touch $@
