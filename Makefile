# The two commands to know: `make up` starts Rolodesk, `make test` proves it. See README.md.

PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m rolodesk.local
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3
BROWSERS := chromium chromium-browser google-chrome

.PHONY: help up test faults bench lint format lock clean runtime dev browser node
.DEFAULT_GOAL := help

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

up: runtime ## Start everything; Ctrl-C stops it (PORT=8000, ROLODESK_DATA=.data, ROLODESK_DEMO=0 for no demo data)
	@exec $(LOCAL) up

test: dev browser node ## Lint, then all tests with coverage
	@scripts/lint
	@exec scripts/test

faults: dev ## Send 20,000 operations while servers are killed, and account for each (about 5 minutes; SEED=n repeats one)
	@exec $(PYTHON) -m tests.faults --kills 20 --operations 20000 $(if $(SEED),--seed $(SEED))

bench: dev ## Measure, and write the table of docs/performance.md
	@exec $(LOCAL) run --folder bench --durable -- $(PYTHON) -m bench

lint: dev ## Formats, types, import contracts, dependencies, sizes
	@exec scripts/lint

format: dev ## Repair formats and what else lint can repair by itself
	@.venv/bin/ruff check --quiet --fix-only . && .venv/bin/ruff format --quiet .

lock: .venv/.made ## Write the locks anew from pyproject.toml (requirements/)
	@exec scripts/lock

clean: ## Remove the environment, caches and the test databases; the data of `make up` stays
	@# As root, a cluster may lie elsewhere, with a link to it (rolodesk/local/postgres.py).
	@for link in .data/test/postgres .data/bench/postgres .data/lint/postgres; do \
		if [ -L $$link ]; then rm -rf "$$(readlink $$link)"; fi; \
	done
	rm -rf .venv .data/test .data/bench .data/lint .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis htmlcov
	rm -f .coverage .coverage.*
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# --- What the above need ----------------------------------------------------------------------

.venv/.made:
	@for python in $(CANDIDATES); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo 'Rolodesk needs Python 3.11 or later; none was found as python3.' >&2; exit 1; fi; \
	if ! $$found -m venv --clear .venv >.venv.log 2>&1; then \
		echo "$$found cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; \
	fi; \
	rm -f .venv.log; touch $@

# Installs a lock when its checksum is not the one that was installed last.
define install
	@sum=$$($(PYTHON) -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' $(1)) || exit 1; \
	if [ "$$sum" != "$$(cat .venv/.installed-$(notdir $(1)) 2>/dev/null)" ]; then \
		echo 'Installing the packages of $(1) …'; \
		$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) || exit 1; \
		echo "$$sum" >.venv/.installed-$(notdir $(1)); \
	fi
endef

runtime: .venv/.made
	$(call install,requirements/runtime.txt)

dev: runtime
	$(call install,requirements/dev.txt)

browser:
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo 'Installing Chromium for the browser tests …'; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else \
		echo 'The browser tests need Chromium (a program named chromium, chromium-browser or google-chrome).' >&2; exit 1; \
	fi

node:
	@if ! command -v npm >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo 'Installing Node.js for the tests of the JavaScript client …'; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq nodejs npm >/dev/null; \
		else \
			echo 'The tests of the JavaScript client need Node.js and npm.' >&2; exit 1; \
		fi; \
	fi
