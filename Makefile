.PHONY: run test check bench lint format

BIN = .venv/bin
CODE = xmppd extensions tests
RUFF_RULES = --line-length 120 --target-version py311
LINT_RULES = $(RUFF_RULES) --select E,F,W,I,UP,B,C4,SIM,RUF,PT,ASYNC,PIE,RET,PERF,S105,S106,S608,TID --ignore RUF012,SIM105,RET505,PERF203

run: .venv/installed
	$(BIN)/python -m xmppd.cli.vendor
	$(BIN)/xmppd demo

test: .venv/installed
	$(BIN)/python -m pytest

check: .venv/installed lint test

lint: .venv/installed
	$(BIN)/ruff format --check $(RUFF_RULES) $(CODE)
	$(BIN)/ruff check $(LINT_RULES) $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.kit.sizes

format: .venv/installed
	$(BIN)/ruff format $(RUFF_RULES) $(CODE)
	$(BIN)/ruff check $(LINT_RULES) --fix-only $(CODE)

bench: .venv/installed
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.updates
	$(BIN)/python -m tests.bench.bus

.venv/installed: setup.cfg
	@python3 -c 'import ensurepip, venv' || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	python3 -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch .venv/installed
