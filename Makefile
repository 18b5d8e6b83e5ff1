# Everything a person or a machine does with this checkout. Each target sets up what it needs;
# a second run finds it there. PYTHON=python3.12 make ... chooses another interpreter.
PYTHON ?= python3
DEV := .venv/dev/bin/python
DEMO := .venv/demo/bin/python
OUT := build

.PHONY: demo test matrix negative-control check lab bench bench-peers screenshots catalogue catalogue-report release-check docs live format env-dev env-demo env-docs clean peers

demo: env-demo  ## one prompt to a real language model on this machine; needs no key
	@$(DEMO) .ci/demo.py $(OUT)/demo

test: env-dev  ## all tests with the newest kernel, a real model and a real browser
	@.ci/browser
	@$(DEV) -m pytest -q -n auto --dist worksteal --cov --cov-report=
	@# One at a time: real kernels and a real model need the machine for themselves.
	@$(DEV) -m pytest -m "(kernel or model or peer or fault) and not live and not browser" --cov --cov-append --cov-report= --durations=10
	@# Apart: Playwright's own event loop stays in the process that once began to drive a browser.
	@$(DEV) -m pytest --tb=short -m browser tests/browser tests/security --cov --cov-append --cov-report=term:skip-covered --durations=10

matrix:  ## the same kernel tests on older kernels and other Pythons, and Binder's recipe
	@.ci/matrix

negative-control: env-dev  ## the scenarios again, with a naive manager in the place of ours: all red
	@$(DEV) .ci/negative_control.py

check: env-dev  ## format, lint, types, fast tests: green before every commit
	@$(DEV) -m ruff format --check .
	@$(DEV) -m ruff check .
	@$(DEV) -m mypy
	@$(DEV) -m pytest -q -n auto --dist worksteal

format: env-dev
	@$(DEV) -m ruff format .
	@$(DEV) -m ruff check --fix .

lab: env-dev  ## JupyterLab with the notebooks
	@$(DEV) -m jupyterlab notebooks

bench: env-dev  ## speed, as ratios within one run
	@.ci/browser
	@$(DEV) -m benchmarks.run

catalogue: env-dev  ## the catalogue of models, anew from the packages that it comes from
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
	@LLMKIT_WEIGHTS=1 .ci/venv dev $(PYTHON) -e '.[local,lab,fast,export,keyring,otel,markdown,dev]'

env-docs:
	@.ci/venv docs $(PYTHON) -e '.[docs]'

env-demo:
	@LLMKIT_WEIGHTS=1 .ci/venv demo $(PYTHON) -e '.[local]' ipykernel nbclient nbconvert

clean:
	rm -rf .venv $(OUT) dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
