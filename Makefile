# Everything a person or a machine does with this checkout. Each target sets up what it needs;
# a second run finds it there. PYTHON=python3.12 make ... chooses another interpreter.
PYTHON ?= python3
# One process more than cores: some tests wait.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(os.cpu_count() + 1)")
PYTEST ?= $(DEV) -m pytest
REAL := faults notebooks kernel docs security model peer unit
# Empty, so that Python keeps compiled files even if the environment forbids it: the tests start
# hundreds of processes, and each would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
# Parallel targets print one after the other; make 3.81, which macOS has, cannot do that.
MAKEFLAGS += $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
DEV := .venv/dev/bin/python
DEMO := .venv/demo/bin/python
OUT := build

.PHONY: demo test test-fast test-real test-browser coverage matrix walk release-matrix negative-control lint check lab figures columns bench bench-peers screenshots catalogue catalogue-report release-check docs live format env-dev env-demo env-docs clean peers

demo: env-demo  ## one prompt to a real language model on this machine; needs no key
	@$(DEMO) .ci/demo.py $(OUT)/demo

test: test-fast  ## all tests with the newest kernel, a real model and a real browser
	@# The browser's tests run in processes of their own: Playwright's event loop never leaves one.
	@$(MAKE) --no-print-directory -j2 test-real test-browser

test-fast: env-dev
	@$(PYTEST) -q -n $(WORKERS) --dist worksteal

# A file stays in one process, and the files that take longest begin first.
test-real: env-dev
	@$(PYTEST) -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=10 \
		-m "(kernel or model or peer or fault) and not browser" $(addprefix tests/,$(REAL))

test-browser: env-dev
	@.ci/browser
	@$(PYTEST) -q -n 2 --dist loadfile --durations=10 --tb=short -m browser tests/browser tests/security

coverage: env-dev  ## the same tests with branch coverage, and what they leave out
	@$(DEV) -m coverage erase
	@$(MAKE) --no-print-directory test PYTEST="$(DEV) -m coverage run -m pytest"
	@$(DEV) -m coverage combine -q
	@$(DEV) -m coverage report --skip-covered

# env-dev first: it installs uv, which two legs at once cannot.
matrix: env-dev  ## other Pythons, older kernels, the oldest dependencies
	@$(MAKE) --no-print-directory -j2 $(addprefix matrix-,ipykernel-6 ipykernel-7.0 lowest)

matrix-%:
	@.ci/matrix $*

walk:  ## the README's shell lines in a clean clone and an empty home
	@$(PYTHON) .ci/walk.py $(OUT)/walk

release-matrix: release-check negative-control  ## Binder, Notebook 7, Voila, negative control, release check: before an issue is closed
	@.ci/release-matrix

negative-control: env-dev  ## the scenarios with a naive manager instead of ours: every one must fail
	@$(DEV) .ci/negative_control.py

lint: env-dev  ## format, lint, types
	@$(DEV) -m ruff format --check .
	@$(DEV) -m ruff check .
	@$(DEV) -m mypy

check: lint test-fast  ## green before every commit

format: env-dev
	@$(DEV) -m ruff format .
	@$(DEV) -m ruff check --fix .

lab: env-dev  ## JupyterLab with the notebooks
	@$(DEV) -m jupyterlab notebooks

bench: env-dev  ## speed, as ratios within one run
	@.ci/browser
	@$(DEV) -m benchmarks.run

figures: env-dev  ## how large the package is, and how long one answer's way through it
	@$(DEV) -m tools.figures

columns: env-dev  ## docs/reference/columns.md, from the declarations of the columns
	@$(DEV) -m tools.columns

catalogue: env-dev  ## builds the catalogue of models from the packages that it comes from
	@$(DEV) -m tools.catalogue build

catalogue-report: env-dev  ## what of it is retired, soon retired or unverified today
	@$(DEV) -m tools.catalogue report

release-check: env-dev  ## fails when README, notebooks or classes name a model that ends within 180 days
	@$(DEV) -m tools.catalogue release-check

docs: env-docs  ## the documentation as a site, in build/docs
	@.venv/docs/bin/python -m sphinx -q -W --keep-going docs $(OUT)/docs
	@echo "the site: $(OUT)/docs/index.html"

peers: env-dev  ## what people use today, held against the same fake provider
	@$(DEV) -m tools.peers

screenshots: env-dev  ## the pictures of docs/images, from a real browser
	@.ci/browser
	@$(DEV) .ci/screenshots.py

bench-peers:  ## environments for the other libraries that `make bench` compares with
	@.ci/venv peer-litellm $(PYTHON) litellm
	@.ci/venv peer-any-llm $(PYTHON) 'any-llm-sdk[openai]'
	@.ci/venv peer-aisuite $(PYTHON) 'aisuite[openai]'
	@.ci/venv peer-chatlas $(PYTHON) chatlas openai

live: env-dev  ## one short paid call for each provider whose key is in the environment
	@$(DEV) -m pytest -m live -s tests/live

env-dev:
	@LLMKIT_WEIGHTS=1 .ci/venv dev $(PYTHON) -e '.[local,lab,export,keyring,otel,markdown,dev]'

env-docs:
	@.ci/venv docs $(PYTHON) -e '.[docs]'

env-demo:
	@LLMKIT_WEIGHTS=1 .ci/venv demo $(PYTHON) -e '.[local]' ipykernel nbclient nbconvert

clean:
	rm -rf .venv $(OUT) dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
