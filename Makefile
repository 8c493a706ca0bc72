# Two commands do everything on a machine with only python3 (>= 3.11) and make: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

TRAIN_VENV := .venv-train
TRAIN_BIN := $(TRAIN_VENV)/bin
MLX_VENV := .venv-mlx
RAY_VENV := .venv-ray
TRAIN_STAMP := $(TRAIN_VENV)/.installed

CHROMIUM := $(or $(SIZEUP_CHROMIUM),$(shell command -v chromium))

.PHONY: run browser test test-all test-train test-train-sample test-mlx test-ray lint clean

run: $(STAMP)
	$(BIN)/sizeup
	$(BIN)/sizeup run "$$($(BIN)/python -m tests.small_model)"

# Tests of the pages run in Debian's Chromium. Where it cannot be had they are skipped, by name.
browser:
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-noto-cjk; \
	fi >/dev/null || true
	@command -v chromium >/dev/null || echo "No Chromium, and it takes root and apt-get to install it: tests of the pages will be skipped."
endif

test: $(STAMP) browser
	$(BIN)/python -m pytest -n auto -m "not full"

test-all: $(STAMP) browser
	$(BIN)/python -m pytest -n auto

# Tests that run transformers, PEFT, bitsandbytes and PyTorch: an environment of its own, without a GPU.
test-train: $(TRAIN_STAMP)
	$(TRAIN_BIN)/python -m pytest -n auto -m transformers

test-train-sample: $(TRAIN_STAMP)
	$(TRAIN_BIN)/python -m pytest -n auto -m "transformers and not full"

# Tests that run mlx-lm on MLX's Linux CPU backend (or on a Mac): an environment of its own.
test-mlx: $(MLX_VENV)/.installed
	$(MLX_VENV)/bin/python -m pytest -m mlx tests/test_mlx_real.py tests/test_drive_mlx.py

$(MLX_VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(MLX_VENV)
	$(MLX_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt "mlx[cpu]==0.32.4" mlx-lm==0.32.2
	$(MLX_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# Tests on a Ray cluster of simulated nodes on loopback: an environment of its own. Not of `make test`: starting raylets takes minutes.
test-ray: $(RAY_VENV)/.installed
	$(RAY_VENV)/bin/python -m pytest -m ray tests/test_artefacts_tools.py tests/test_fleet_serve.py tests/test_ray_connect.py tests/test_ray_plan.py tests/test_ray_scan.py tests/test_ray_serve.py tests/test_sweep_ray.py

$(RAY_VENV)/.installed: requirements.txt requirements-ray.txt pyproject.toml
	$(PYTHON) -m venv $(RAY_VENV)
	$(RAY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-ray.txt
	$(RAY_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

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

$(TRAIN_STAMP): requirements.txt requirements-train.txt pyproject.toml
	$(PYTHON) -m venv $(TRAIN_VENV)
	$(TRAIN_BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-train.txt
	$(TRAIN_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(TRAIN_STAMP)

clean:
	rm -rf $(VENV) $(TRAIN_VENV) $(MLX_VENV) $(RAY_VENV) .pytest_cache .mypy_cache .ruff_cache build dist
