# Everything starts from a fresh clone with python3 (3.11 or newer), make and git. Each target sets up what it needs and
# skips what is there.
#
#   make demo            a visitor's whole road through the main journey, on real parts, in a minute
#   make demo CHAOS=7    the same while processes are killed at random; 7 is the seed
#   make demo KEEP=1     leaves everything running afterwards and prints the addresses
#   make test            the core tests
#   make lint            style, types, the direction of imports, tabiji check, tabiji template check

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest
# Use the node that is here instead of fetching one.
export PYRIGHT_PYTHON_GLOBAL_NODE := 1
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export CHAOS KEEP

.PHONY: setup demo test test-clients test-browser test-slow test-long lint format clean

setup:
	@$(PYTHON) tools/setup.py

demo: setup
	@$(BIN)/python -m demo

# A file's tests stay together, on as many cores as there are.
test: setup
	@$(PYTEST) -m "not slow and not long and not browser and not clients" -n auto --dist loadfile $(ARGS)
	@echo "test: left out here: make test-clients, make test-browser, make test-slow, make test-long"

# Real client libraries against the real API. Tests whose library is not here say so themselves.
test-clients: setup
	@if [ -f tests/clients/package.json ]; then \
	  if command -v npm >/dev/null; then npm --prefix tests/clients ci --silent --no-audit --no-fund; \
	  else echo "test-clients: the JavaScript clients are skipped, npm is not here"; fi; fi
	@if [ -f tests/clients/requirements.txt ]; then \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python -r tests/clients/requirements.txt; fi
	$(call marked,clients)

test-browser: setup
	@if tools/chromium.sh; then $(call marked_,browser); fi

# Killing and restarting processes is work: one test for each core.
test-slow: setup
	$(call marked,"slow and not long" -n auto --dist worksteal)

# On PostgreSQL once more what does not depend on it, and the API's description tried with many examples.
test-long: setup
	$(call marked,long -n auto --dist worksteal)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/tabiji check
	@$(BIN)/tabiji template check

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -not -path "./.git/*" -prune -exec rm -rf {} +

# pytest's exit code 5 is "no test collected".
marked_ = $(PYTEST) -m $(1) $(ARGS) || { code=$$?; \
  if [ $$code -eq 5 ]; then echo "test-$(1): there is no test of this kind yet"; else exit $$code; fi; }
marked = @$(call marked_,$(1))
