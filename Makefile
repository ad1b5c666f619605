# The two commands a newcomer needs are `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := auth catalog notifier web dev

.DEFAULT_GOAL := help
.PHONY: help check format lock

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

check: ## Format, lint, types, layering
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
