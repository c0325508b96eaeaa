# All that is needed beforehand: make, and Python 3.13 with venv and pip. The network is used by the first `install`,
# by the first `lint`, `test` or `bench`, which have tools of their own, and again only when a lock has changed.

PYTHON ?= python3.13
ARCHITECTURE ?=
ARGS ?=
SBOM ?= .aws-sam/sbom.cdx.json
STACK ?= kochava-forwarder
APP_ID ?=
UV_VERSION := 0.13.9

export PYTHON
export PATH := $(CURDIR)/.tools/uv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export UV_PYTHON_DOWNLOADS := never
# Programs are started hundreds of times by the tests: what they import is compiled once, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

# A file's tests stay together, since they share what takes long to start. pytest-benchmark refuses to run so. The
# end-to-end tests wait most of the time, so that more of them run than there are cores.
SIDE_BY_SIDE := --dist=loadfile -p no:benchmark

# SAM takes parameters from the command line or from samconfig.toml, not from both; the rest stay as they are deployed.
DEPLOYED = --parameter-overrides KochavaAppId=$(APP_ID) Architecture=$(or $(ARCHITECTURE),$(shell sed -n 's/.*"Architecture=\([a-z0-9_]*\)".*/\1/p' samconfig.toml))

UV := .tools/uv/bin/uv
SAM := .tools/sam/bin/sam
# Building and checking a template touch no AWS account, yet SAM requires a region.
LOCAL_SAM := AWS_DEFAULT_REGION="$${AWS_DEFAULT_REGION:-us-east-1}" $(SAM)

# A stamp file is newer than what its environment was built from.
UV_STAMP := .tools/uv/$(UV_VERSION)
DEV_STAMP := .venv/.installed
SAM_STAMP := .tools/sam/.installed
CLOUD_STAMP := .tools/cloud/.installed
FETCHED_STAMP := .tools/package/.fetched
PEERS_STAMP := .tools/peers/.installed
AWS_STAMP := .tools/aws/.installed
NODE_STAMP := .tools/node/.installed
SECURITY_STAMP := .tools/security/.installed
GUARD_STAMP := .tools/guard/.installed

.PHONY: help install demo test unit lint security schema capacity invoke status logs dlq sandbox local bench chaos outage build sbom deploy ci clean lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

install: $(DEV_STAMP) $(SAM_STAMP) $(CLOUD_STAMP) $(FETCHED_STAMP) ## make the environments: .venv and .tools

demo: install ## watch events go from a queue to a sandbox of Kochava, all on this machine
	.venv/bin/kochava-forwarder demo $(ARGS)

test: install $(AWS_STAMP) $(NODE_STAMP) $(SECURITY_STAMP) $(GUARD_STAMP) ## run every test (some of them: make test ARGS="tests/unit -k template")
ifdef ARGS
	.venv/bin/pytest $(ARGS)
else
	.venv/bin/pytest $(SIDE_BY_SIDE) --numprocesses=auto tests/unit tests/integration
	.venv/bin/pytest $(SIDE_BY_SIDE) --numprocesses=4 tests/e2e
endif

unit: $(DEV_STAMP) ## run the unit tests only, in seconds (one room: make unit ARGS=tests/unit/policy)
	.venv/bin/pytest $(if $(ARGS),$(ARGS),$(SIDE_BY_SIDE) --numprocesses=auto tests/unit)

lint: install security ## check style, types, imports, the locks, the template, and what `make security` does
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(UV) lock --check --offline
	$(UV) lock --check --offline --project tests/security
	$(LOCAL_SAM) validate --lint

security: $(DEV_STAMP) $(SAM_STAMP) $(SECURITY_STAMP) $(GUARD_STAMP) ## look for unsafe code, an open template and committed secrets
	.venv/bin/python -m tests.security

schema: $(DEV_STAMP) ## write events/schema.json and docs/contract.md from the models (a release: make schema RELEASE=1.2.3)
	.venv/bin/python -m forwarder_tools.schema --release "$(RELEASE)"

capacity: $(DEV_STAMP) ## write the tables of docs/capacity.md from what was measured
	.venv/bin/python -m forwarder_tools.capacity

invoke: install ## hand a sample, or events of your own, to the function on this machine: make invoke EVENT=events/NAME.json
	@test -n "$(EVENT)" || { echo "make invoke: EVENT is missing: name a sample or a file of your own events, as in 'make invoke EVENT=events/purchase.json'" >&2; exit 1; }
	.venv/bin/kochava-forwarder invoke "$(EVENT)" $(ARGS)

status: $(DEV_STAMP) ## show a deployed stack's queues, its last hour and its alarms
	.venv/bin/kochava-forwarder status --stack "$(STACK)" $(ARGS)

logs: $(SAM_STAMP) ## follow a deployed function's log, until Ctrl-C
	$(SAM) logs --stack-name "$(STACK)" --tail $(ARGS)

dlq: $(DEV_STAMP) ## look at dead letters and redrive them: make dlq ARGS="list --stack NAME"
	.venv/bin/kochava-forwarder dlq $(ARGS)

sandbox: install ## for those with Docker: what `sam local` needs beside it, until Ctrl-C
	.venv/bin/kochava-forwarder sandbox --sam-local $(ARGS)

local: install ## for those with Docker: hand a sample to the function in SAM's container: make local EVENT=events/NAME.json
	@test -n "$(EVENT)" || { echo "make local: EVENT is missing: name a sample, as in 'make local EVENT=events/purchase.json'" >&2; exit 1; }
	.venv/bin/python -m forwarder_tools.samlocal.invoke "$(EVENT)" $(ARGS)

bench: install $(PEERS_STAMP) ## measure how fast events go through on this machine
	.venv/bin/python -m tests.benchmarks $(ARGS)

chaos: install ## break things on this machine while events go through, and count them afterwards
	.venv/bin/python -m tests.chaos $(ARGS)

outage: install ## simulate a day without Kochava, over a million events
	.venv/bin/python -m tests.outage $(ARGS)

build: $(SAM_STAMP) ## build the function to deploy (default as in samconfig.toml, else ARCHITECTURE=x86_64), and its sbom
	$(LOCAL_SAM) build $(if $(ARCHITECTURE),--parameter-overrides Architecture=$(ARCHITECTURE))
	@$(MAKE) --no-print-directory sbom

# Beside the package, not in it: a CycloneDX file says when it was made, and so would differ from build to build.
sbom: $(UV_STAMP) ## write what the function is made of, with hashes, as CycloneDX: .aws-sam/sbom.cdx.json
	@mkdir -p "$(dir $(SBOM))"
	$(UV) export --quiet --frozen --offline --preview-features sbom-export --format cyclonedx1.5 --no-dev \
		$(addprefix --no-emit-package=,$(shell grep -v '^\#' src/build/provided.txt)) --output-file "$(SBOM)" >/dev/null

deploy: build ## build and deploy to AWS; what is not given stays as it was (the first time: make deploy APP_ID=your-app-guid)
	$(SAM) deploy --stack-name "$(STACK)" $(if $(APP_ID),$(DEPLOYED)) $(ARGS)

ci: lint test ## what has to pass before a change is merged

clean: ## remove what was built and cached; the environments stay
	rm -rf .aws-sam .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .benchmarks
	find src tests -name __pycache__ -prune -exec rm -rf {} +

lock: $(UV_STAMP) ## lock the dependencies anew after pyproject.toml has changed
	$(UV) lock
	$(UV) lock --project tests/security
	$(UV) export --quiet --frozen --no-dev --no-emit-project --output-file src/requirements.txt

$(UV_STAMP):
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { echo "make: $(PYTHON) is missing or is not Python 3.13: install Python 3.13, or name it, as in 'make install PYTHON=/path/to/python3.13'" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear .tools/uv
	.tools/uv/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@touch $@

$(DEV_STAMP): uv.lock $(UV_STAMP)
	UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --python "$(PYTHON)"
	@touch $@

$(SAM_STAMP): uv.lock $(UV_STAMP)
	UV_PROJECT_ENVIRONMENT=.tools/sam $(UV) sync --quiet --frozen --python "$(PYTHON)" --only-group sam
	@touch $@

$(CLOUD_STAMP): uv.lock $(UV_STAMP)
	UV_PROJECT_ENVIRONMENT=.tools/cloud $(UV) sync --quiet --frozen --python "$(PYTHON)" --only-group cloud
	@touch $@

# Only `bench` needs these, so `install` leaves them out.
$(PEERS_STAMP): uv.lock $(UV_STAMP)
	UV_PROJECT_ENVIRONMENT=.tools/peers $(UV) sync --quiet --frozen --python "$(PYTHON)" --only-group peers
	@touch $@

# These have locks of their own: checkov pins an old boto3.
$(SECURITY_STAMP): tests/security/uv.lock $(UV_STAMP)
	UV_PROJECT_ENVIRONMENT="$(CURDIR)/.tools/security" $(UV) sync --quiet --frozen --python "$(PYTHON)" --project tests/security
	UV_PROJECT_ENVIRONMENT="$(CURDIR)/.tools/secrets" $(UV) sync --quiet --frozen --python "$(PYTHON)" --project tests/security --only-group secrets
	@touch $@

$(GUARD_STAMP): tests/security/package.json tests/security/package-lock.json tests/security/.npmrc
	@mkdir -p .tools/guard
	@cp $^ .tools/guard
	@if ! command -v npm >/dev/null; then \
		echo "make: npm is missing; cfn-guard will not run" >&2; \
	else \
		npm ci --prefix .tools/guard --silent --ignore-scripts --no-audit --no-fund && touch $@; \
	fi

# What publishers have, and only `test` needs: the AWS CLI, and AWS's SDK for Node where there is Node.
$(AWS_STAMP): uv.lock $(UV_STAMP)
	UV_PROJECT_ENVIRONMENT=.tools/aws $(UV) sync --quiet --frozen --python "$(PYTHON)" --only-group aws
	@touch $@

$(NODE_STAMP): tests/e2e/node/package.json tests/e2e/node/package-lock.json tests/e2e/node/publish.js
	@mkdir -p .tools/node
	@cp $^ .tools/node
	@if ! command -v npm >/dev/null; then \
		echo "make: npm is missing; the test of publishing with Node will not run" >&2; \
	elif npm ci --prefix .tools/node --silent --ignore-scripts --no-audit --no-fund; then \
		touch $@; \
	else \
		echo "make: npm could not fetch AWS's SDK; the test of publishing with Node will not run" >&2; \
	fi

# Fills uv's cache with what the builds for both architectures need, so that they work offline from now on.
$(FETCHED_STAMP): src/requirements.txt $(UV_STAMP)
	@for architecture in arm64 x86_64; do \
		$(MAKE) --no-print-directory -f "src/build/$$architecture/Makefile" requirements ARTIFACTS_DIR=.tools/package || exit 1; \
		rm -rf .tools/package; \
	done
	@mkdir -p .tools/package
	@touch $@
