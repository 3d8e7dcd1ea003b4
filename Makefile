# The house's front door. Everything here is a plain command that can be run by hand as well.

CARGO ?= cargo

.PHONY: help run test bench fmt lint

help:
	@echo "make run     build in release and start the demo (ARGS=\"--listen 127.0.0.1:9000\" and so on)"
	@echo "make test    everything that CI runs: format, lints, all tests on both databases"
	@echo "make bench   the benchmarks"
	@echo "make fmt     format the code"
	@echo "make lint    format check and lints only"

# The service, the sandbox and a demo workspace; prints how to write as the customer.
run:
	$(CARGO) run --release --package sluice-runner --bin sluice -- demo $(ARGS)

test:
	scripts/ensure-tools.sh
	scripts/test.sh

bench:
	$(CARGO) bench --package sluice-engine --package sluice-runner --bench core --bench expr --bench items

fmt:
	$(CARGO) fmt --all

lint:
	scripts/test.sh format lint
