# make run           builds Plugboard and runs the example host
# make test          everything that must pass: lint, models, build, unit tests, short fuzzing and crash tests, real servers
# make build         builds everything
# make unit-tests    the Swift tests alone
# make lint          formatting and style of the Swift code; the plugin ABI's headers; the XMPP plugin's COVERAGE.md
# make format        rewrites the Swift code the way make lint wants it
# make crash-test    kills the router CRASHES (100) times under load, cuts its power CUTS (30) times: is anything lost?
# make interop       the router against Prosody and ejabberd on loopback addresses
# make fuzz          fuzzes the parsers, each for FUZZ_SECONDS (60)
# make check-oscar   tshark reads one of each message that the AOL plugin writes
# make tsan          the Swift tests under ThreadSanitizer (a build of its own, then about five minutes)
# make bench-federation  speed and processor time of federation, beside Prosody's and ejabberd's (a release build first)
# make bench-hop     processor time and allocations a message between two plugins of one process (a release build first)
# make bench-relay   processor time of passing a line on, beside a bare epoll relay's and an NIO proxy's (the same)
# make bench-spool   messages a second onto the disk, beside SQLite's bare inserts of the same rows (the same)
# make verify-lanes  spin tries all interleavings of the lanes' models, and must find the faults that are built in
# make bench-lanes   what a word costs from thread to thread, beside other queues (a release build first)
# make bench-simulation  virtual seconds that ProviderTestKit plays in a second of processor time (the same)
# make integrator-test  builds and tests the plugin of the article "Write a provider" in a package of its own
# make dependencies  installs the system packages that all this needs, or says how
#
# Debian 12 and Swift 6.3 are what it is made for. SWIFT_FLAGS is handed to swift build and swift test.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

FUZZ_SECONDS ?= 60
FUZZ_SMOKE_SECONDS ?= 5
SWIFT_FLAGS ?=
CRASHES ?= 100
CUTS ?= 30
SEED ?=

swift_code := Sources Plugins Tests Examples Package.swift

.PHONY: run test build unit-tests tsan lint format crash-test crash-smoke interop fuzz fuzz-smoke check-oscar verify-lanes integrator-test
.PHONY: bench-federation bench-hop bench-lanes bench-relay bench-simulation bench-spool dependencies build-dependencies

run: build
	.build/debug/ExampleHost

test: lint verify-lanes build unit-tests fuzz-smoke crash-smoke check-oscar interop

build: build-dependencies
	swift build $(SWIFT_FLAGS)

# One at a time: many tests block a thread until a peer answers, and a small machine has few.
unit-tests: build-dependencies
	swift test --disable-xctest --no-parallel $(SWIFT_FLAGS)

tsan: build-dependencies
	Tests/Support/tsan.sh $(SWIFT_FLAGS)

lint: build-dependencies
	swift format lint --strict --configuration .swift-format --recursive $(swift_code) || \
	    { echo 'make format mends most of this.' >&2; exit 1; }
	Tests/Support/check-headers.sh
	Tests/Support/coverage.py --check

format: build-dependencies
	swift format --in-place --configuration .swift-format --recursive $(swift_code)

crash-test: build
	CRASHES=$(CRASHES) CUTS=$(CUTS) SEED=$(SEED) Tests/CrashTest/run

# The same, in a minute.
crash-smoke: build
	CRASHES=25 CUTS=5 SEED=$(SEED) Tests/CrashTest/run

interop: build
	Tests/Interop/run

check-oscar: build-dependencies
	swift build --build-tests $(SWIFT_FLAGS)
	Tests/OSCARCapture/run $(SWIFT_FLAGS)

fuzz: build-dependencies
	Tests/Support/fuzz.sh $(FUZZ_SECONDS)

# With a seed, so that what it finds comes from the change that is tested, and not from luck: that is what fuzz is for.
fuzz-smoke: build-dependencies
	FUZZ_SEED=1 Tests/Support/fuzz.sh $(FUZZ_SMOKE_SECONDS)

bench-federation: build-dependencies
	for product in plugboard XMPP LoadProvider; do \
	    PLUGBOARD_BENCH=1 swift build --configuration release --scratch-path .build-bench --product $$product $(SWIFT_FLAGS); \
	done
	Tests/Benchmarks/Federation/run

bench-spool: build-dependencies
	PLUGBOARD_BENCH=1 swift build --configuration release --scratch-path .build-bench --product SpoolBenchmark $(SWIFT_FLAGS)
	.build-bench/release/SpoolBenchmark

bench-hop: build-dependencies
	PLUGBOARD_BENCH=1 swift build --configuration release --scratch-path .build-bench --product HopBenchmark $(SWIFT_FLAGS)
	.build-bench/release/HopBenchmark

bench-relay: build-dependencies
	for product in plugboard NIOProxy; do \
	    PLUGBOARD_BENCH=1 swift build --configuration release --scratch-path .build-bench --product $$product $(SWIFT_FLAGS); \
	done
	Tests/Benchmarks/Relay/run

bench-lanes: build-dependencies
	Tests/Support/install-packages.sh bench-lanes
	Tests/Benchmarks/Lanes/build-crossbeam .build-bench/lane-peers
	PLUGBOARD_BENCH=1 swift build --configuration release --scratch-path .build-bench --product LaneBenchmark $(SWIFT_FLAGS)
	.build-bench/release/LaneBenchmark

verify-lanes:
	@Tests/Support/install-packages.sh verify-lanes
	Tests/Model/Lanes/verify

bench-simulation: build-dependencies
	PLUGBOARD_BENCH=1 swift build --configuration release --scratch-path .build-bench --product SimulationBenchmark $(SWIFT_FLAGS)
	.build-bench/release/SimulationBenchmark

integrator-test: build-dependencies
	Tests/Integrator/run

dependencies:
	Tests/Support/install-packages.sh build verify-lanes crash oscar-capture interop

build-dependencies:
	@Tests/Support/install-packages.sh build
