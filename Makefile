# The tasks of the project. `make` alone lists them.

.PHONY: help setup check test test-mpi soak fuzz wasm component test-embed web e2e e2e-bundlers test-wasm parity bench bench-peer bench-web bench-worlds bench-sizes soak-web train model people student imitator fixtures docs picture release

# What is shipped says under which terms, and which sources made it.
origin = --licence "MIT OR Apache-2.0" --commit "$$(git rev-parse HEAD)"

help:
	@echo "make setup      what a fresh machine needs to build and test all of it; quick when it is there"
	@echo "make check      formatting and lints"
	@echo "make test       all tests, as CI runs them"
	@echo "make soak       trains, kills, resumes and compares for MINUTES=60"
	@echo "make fuzz       altered inputs for everything that reads from outside (MINUTES=10)"
	@echo "make wasm       the npm package archer-web, in pkg/dist: both modules, the scripts, the model"
	@echo "make component  the WebAssembly component archer.wasm, in crates/component/dist"
	@echo "make test-embed the component in Python, Node, C and Rust"
	@echo "make web        the page, in web/dist: plain static files"
	@echo "make test-wasm  the core in headless Chromium, on the CPU and on WebGPU"
	@echo "make e2e        the page in headless Chromium"
	@echo "make e2e-bundlers  the package in every bundler of examples/web, built and run in headless Chromium"
	@echo "make parity     the reference's numbers beside ours"
	@echo "make bench      how fast the parts are, and archer bench"
	@echo "make bench-peer archer bench and PyTorch in turns, and the ratios (MODEL=DIR for the iterations)"
	@echo "make bench-web  how fast the browser computes, beside the terminal"
	@echo "make bench-worlds  how fast the playground's worlds are learned and played in a browser"
	@echo "make bench-sizes  what an agent of each size costs"
	@echo "make soak-web   whether a page grows over 600 loads and 1,000 games"
	@echo "make train      the quickstart: minutes on two cores"
	@echo "make model      trains the quickstart and puts it into the package"
	@echo "make people     trains the agent of models/twenty-questions: an hour or two on two cores"
	@echo "make student    distils it into a file for a page, target/student.archer"
	@echo "make imitator   the quickstart's warm start, from which the page learns"
	@echo "make fixtures   the small model of the browser's tests"
	@echo "make docs       the pages of docs/ and the package's interface as a site, in target/docs"
	@echo "make picture    the moving picture of the page, docs/images/page.webp"
	@echo "make release VERSION=x.y.z  all that a release uploads, in target/release-VERSION (MODE=--check: only the checks)"

setup:
	scripts/setup

check:
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings

test:
	.ci/run

test-mpi:
	scripts/test-mpi

soak:
	cargo build --release
	scripts/soak --minutes $(or $(MINUTES),60)

fuzz:
	cargo run --release --package archer-fuzz -- --minutes $(or $(MINUTES),10)

wasm:
	scripts/setup --build
	cd pkg && npm run build && npm run size

component:
	scripts/setup --build
	cd crates/component && npm run build

test-embed: component
	scripts/setup
	scripts/test-embed --rust

web: wasm
	scripts/setup
	cd web && npm run build

test-wasm:
	scripts/setup
	scripts/test-wasm

e2e: web
	cd tests/browser && npm test

# Only these: make e2e-bundlers ONLY="vite next".
e2e-bundlers: wasm
	scripts/setup
	node scripts/e2e-bundlers.js $(ONLY)

parity:
	cargo run --release -- parity --fixtures tests/parity
	cargo run --release -- parity --fixtures tests/parity-lm

bench:
	cargo bench -p archer-games
	cargo bench -p archer --bench pure
	cargo run --release -- bench

# Wants torch, transformers, tokenizers and safetensors for this Python.
PYTHON ?= python3
bench-peer:
	cargo build --release
	$(PYTHON) bench/compare.py --archer target/release/archer $(if $(MODEL),--model $(MODEL))

bench-web: wasm
	node tests/wasm/bench/run.js

bench-worlds:
	node tests/wasm/bench/worlds.js

bench-sizes:
	node tests/wasm/bench/sizes.js

soak-web:
	node tests/wasm/bench/soak.js

train:
	cargo run --release

model:
	rm -rf target/quickstart
	cargo run --release -- train --preset quickstart --seed 1 --out target/quickstart
	cargo run --release -- export --model target/quickstart --out pkg/models/quickstart.archer --force $(origin)

# The agent of models/twenty-questions, in an hour or two; its run stays in target/people.
people:
	rm -rf target/people
	cargo run --release -- train --preset people --seed 1 --out target/people
	rm -rf models/twenty-questions
	cargo run --release -- export --model target/people --folder --out models/twenty-questions $(origin)

# Of the run that make people leaves. The student in the package is one of the agent at commit 8613066 (docs/results.md).
student:
	rm -rf target/student
	cargo run --release -- distill --teacher target/people --set iterations=200 --seed 1 --out target/student --final-games 2000
	cargo run --release -- export --model target/student --precision q8 --check 1000 --out target/student.archer --force $(origin)

# What a visitor sees learn from the beginning: the quickstart's warm start, which has imitated and not learned.
imitator:
	rm -rf target/imitator
	cargo run --release -- train --preset quickstart --set iterations=0 --seed 1 --out target/imitator
	cargo run --release -- export --model target/imitator --precision q8 --check 400 --out web/models/imitator.archer --force $(origin)

docs:
	scripts/docs

# Wants img2webp: Debian's package webp.
picture: web
	node scripts/picture.js

# Uploads nothing. MODE=--check ends after the checks.
release:
	scripts/release $(VERSION) $(MODE)

fixtures:
	rm -rf target/bandit
	cargo run --release -- train --config tests/wasm/bandit.toml --seed 1 --out target/bandit --final-games 0
	cargo run --release -- export --model target/bandit --out tests/wasm/bandit.archer --force $(origin)
	rm -rf target/language
	cargo run --release -- train --config tests/wasm/language.toml --seed 1 --out target/language --final-games 0
	cargo run --release -- export --model target/language --out tests/wasm/language.archer --force $(origin)
