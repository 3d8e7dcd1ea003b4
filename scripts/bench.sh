#!/usr/bin/env bash
# Measures the release program end to end, on SQLite and on a throw-away PostgreSQL that keeps what it commits, and the
# machine's own limits in the same run. Arguments go to `sluice-load bench`; the table goes to standard output, and as
# JSON to bench.json in the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
${CARGO:-cargo} build --release --package sluice-runner --package sluice-load --bins

SLUICE_POSTGRES_DURABLE=1 exec scripts/with-postgres.sh \
    "$target/release/sluice-load" --binary "$target/release/sluice" bench --json "$target/bench.json" "$@"
