# The two commands a newcomer needs are `make run` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := auth catalog notifier web dev
TEST_WORKERS ?= 2
TESTS ?= tests

REGISTRY := docker-registry|registry=docker-registry
TEST_PROGRAMS := $(REGISTRY) initdb=postgresql rabbitmq-server=rabbitmq-server skopeo=skopeo buildah=buildah \
  podman=podman ctr=containerd chromium|chromium-browser=chromium dockerd=docker.io docker=docker.io

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help run test bench check format lock screenshots

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: ## Run Portus with a registry on this machine; Ctrl-C stops it
	@scripts/programs $(foreach part,$(REGISTRY),'$(part)')
	@scripts/environment run
	@$(BIN)/python -m cli up

test: ## Run all tests, on private servers that are removed afterwards
	@scripts/environment dev
	@scripts/programs $(foreach part,$(TEST_PROGRAMS),'$(part)')
	@$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) $(TESTS)

bench: ## Measure, on private servers; asserts no time
	@scripts/environment dev
	@scripts/programs $(foreach part,$(TEST_PROGRAMS),'$(part)')
	@$(BIN)/python -m pytest -q tests/benchmarks

check: ## Format, lint, types, layering (the tests do this too)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Compile the pins of every image, with hashes
	for extra in $(EXTRAS); do \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	    --extra $$extra pyproject.toml --output-file requirements/$$extra.txt || exit 1; \
	done

screenshots: ## Take pictures of every page, light, dark and narrow, into screenshots/
	@scripts/environment dev
	@scripts/programs $(foreach part,$(REGISTRY),'$(part)') 'chromium|chromium-browser=chromium'
	@mkdir -p screenshots
	@SCREENSHOTS=screenshots $(BIN)/python -m pytest -q tests/browser/test_every_page.py
