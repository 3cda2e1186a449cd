# `make demo` and `make test` set up all they need in .venv; nothing else on the system changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUZZ := .venv-fuzz
FUZZ_RUNS ?= 200000

.PHONY: demo test peers lint bench soak fuzz deb clean help

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## hear a real recording through the whole pipeline, on screen and on MQTT
	$(BIN)/edgeasr demo

test: $(VENV)/.dev lint  ## run the linters and all quick tests
	$(BIN)/python -m pytest

peers: $(VENV)/.dev  ## install the programs that some tests run beside edgeasr
	scripts/install-peers $(VENV)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy -p edgeasr
	@if $(BIN)/python -c 'import torch' 2>/dev/null; then $(BIN)/mypy -p training; \
	else echo 'the extra `train` is not installed: training/ is linted, but not type-checked'; fi

bench: $(VENV)/.demo  ## CPU seconds per hour of audio, memory, start-up, on this machine
	$(BIN)/edgeasr bench

soak: $(VENV)/.dev  ## long fault and load tests
	$(BIN)/python -m pytest -m soak

fuzz: $(FUZZ)/.ready  ## coverage-guided fuzzing of every parser, with atheris in $(FUZZ)
	for parser in commands settings configurations recordings frames bids; do \
	    PYTHONPATH=tests $(FUZZ)/bin/python tests/soak/guided.py $$parser -runs=$(FUZZ_RUNS) || exit 1; done

deb: $(VENV)/.demo  ## build the Debian package
	deploy/deb/build.sh

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) $(FUZZ) .mypy_cache .ruff_cache .pytest_cache build dist

$(VENV)/bin/python:
	@scripts/check-system $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -e '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@scripts/check-system $(PYTHON) test
	$(BIN)/python -m pip install --quiet -e '.[demo,dev]'
	@touch $@

$(FUZZ)/.ready: pyproject.toml
	@scripts/check-system $(PYTHON)
	$(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/python -m pip install --quiet -e . 'atheris>=3' pytest
	@touch $@
