# Everything that a checkout needs: `make` lists it. Only python3 (3.11 or later, with venv) and make must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Runs a command with a Node.js that jsii supports, and with .venv, first on PATH.
RUN := $(BIN)/python runtime_layer/shielded_function_emulator/node_program.py
# The tests wait more than they compute: on two cores, four at a time.
PYTEST_ARGS ?= -n 4
# All C but the generated table.
C_FILES = $(filter-out %/aws_table.h,$(wildcard runtime_layer/native/*/*.[ch] runtime_layer/native/*/*/*.[ch] runtime_layer/native/*/*/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch] tests/*/*/*/*.[ch] benchmarks/*.[ch] benchmarks/*/*.[ch]))

# What Python compiled is kept: without it each of the programs that tests start would compile the CDK again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup native runtimes demo test lonely attempts test-long test-aws cases conformance workloads fuzz proofs lab test-libcs test-kernel arm64 test-arm64 bench bench-check bench-peers bench-runtimes bench-synth bench-lines visits lint format docs docs-count docs-serve wheel constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed node_modules/.installed .tools/.installed ## make .venv and fetch every tool

$(VENV)/.installed: pyproject.toml constraints.txt hatch_build.py
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing: install Python 3.11 or later"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is too old: install Python 3.11 or later, or set PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) has no venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || { echo "setup: $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "setup: the package and its development tools (some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[dev]'
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	@echo "setup: the CDK command line"
	@$(RUN) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.tools/.installed: runtime_layer/shielded_function_emulator/interface_emulator.py $(VENV)/.installed
	@echo "setup: the Lambda runtime interface emulator"
	@$(BIN)/python -m shielded_function_emulator.interface_emulator .tools
	@touch $@

native: setup ## compile the C for every platform
	@$(BIN)/python -m shielded_function_runtime.build

runtimes: setup ## fetch what the tests run besides Python: runtimes, JDK, servers (minutes the first time; no root needed)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m harness.needs

demo: native ## attack one function, unshielded and shielded, in an emulated Lambda
	@$(RUN) $(BIN)/shielded-function demo

# What has a target of its own: the rounds in full, aarch64, and other kernels.
test: native runtimes ## run the tests but for the long rounds, aarch64 and other kernels (PYTEST_ARGS=... replaces -n 4)
	@$(RUN) $(BIN)/pytest $(PYTEST_ARGS) -m 'not long and not arm64' --ignore tests/lab/arm64 --ignore tests/lab/kernels

lonely: setup ## list the tests that name no promise, and promises without a test
	@PYTHONPATH=tests $(BIN)/python -m integration.docs.promises

attempts: setup ## list the tests that try to break each promise
	@cd tests && ../$(BIN)/python -m integration.docs.matrix

LONG_TESTS ?= tests
test-long: native runtimes ## run in full what `make test` tries in small: versions, modes, races, properties, AWS's hosts, deployments against moto, the wheel
	@RACE_SECONDS=3 $(RUN) $(BIN)/pytest $(PYTEST_ARGS) -m 'long or race or hypothesis' --hypothesis-profile long $(LONG_TESTS)

test-aws: native ## deploy to your AWS account, attack, read alarms, delete (AWS_ARGS=...; needs credentials; minutes)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.aws.run $(AWS_ARGS)

cases: native ## try every way around the policies, in every mode (CASES_ARGS=...; some minutes)
	@$(RUN) $(BIN)/pytest $(PYTEST_ARGS) -m 'long or not long' tests/security/cases $(CASES_ARGS)

conformance: native ## run other people's tests with and without the shield (CONFORMANCE_ARGS='--suite node'; half an hour)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.conformance.run $(CONFORMANCE_ARGS)

workloads: native runtimes ## run popular libraries unshielded and shielded, for docs/guide/runtimes.md (WORKLOADS_ARGS='--language Java poi'; half an hour)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.workloads.run $(WORKLOADS_ARGS)

fuzz: native ## a bounded round of fuzzing (FUZZ_ARGS=...; needs Debian's clang, libclang-rt-14-dev, binutils)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.fuzz.run $(FUZZ_ARGS)

proofs: setup ## prove the core's parsers and policy_tighten for every small input, with CBMC (fetched by apt; PROOFS_ARGS=...; minutes)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.proofs.run $(PROOFS_ARGS)

LAB = $(addprefix tests/lab/,cdk deployed dotnet frames presets refused_calls ruby)
lab: conformance workloads fuzz proofs test-libcs test-kernel test-arm64 ## tests/lab in full, with Python's suite (hours)
	@$(RUN) $(BIN)/pytest $(PYTEST_ARGS) -m 'long or not long' $(LAB)

test-libcs: native ## run the engine on glibc of Debian 11, 12, 13 and on musl (fetched by apt; LIBC_ROOT=FOLDER: on one more)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.libcs.fetch
	@$(RUN) $(BIN)/pytest $(PYTEST_ARGS) tests/lab/libcs

# What a round's name stands for is in tests/lab/kernels/rounds.py; paths of tests are understood as well.
KERNELS ?= 5.10 6.1
KERNEL_TESTS ?= demo refusals cases
test-kernel: native ## run the demo, the refusals and the cases on Debian's older kernels, in qemu (KERNELS=5.10 KERNEL_TESTS='demo all-cases tests/...')
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.kernels.fetch
	@$(RUN) $(BIN)/pytest -q tests/lab/kernels
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.kernels.run $(KERNELS:%=--kernel %) $(KERNEL_TESTS)

arm64: setup ## fetch qemu and Debian's, Python's, Node.js's and Java's files for aarch64 (by apt and pip)
	@PYTHONPATH=tests $(RUN) $(BIN)/python -m lab.arm64.fetch

# The engine's suites, each in an emulated sandbox that is an aarch64 machine; the runtimes; every C library. The cases
# can be tried too (ARM64_TESTS=tests/security/cases), but nobody has looked at what qemu makes of each of them.
ARM64_TESTS ?= tests/lab/arm64 tests/lab/frames tests/lab/libcs/test_arm64.py tests/lab/libcs/test_sites.py \
  tests/integration/engine tests/integration/from_code/test_python.py::test_nothing_gets_looser \
  tests/security/test_evasion.py tests/security/test_threat_model.py \
  tests/integration/launcher/test_doctor.py::test_the_aarch64_program_under_qemu
test-arm64: native arm64 ## run the suites on aarch64, under qemu-user (needs Linux 6.7 for a binfmt_misc of its own)
	@RACE_SECONDS=3 EMULATED_LAMBDA_MACHINE=aarch64 $(RUN) $(BIN)/pytest $(PYTEST_ARGS) $(ARM64_TESTS)

bench: native ## measure what the shield costs (BENCH_ARGS=...)
	@$(RUN) $(BIN)/python benchmarks/bench.py $(BENCH_ARGS)

bench-check: native ## compare the rows of calls with benchmarks/recorded.json (BENCH_ARGS=--record writes it; half a minute)
	@$(RUN) $(BIN)/python benchmarks/check.py $(BENCH_ARGS)

visits: native ## count the functions of the engine that a denied connect enters
	@$(BIN)/python benchmarks/visits.py $(BENCH_ARGS)

bench-peers: native ## measure the shield beside what else there is, and write benchmarks/README.md (BENCH_ARGS=...; minutes)
	@$(RUN) $(BIN)/python benchmarks/bench_peers.py $(BENCH_ARGS)

bench-synth: setup ## measure what the shield adds to a synthesis of 200 functions (BENCH_ARGS=...; some minutes)
	@$(RUN) $(BIN)/python benchmarks/synth.py $(BENCH_ARGS)

bench-lines: setup ## measure the simulated CloudWatch, and learn, on a million log lines (BENCH_ARGS=...; minutes)
	@$(BIN)/python benchmarks/lines.py $(BENCH_ARGS)

bench-runtimes: native runtimes ## measure starts and invocations of each runtime (BENCH_ARGS=...; a quarter of an hour)
	@$(RUN) $(BIN)/python benchmarks/runtimes.py $(BENCH_ARGS)

# The types of the whole CDK do not fit pyright's memory at once.
lint: native ## ruff, pyright, clang-format, the AWS tables, telltale words (the C is compiled with -Wall -Wextra -Werror)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(RUN) $(BIN)/pyright constructs monitoring runtime_layer benchmarks docs conftest.py hatch_build.py
	@$(RUN) $(BIN)/pyright examples
	@$(RUN) $(BIN)/pyright tests/unit
	@$(RUN) $(BIN)/pyright tests/harness tests/integration tests/lab tests/runtimes tests/security
	@$(BIN)/clang-format --dry-run --Werror $(C_FILES)
	@$(BIN)/python -m shielded_function_runtime.build.aws_table --check
	@$(BIN)/python -m shielded_function_runtime.build.aws_actions --check
	@$(BIN)/python benchmarks/cost_and_scale.py --check
	@$(BIN)/python docs/words.py

format: setup ## let ruff and clang-format have their way
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/clang-format -i $(C_FILES)

# The notice that this hides is answered in mkdocs.yml.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
MKDOCS := NO_MKDOCS_2_WARNING=1 SITE_COPYRIGHT="shielded-function $(VERSION), Apache-2.0" $(BIN)/mkdocs
docs: setup ## build the docs site into site/, and check every link
	@$(BIN)/python docs/stage_site.py .site
	@$(MKDOCS) build --strict --quiet
	@echo "site/index.html"

docs-count: ## the pages' sources and words by folder
	@$(BIN)/python docs/words.py --count

docs-serve: docs ## show the docs site at http://127.0.0.1:8000
	@$(MKDOCS) serve

# What pyproject.toml's build-system requires, and no more: neither .venv nor Node.js.
WHEEL := .tools/wheel
wheel: ## build the wheel and the sdist into dist/ (one to five minutes, 500 MB the first time)
	@echo "wheel: fetching hatchling and zig (100 MB), unless they are there"
	@test -x $(WHEEL)/bin/python || $(PYTHON) -m venv $(WHEEL)
	@$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(WHEEL)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --requirement /dev/stdin
	@echo "wheel: compiling the C for every platform (a minute or more the first time)"
	@$(WHEEL)/bin/python -m hatchling build -d dist

constraints: setup ## resolve every package anew, for constraints.txt (uv, by pip)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@{ head -n 1 constraints.txt; $(BIN)/uv pip compile pyproject.toml --quiet --extra dev --universal --python-version 3.11 \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links; } > .constraints && mv .constraints constraints.txt

clean: ## remove what builds and runs made (.venv, node_modules and .tools stay)
	@rm -rf dist site .site .zig-cache runtime_layer/shielded_function_runtime/binaries benchmarks/latest.json benchmarks/peers.json benchmarks/runtimes.json
	@rm -rf .pytest_cache .ruff_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -path ./node_modules -prune -o \
	  -type d \( -name __pycache__ -o -name cdk.out \) -print0 | xargs -0 rm -rf
