# Two commands do everything on a machine with only python3 (>= 3.11) and make: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test test-all lint clean

run: $(STAMP)
	$(BIN)/sizeup
	$(BIN)/sizeup run "$$($(BIN)/python -m tests.small_model)"

test: $(STAMP)
	$(BIN)/python -m pytest -n auto -m "not full"

test-all: $(STAMP)
	$(BIN)/python -m pytest -n auto

lint: $(STAMP)
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/lint-imports

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('sizeup needs Python 3.11 or newer, this is %d.%d' % sys.version_info[:2] if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
