# The two commands, and those a developer uses. Needs a Debian 12 with git and make: everything else is
# installed by the first target that needs it (deploy/packages.txt lists what).

SHELL := /bin/bash
PRESET ?= dev
JOBS ?= $(shell nproc)
# make demo SECONDS=10 ends by itself. (bash's own SECONDS is another thing: it is never exported.)
DEMO_SECONDS := $(if $(filter command line,$(origin SECONDS)),$(SECONDS),0)
export PATH := $(PATH):/usr/sbin

.PHONY: help demo test build packages images containers fuzz asan tsan bench lint tidy format clean

help:
	@echo 'make demo             four PBXs (simulated), NATS and the gateway; calls happen, and you watch'
	@echo 'make demo SECONDS=10  the same, ending by itself; status 0 if calls were seen at each'
	@echo 'make test             builds everything and runs every test'
	@echo 'make asan | tsan      the same tests with sanitizers'
	@echo 'make fuzz             every fuzz target, 60 s each (FUZZ_SECONDS=…)'
	@echo 'make bench            what an event and a command cost, beside a floor measured in the same run'
	@echo 'make images           the four container images; make containers: really runs them, compose and Kubernetes manifests'
	@echo 'make lint | format    layers, clang-format, buf'
	@echo 'make tidy              clang-tidy over our code; takes long'

packages:
	@scripts/install_packages.sh

build: packages
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build --preset $(PRESET) -j $(JOBS)

# What the demo runs, and not the tests beside it. The same build as `make test`.
demo: packages
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@echo 'building the gateway (some minutes the first time)'
	@cmake --build --preset $(PRESET) -j $(JOBS) --target connector control simulator pbxctl
	@scripts/demo.sh build/$(PRESET) $(DEMO_SECONDS)

test: build tests/integration/node/node_modules tests/monitoring/node_modules
	@ctest --preset $(PRESET) -j $(JOBS)

asan tsan: packages tests/integration/node/node_modules tests/monitoring/node_modules
	@$(MAKE) --no-print-directory test PRESET=$@

tests/integration/node/node_modules: tests/integration/node/package-lock.json | packages
	@echo 'installing the independent NATS and gRPC clients of the integration tests'
	@cd tests/integration/node && npm install --no-save --silent --no-fund --no-audit && touch node_modules

tests/monitoring/node_modules: tests/monitoring/package-lock.json | packages
	@echo "installing the grammar of PromQL and Grafana's schema, for the checks of alerts and dashboard"
	@cd tests/monitoring && npm install --no-save --silent --no-fund --no-audit && touch node_modules

fuzz: packages
	@cmake --preset fuzz --log-level=WARNING >/dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@scripts/fuzz.sh build/fuzz

images:
	@scripts/images.sh

containers:
	@tests/containers/run.sh

bench: packages
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release -j $(JOBS) --target connector control simulator bench_targets
	@bench/run.sh build/release

lint: packages
	@scripts/lint.sh

# The release preset: clang cannot read what gcc has precompiled in the others.
tidy: packages
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release -j $(JOBS) --target proto_services
	@run-clang-tidy-14 -quiet -p build/release $(or $(FILES),'/(libs|services)/.*\.cc$$')

format:
	@git ls-files '*.h' '*.cc' | xargs clang-format-14 -i

clean:
	@rm -rf build .demo
