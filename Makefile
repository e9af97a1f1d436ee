# Every verb of this repository. `make` alone lists them; each line with two hashes is its own help.
#
# Needs make and Python >= 3.11, nothing else. Everything is installed into .venv in this directory
# from locks with hashes (requirements/), and again only when a lock changes. All paths are relative,
# so that a clone may lie in a directory with a space in its name, and may be moved. For the same
# reason tools are called as modules: the scripts that pip writes hold the path they were made in.

SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ARGS ?=
PYTHON3 ?=
BIN := .venv/bin
EXTRA := tests/extra
EXAMPLES := deploy/examples
PYTHON := $(BIN)/python
# Much of a test is waiting for others. Whole files, as their tests share servers.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile

.PHONY: help demo up examples check check-extra audit format test bench bench-quick soak fresh screenshots schemas lock upgrade clean

help:  ## print this list
	@echo 'make <target> [ARGS="..."]   (ARGS are handed to the command behind the target)'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

demo: .venv/run.lock  ## seven stories on a real engine, explained step by step and replayed, in seconds
	@exec $(BIN)/fernamt demo $(ARGS)

up: .venv/run.lock  ## start everything on this machine, with a day of sample traffic (ARGS=--no-sample: without)
	@exec $(BIN)/fernamt up --sample --websocket-port 4223 $(ARGS)

examples: .venv/run.lock build/examples/index.html  ## a chat widget and an inbox in the browser, beside `make up`; needs Node.js 20
	@echo 'open http://127.0.0.1:8480/ in a browser, while `make up` runs; Ctrl-C ends this'
	@exec $(PYTHON) -m http.server 8480 --bind 127.0.0.1 --directory build/examples

check: .venv/dev.lock  ## the whole gate: format, lint, types, layers, dependencies, tests
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PYTHON) -m deptry .
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) $(ARGS)

check-extra: .venv/dev.lock $(EXTRA)/node_modules/.package-lock.json build/examples/index.html  ## what is checked by tools that are not Python's; needs Node.js 20, Prometheus, Chromium
	@cd $(EXTRA) && npm --silent test
	$(PYTHON) -m pytest $(EXTRA) $(ARGS)

audit: .venv/dev.lock  ## known holes and licences of what is locked, and a bill of materials in build/; asks a service
	@$(PYTHON) -m tests.supply $(ARGS)

format: .venv/dev.lock  ## put the code into the form that `check` wants
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

test: .venv/dev.lock  ## the tests alone (ARGS="-n 0": one after the other)
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) $(ARGS)

bench: .venv/dev.lock  ## measure latency and throughput (minutes)
	$(PYTHON) -m tests.bench $(ARGS)

bench-quick: .venv/dev.lock  ## the same at a small size (seconds)
	$(PYTHON) -m tests.bench --quick $(ARGS)

soak: .venv/dev.lock  ## the tests that run for minutes to hours
	$(PYTHON) -m pytest -m soak -o faulthandler_timeout=0 $(ARGS)

fresh: .venv/run.lock  ## prove `demo` and `test` in a fresh clone, as root and as nobody
	$(PYTHON) -m tests.fresh_clone $(ARGS)

screenshots: .venv/dev.lock  ## pictures of every page of the console in build/screenshots
	$(PYTHON) -m tests.browser.screenshots $(ARGS)

schemas: .venv/run.lock  ## write the description of the wire in schemas/ again from the code
	$(BIN)/fernamt schemas $(ARGS)

clean:  ## remove what was built or cached here; never ./data
	rm -rf .venv build $(EXTRA)/node_modules $(EXAMPLES)/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find services shared tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- locks -------------------------------------------------------------------------------------
# uv resolves for every Python and platform at once and writes the hashes of all public files of a
# version. It does not read pip's configuration, so neither a mirror nor a directory of this machine
# can get into the locks; tests/tidy holds them to that. `uv` is in the dev lock itself: the first
# lock of all was made with a uv installed by hand.

COMPILE := env -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	$(BIN)/uv pip compile --quiet --no-config --system-certs --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' pyproject.toml

lock: .venv/dev.lock  ## resolve pyproject.toml into requirements/, keeping versions that still fit
	$(COMPILE) -o requirements/run.txt $(ARGS)
	$(COMPILE) --extra otel -c requirements/run.txt -o requirements/otel.txt $(ARGS)
	$(COMPILE) --group dev -c requirements/otel.txt -o requirements/dev.txt $(ARGS)

upgrade:  ## the same with the newest versions
	@$(MAKE) lock ARGS=--upgrade

# --- the environment ---------------------------------------------------------------------------
# .venv/<name>.lock is a copy of the lock that .venv holds. requirements/dev.txt contains all of
# run.txt, so whoever has the dev environment has the other one too. otel.txt is run.txt with what
# traces take, for images that are to send them.

.venv/run.lock: requirements/run.txt
	@sh requirements/install.sh run '$(PYTHON3)'

.venv/dev.lock: requirements/dev.txt
	@sh requirements/install.sh dev '$(PYTHON3)'

# npm writes this file last, as a copy of the lock that node_modules holds. No script of a package
# is run (.npmrc beside the lock).

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { echo "this needs Node.js 20 or later, with npm" >&2; exit 1; }
	cd $* && npm ci
	@touch $@

EXAMPLE_SOURCES := $(wildcard $(EXAMPLES)/src/* $(EXAMPLES)/pages/*) $(EXAMPLES)/build.mjs $(EXAMPLES)/tsconfig.json

build/examples/index.html: $(EXAMPLES)/node_modules/.package-lock.json schemas/typescript/fernamt.d.ts $(EXAMPLE_SOURCES)
	@cd $(EXAMPLES) && npm --silent run build
