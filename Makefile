# The tasks of the project. `make` alone lists them.

.PHONY: help setup check test parity bench train

help:
	@echo "make setup   components that the checks use (rustfmt, clippy)"
	@echo "make check   formatting and lints"
	@echo "make test    all tests, as CI runs them"
	@echo "make parity  the reference's numbers beside ours"
	@echo "make bench   how fast the worlds answer"
	@echo "make train   the quickstart: minutes on two cores"

setup:
	rustup component add rustfmt clippy

check:
	cargo fmt --all --check
	cargo clippy --release --workspace --all-targets -- -D warnings

test:
	cargo test --release --workspace

parity:
	cargo run --release -- parity --fixtures tests/parity

bench:
	cargo bench -p archer-env

train:
	cargo run --release
