# The commands of this checkout, for developers and continuous integration. Each target creates the
# environment that it needs and reuses it later. PYTHON=python3.12 make ... selects an interpreter.
PYTHON ?= python3
# One process more than cores, because some tests only wait.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(os.cpu_count() + 1)")
PYTEST ?= $(DEV) -m pytest
REAL := faults notebooks kernel docs security model peer unit
# Empty, so that Python writes compiled files even if the environment forbids it: the tests start
# hundreds of processes, and each would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
# Parallel targets print one after the other. make 3.81 (macOS) does not support this.
MAKEFLAGS += $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
DEV := .venv/dev/bin/python
DEMO := .venv/demo/bin/python
OUT := build
# JupyterLab refuses to run as root without it.
LAB_FLAGS := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: demo test test-fast test-real test-browser coverage matrix walk release-matrix negative-control lint check lab figures columns bench bench-peers notebooks screenshots catalogue catalogue-report release-check docs live format env-dev env-demo env-docs clean peers

demo: env-demo  ## runs the first notebook on the embedded model; needs no key
	@$(DEMO) .ci/demo.py $(OUT)/demo

test: test-fast  ## all tests with the newest kernel, a real model and a real browser
	@# The browser tests run in separate processes: Playwright's event loop never leaves its process.
	@$(MAKE) --no-print-directory -j2 test-real test-browser

test-fast: env-dev
	@$(PYTEST) -q -n $(WORKERS) --dist worksteal

# The tests of one file run in one process, and the slowest files start first.
test-real: env-dev
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10 \
		-m "(kernel or model or peer or fault) and not browser" $(addprefix tests/,$(REAL))

test-browser: env-dev
	@.ci/browser
	@$(PYTEST) -q -n 2 --dist loadfile --durations=10 --tb=short -m browser tests/browser tests/security

coverage: env-dev  ## make test with branch coverage, and the lines that are not covered
	@$(DEV) -m coverage erase
	@$(MAKE) --no-print-directory test PYTEST="$(DEV) -m coverage run -m pytest"
	@$(DEV) -m coverage combine -q
	@$(DEV) -m coverage report --skip-covered

# env-dev first: it installs uv, which two parallel legs must not do at once.
matrix: env-dev  ## tests with other Python versions, older kernels, the oldest dependencies
	@$(MAKE) --no-print-directory -j2 $(addprefix matrix-,ipykernel-6 ipykernel-7.0 lowest)

matrix-%:
	@.ci/matrix $*

walk:  ## runs the README's shell lines in a clean clone and an empty home
	@$(PYTHON) .ci/walk.py $(OUT)/walk

release-matrix: release-check negative-control  ## Binder, Notebook 7, Voila, marimo, negative control, release check; before an issue is closed
	@.ci/release-matrix

negative-control: env-dev  ## the scenarios with a naive event-loop manager; each must fail
	@$(DEV) .ci/negative_control.py

lint: env-dev  ## checks format, lint and types
	@$(DEV) -m ruff format --check .
	@$(DEV) -m ruff check .
	@$(DEV) -m mypy

check: lint test-fast  ## lint and fast tests; passes before every commit

format: env-dev
	@$(DEV) -m ruff format .
	@$(DEV) -m ruff check --fix .

lab: env-dev  ## JupyterLab with the notebooks
	@$(DEV) -m jupyterlab notebooks $(LAB_FLAGS)

bench: env-dev  ## speed as ratios within one run; STRICT=1 fails on a missed goal
	@.ci/browser
	@$(DEV) -m benchmarks.run $(if $(STRICT),--strict)

figures: env-dev  ## size and imports of the package, and the functions that one answer passes through
	@$(DEV) -m tools.figures

columns: env-dev  ## writes docs/reference/columns.md from the declarations of the columns
	@$(DEV) -m tools.columns

catalogue: env-dev  ## builds the catalogue of models from its source packages
	@$(DEV) -m tools.catalogue build

catalogue-report: env-dev  ## lists the catalogue's retired, soon retired and unverified models
	@$(DEV) -m tools.catalogue report

release-check: env-dev  ## fails if README, notebooks or classes name a model that ends within 180 days
	@$(DEV) -m tools.catalogue release-check

docs: env-docs  ## builds the documentation site in build/docs
	@.venv/docs/bin/python -m sphinx -q -W --keep-going docs $(OUT)/docs
	@echo "the site: $(OUT)/docs/index.html"

peers: env-dev  ## compares other libraries against the same fake provider
	@$(DEV) -m tools.peers

notebooks: env-dev  ## executes the notebooks without keys, stores their outputs; takes the pictures
	@$(DEV) -m tools.notebooks
	@$(MAKE) --no-print-directory screenshots

screenshots: env-dev  ## takes the pictures in docs/images in a real browser
	@.ci/browser
	@$(DEV) .ci/screenshots.py

bench-peers:  ## creates environments for the other libraries in `make bench`
	@.ci/venv peer-litellm $(PYTHON) litellm
	@.ci/venv peer-any-llm $(PYTHON) 'any-llm-sdk[openai]'
	@.ci/venv peer-aisuite $(PYTHON) 'aisuite[openai]'
	@.ci/venv peer-chatlas $(PYTHON) chatlas openai

live: env-dev  ## sends one short paid call for each key in the environment
	@$(DEV) -m pytest -m live -s tests/live

env-dev:
	@LLMKIT_WEIGHTS=1 .ci/venv dev $(PYTHON) -e '.[local,lab,export,excel,keyring,otel,dev]'

env-docs:
	@.ci/venv docs $(PYTHON) -e '.[docs]'

env-demo:
	@LLMKIT_WEIGHTS=1 .ci/venv demo $(PYTHON) -e '.[local]' ipykernel nbclient nbconvert

clean:
	rm -rf .venv $(OUT) dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
