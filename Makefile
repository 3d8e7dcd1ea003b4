# The house's front door. Everything here is a plain command that can be run by hand as well.

CARGO ?= cargo

.PHONY: help run studio test bench chaos fmt lint

help:
	@echo "make run     build in release and start the demo (ARGS=\"--listen 127.0.0.1:9000\" and so on)"
	@echo "make studio  build the pages (needs Node.js); \`make run\` does it by itself"
	@echo "make test    everything that CI runs: format, lints, all tests on both databases"
	@echo "make bench   the benchmarks, end to end and of single parts (ARGS=\"--seconds 5 --only five,overload\")"
	@echo "make chaos   the program under load while it is killed and its surroundings break (ARGS=\"--kills 100\")"
	@echo "make fmt     format the code"
	@echo "make lint    format check and lints only"

# The service, the sandbox and a demo workspace; prints how to write as the customer.
run: studio
	$(CARGO) run --release --package sluice-runner --bin sluice -- demo $(ARGS)

# Left as it is when nothing that it is made of is newer.
studio:
	scripts/build-studio.sh

test:
	scripts/ensure-tools.sh
	scripts/test.sh

# The end-to-end part alone: scripts/bench.sh.
bench:
	scripts/bench.sh $(ARGS)
	$(CARGO) bench --package sluice-engine --package sluice-runner --bench core --bench expr --bench items --bench store

# Without ARGS a short run on SQLite and one with several processes on PostgreSQL, about two minutes.
chaos:
	scripts/chaos.sh $(ARGS)

fmt:
	$(CARGO) fmt --all

lint:
	scripts/test.sh format lint
