# Everything runs in a virtual environment of its own, made from a bare Python and pip.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo install test check lint type layers unit test-torch test-slow mutants bench bench-full bench-record bench-peers bench-solvers format clean

demo: $(VENV)/.installed
	$(BIN)/geolip certify models/digits_fc.onnx --norm inf

install: $(VENV)/.installed-dev

test: check

check: lint type layers unit

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --upgrade pip
	$(BIN)/python -m pip install -qq --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install -qq --editable '.[dev]'
	touch $@

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports

unit: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto -m 'not slow'

# Needs some 2 GB more: models from both of PyTorch's exporters.
test-torch: $(VENV)/.installed-dev
	$(BIN)/python -m pip install -qq 'torch==2.13.0' 'onnxscript>=0.2'
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto -m 'not slow' \
	    tests/test_architectures.py tests/test_importer_pytorch.py

mutants: $(VENV)/.installed-dev
	$(BIN)/python tests/mutants.py

test-slow: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto -m slow

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(BIN)/python -m pip install -qq --editable '.[dev,report]'
	touch $@

# Every method, formulations as published, and peers if they are there: minutes, or hours.
bench: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/compare.py

bench-full: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/compare.py --full --output benchmarks/out/comparison-full

# What the repository and its README show: run it on a quiet machine, at a commit.
bench-record: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/compare.py --fresh --output benchmarks/results/comparison
	$(BIN)/python benchmarks/render.py benchmarks/results/comparison --readme README.md

# The peers' own environment; needs some 6 GB, as they ask for PyTorch.
bench-peers:
	$(PYTHON) -m venv benchmarks/.peers
	benchmarks/.peers/bin/python -m pip install -qq eclipse-nn

# geolip's solvers on the shipped networks.
bench-solvers: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/run.py

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
