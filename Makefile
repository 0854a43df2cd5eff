# One machine with Python >= 3.11 and make needs nothing else: every target sets up .venv first.
PYTHON ?= python3
VENV := .venv
LOCK := requirements.lock
STAMP := $(VENV)/.installed
ARGS ?=

.PHONY: help setup demo test test-quick lint bench device docs
.DEFAULT_GOAL := help

help:
	@echo "make setup       install semgjax and its pinned dependencies into $(VENV)"
	@echo "make demo        run the whole path on simulated sessions and write a report (ARGS=\"--seed 1\")"
	@echo "make test        all tests (ARGS=\"tests/data -k labels\" picks some)"
	@echo "make test-quick  the tests without the slow ones"
	@echo "make lint        ruff and mypy"
	@echo "make bench       a benchmark against peers (ARGS=\"NAME --json\")"
	@echo "make device      check and time this machine's GPU or TPU, ten minutes at a time (ARGS=\"--part parity\")"
	@echo "make docs        the documentation site into build/docs; runs its notebooks (minutes)"
	@echo "PYTHON=python3.12 picks the interpreter that $(VENV) is made with; LOCK=requirements-newest.lock"
	@echo "VENV=.venv-newest beside it (any target) uses the newest releases, for Python 3.12 and 3.13."

setup: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("semgjax needs Python >= 3.11, but $(PYTHON) is %d.%d; name a newer one: make setup PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet -r $(LOCK)
	$(VENV)/bin/python -m pip install --quiet --no-deps -e .
	@touch $@

demo: setup
	$(VENV)/bin/semgjax demo $(ARGS)

test: setup
	$(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-quick: setup
	$(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

lint: setup
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m mypy semgjax

bench: setup
	$(VENV)/bin/semgjax bench $(ARGS)

# JAX's plugin of the version that the lock pins, by the device that is there; the rest of the lock stays as it is.
device: setup
	@version=$$($(VENV)/bin/python -c 'import importlib.metadata as m; print(m.version("jax"))'); \
	if [ -e /dev/nvidiactl ]; then kind=cuda12; elif [ -e /dev/accel0 ] || [ -e /dev/vfio/0 ]; then kind=tpu; \
	else echo "no NVIDIA GPU and no TPU here; the kit on a CPU: make bench ARGS=\"device --small\"" >&2; exit 2; fi; \
	$(VENV)/bin/python -m pip install --quiet -c $(LOCK) "jax[$$kind]==$$version"
	$(VENV)/bin/semgjax bench device $(ARGS)

docs: setup
	$(VENV)/bin/python -m sphinx -b html -W --keep-going -n $(ARGS) docs build/docs
