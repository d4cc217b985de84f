# Everything a person or a machine does with Belvedere. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # gates before tests, and pytest's count last
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
PYTHON_IN := $(VENV)/bin/python
DEMO_READY := $(VENV)/.demo-ready
TEST_READY := $(VENV)/.test-ready
MODULES := web/node_modules/.package-lock.json
PAGE := src/belvedere/gateway/page/index.html
PAGE_SOURCES = $(shell find web -name node_modules -prune -o -type f -print)
NPM := $(VENV)/bin/npm --prefix web --loglevel=error
LOCK := $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
ARGS ?=

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Where this is set, pytest would rewrite every test module's assertions again on every run.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: demo
demo: $(DEMO_READY) $(PAGE) ## start Belvedere with a room and a head that do not exist; ARGS="--port 8080 --no-browser"
	@exec $(VENV)/bin/belvedere demo $(ARGS)

.PHONY: test
test: lint test-web test-python ## all gates, then all tests

.PHONY: lint
lint: $(TEST_READY) $(MODULES) ## all gates: style, types, layers, of Python and of the page
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(NPM) run lint
	$(NPM) run check

.PHONY: test-web
test-web: $(MODULES) $(PAGE) ## the page's tests, and its weight
	$(NPM) test
	$(NPM) run budget

.PHONY: test-python
test-python: $(TEST_READY) $(PAGE) ## the Python tests; ARGS="tests/control -k lease"
	$(PYTHON_IN) -m tests.parallel $(ARGS)

.PHONY: test-interop
test-interop: $(TEST_READY) $(PAGE) ## with programs that others wrote: coturn, an RTSP server, GStreamer, Firefox, WebKitGTK; ARGS="-k relay"
	@scripts/bootstrap interop
	$(PYTHON_IN) -m pytest -m interop $(ARGS)

.PHONY: test-bluez
test-bluez: $(TEST_READY) ## the Bluetooth code over a real BlueZ, in virtual machines; ARGS="--everything", or "--machine trixie -k vanish"
	$(PYTHON_IN) -m tests.bluez.machines $(ARGS)

.PHONY: test-vm
test-vm: $(TEST_READY) $(PAGE) ## in a virtual machine: the camera code over the kernel's virtual cameras; ARGS="--machine namespaces", the service under systemd
	$(PYTHON_IN) -m tests.vm.machine $(ARGS)

.PHONY: test-deploy
test-deploy: $(TEST_READY) $(PAGE) ## the image, the chart and what else installs Belvedere, with the real tools; ARGS="--quick", or "-k image"
	@scripts/bootstrap deploy
	$(PYTHON_IN) -m pytest tests/deploy -m deploy -o faulthandler_timeout=900 $(ARGS) # building the image takes minutes

.PHONY: format
format: $(TEST_READY) $(MODULES) ## put every source file into shape
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format
	$(NPM) run format

.PHONY: bench
bench: $(TEST_READY) $(PAGE) ## measure speed and memory; prints them and writes build/bench/results.json
	@scripts/bootstrap bench || echo "belvedere: measuring without Janus as a rival" >&2
	$(PYTHON_IN) -m benchmarks $(ARGS)

.PHONY: soak
soak: $(TEST_READY) ## random lives of the fail-safe core (300,000; ARGS="--first 300000" for others) and of the whole program, and a million malformed logs and app sessions
	$(PYTHON_IN) -m benchmarks.soak $(ARGS)
	$(PYTHON_IN) -m benchmarks.soak_faults
	$(PYTHON_IN) -m benchmarks.soak_logs
	$(PYTHON_IN) -m benchmarks.soak_drafts
	$(VENV)/bin/pytest --hypothesis-profile=soak tests/support/control/test_random_schedule.py

.PHONY: mutants
mutants: $(TEST_READY) ## change what drives in small ways, and tell which no test notices; ARGS="link/write_scheduler engine"
	$(PYTHON_IN) -m tests.mutants.run $(ARGS)

.PHONY: contract
contract: $(TEST_READY) $(MODULES) ## write contract/ and the page's types from the wire messages
	$(PYTHON_IN) -m belvedere.gateway.contract
	$(NPM) run types

.PHONY: settings
settings: $(TEST_READY) ## write docs/reference/settings.md and the chart's schema from the settings
	$(PYTHON_IN) -m tools.settings_page
	$(PYTHON_IN) -m tools.chart_schema

.PHONY: room
room: $(TEST_READY) ## paint the demo's room again, into the package
	$(PYTHON_IN) -m tools.painting

.PHONY: page
page: $(PAGE) ## build the page

.PHONY: wheel
wheel: $(TEST_READY) ## build what others install, into dist/
	$(PYTHON_IN) -m hatchling build --directory dist

ENGINE ?= podman
# Only docker's format has a health check; docker itself makes no other, and knows no --format.
.PHONY: image
image: ## the container image, belvedere:latest; ENGINE=docker ARGS="--build-arg BASE=..."
	@$(ENGINE) build $(if $(findstring docker,$(ENGINE)),,--format docker) --file deploy/container/Containerfile --tag belvedere:latest \
		--build-arg VERSION=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' src/belvedere/__init__.py) \
		--build-arg REVISION=$$(git rev-parse HEAD) --build-arg CREATED=$$(date -u +%Y-%m-%dT%H:%M:%SZ) $(ARGS) .

.PHONY: lock
lock: $(TEST_READY) ## renew the lock files from pyproject.toml and web/package.json
	$(LOCK) pyproject.toml --extra demo --extra ivs --extra lab --group dev --output-file requirements/dev.lock
	$(LOCK) pyproject.toml --extra demo --group build --constraints requirements/dev.lock --output-file requirements/demo.lock
	$(LOCK) pyproject.toml --extra ivs --constraints requirements/dev.lock --output-file requirements/runtime.lock
	$(LOCK) --group pyproject.toml:build --constraints requirements/dev.lock --output-file requirements/build.lock
	$(LOCK) --group pyproject.toml:bootstrap --constraints requirements/dev.lock --output-file requirements/bootstrap.lock
	$(LOCK) --group pyproject.toml:deploy --output-file requirements/deploy.lock
	$(NPM) install --package-lock-only

.PHONY: clean
clean: ## remove everything that was built or installed
	rm -rf $(VENV) .venv-deploy build dist web/node_modules $(dir $(PAGE)) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEMO_READY): requirements/bootstrap.lock requirements/demo.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap demo

$(TEST_READY): requirements/bootstrap.lock requirements/dev.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap test

$(MODULES): web/package-lock.json | $(DEMO_READY)
	@echo "belvedere: installing what builds the page" >&2
	@$(NPM) ci >/dev/null
	@touch $@

$(PAGE): $(PAGE_SOURCES) $(MODULES)
	@echo "belvedere: building the page" >&2
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@
