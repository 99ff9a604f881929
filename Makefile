# `make demo` shows it, `make test` proves it; each does all the set-up that it needs.
# Another Python, in a virtual environment of its own: make check PYTHON=python3.13 VENV=.venv-3.13
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BARE := not broker and not database and not browser and not faults and not docs and not versions and not registry

# Two at a time, a file of tests in one process, in the order of tests/conftest.py: without the last word xdist would
# leave long files of few tests to the end, when nothing is left for the other process. Each has a Kafka and a
# Postgres of its own.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder

PIP := $(BIN)/pip --quiet --disable-pip-version-check

.PHONY: install demo check check-tests test versions docs docs-tools faults scale histories poison mutants bench bench-check fairness overload \
	format lock chart chart-tools alert-tools

install: $(VENV)/installed-$(VERSION)

$(VENV)/python-$(VERSION):
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/installed-$(VERSION): requirements.lock pyproject.toml | $(VENV)/python-$(VERSION)
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

# What the demo needs, and no more, so that it starts soon.
$(VENV)/demo-$(VERSION): requirements-local.lock requirements-build.lock pyproject.toml | $(VENV)/python-$(VERSION)
	@echo 'Installing what the demo needs …'
	@$(PIP) install --require-hashes --requirement requirements-local.lock --requirement requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Options: make demo ARGS="--exit --json"
demo: $(or $(wildcard $(VENV)/installed-$(VERSION)),$(VENV)/demo-$(VERSION))
	@$(BIN)/fairway demo $(ARGS)

# All that needs no broker, database or browser, in a minute or two.
check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/coverage run -m pytest -q $(SIDE_BY_SIDE) -m "$(BARE)"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The tests of `make check` alone, as .ci/run has them from every other Python.
check-tests: install
	$(BIN)/pytest -q $(SIDE_BY_SIDE) -m "$(BARE)"

# The rest, on real Kafkas and Postgreses.
test: check docs-tools $(VENV)/kafka.jsa
	$(BIN)/pytest -q $(SIDE_BY_SIDE) --durations 20 -m "not ($(BARE)) and not versions"

# Kafka's classes as Java has loaded them once: with them the brokers of tests start in half the time, without as ever.
$(VENV)/kafka.jsa: streams/dev/kafka.lock tests/java_archive.py | install
	-$(BIN)/python -m tests.java_archive $@

# The main job and a takeover on older and newer versions of Kafka, whose jars it fetches (100 MB each).
versions: install
	$(BIN)/pytest -q -s -m versions tests/versions

# The documentation as a site in site/, from docs/; warnings are errors.
docs: docs-tools
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-tools: $(VENV)/docs-$(VERSION)

$(VENV)/docs-$(VERSION): requirements-docs.lock | install
	$(PIP) install --require-hashes --requirement requirements-docs.lock
	touch $@

# The long form of the fault tests; writes docs/faults.md. Options: make faults ARGS="--seeds 1,2 --faults 60"
faults: install
	$(BIN)/python -m tests.faults $(ARGS)

# Waits by the million in one worker, added to that report.
scale: install
	$(BIN)/python -m tests.faults --seeds "" --admission "" --add --waiting 10000000 $(ARGS)

# The partition task against a model broker, in 10,000 random histories.
histories: install
	FAIRWAY_TEST_EXAMPLES=10000 $(BIN)/pytest -q --timeout 3600 tests/partition/test_histories.py

# 200 kinds of bad records in each queue of a real worker; mutated records by the million; journeys by chance.
# Options: make poison FAIRWAY_POISON=100000
poison: install
	FAIRWAY_POISON_KINDS=200 $(BIN)/pytest -q -s --timeout 600 tests/poison/test_queues.py
	FAIRWAY_POISON=$(or $(FAIRWAY_POISON),1000000) $(BIN)/pytest -q --timeout 36000 tests/poison/test_poison.py
	FAIRWAY_TEST_EXAMPLES=5000 $(BIN)/pytest -q --timeout 3600 tests/journeys/test_catalogue.py
	$(BIN)/pytest -q --timeout 3600 --hypothesis-profile=many tests/engine/test_totality.py

# Which mutants of the engine no test kills (docs/decisions/033); half an hour. Options: make mutants ARGS=engine.check
mutants: install
	$(BIN)/pip install --quiet --disable-pip-version-check mutmut==3.8.1
	rm -rf mutants
	$(BIN)/mutmut run --max-children 1 streams.engine.split.x_draw__mutmut_1 >/dev/null  # writes all, runs one
	cd mutants && nice -n 19 ../$(BIN)/python -m tests.mutants $(ARGS)

# Writes docs/benchmarks.md. Options: make bench ARGS="--only small,standstill"
bench: install
	$(BIN)/python -m tests.benchmarks $(ARGS)

# Fails when the worker needs more processor time, beside the bare loop, than tests/benchmarks/baseline.json allows.
bench-check: install
	$(BIN)/python -m tests.benchmarks --check $(ARGS)

# How long quiet customers wait while others flood, beside quiet hours. Options: make fairness ARGS="--seconds 60"
fairness: install
	$(BIN)/python -m tests.benchmarks.fairness $(ARGS)

# Three times what a worker can take, for ten minutes: memory flat, lag growing. Options: make overload ARGS="--seconds 180"
overload: install
	$(BIN)/python -m tests.benchmarks.overload $(ARGS)

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Locks what pyproject.toml asks for: all of it, what a demo needs, what a production needs, what builds a wheel, and
# what builds the documentation.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock: install
	$(PIP) install uv==0.13.9
	$(LOCK) --extra dev --output-file requirements.lock pyproject.toml
	$(LOCK) --extra local --constraints requirements.lock --output-file requirements-local.lock pyproject.toml
	$(LOCK) --constraints requirements.lock --output-file requirements-production.lock pyproject.toml
	echo 'setuptools>=80' | $(LOCK) --constraints requirements.lock --output-file requirements-build.lock -
	$(LOCK) --group docs --constraints requirements.lock --output-file requirements-docs.lock

# What tests/deploy needs beside Python: Helm, by Go where it is not there, and Kubernetes' own schemas.
chart-tools: install
	$(PIP) install kubernetes-validate==1.37.0
	command -v helm || test -x $(BIN)/helm || GOBIN=$(abspath $(BIN)) go install helm.sh/helm/v3/cmd/helm@v3.18.6

# What tests/alerts needs beside Python: Prometheus' promtool, out of Debian's package where it is not there.
alert-tools: install
	command -v promtool || test -x $(BIN)/promtool || { cd $(BIN) && apt-get download prometheus && \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool && rm prometheus_*.deb && \
		chmod +x promtool && ./promtool --version; }

# Renders deploy/helm with its own values, for those who have no Helm, and checks it.
chart: chart-tools
	PATH=$(abspath $(BIN)):$$PATH helm template fairway deploy/helm --kube-version 1.31.0 --namespace fairway \
		>deploy/kubernetes.yaml
	$(BIN)/pytest -q tests/deploy
