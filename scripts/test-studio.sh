#!/usr/bin/env bash
# Everything about the studio: its types against the API document, checks, unit tests, build, browser tests against the
# real program (SLUICE_BIN, else target/debug/sluice). What has not changed is not installed or built again.
# `scripts/test-studio.sh quick` leaves the browser out; SLUICE_SCREENSHOTS=1 leaves pictures of every page in
# docs/screenshots.
set -euo pipefail
cd "$(dirname "$0")/../studio"

# Written by npm when it is done, so it is as old as what is installed.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund
fi

echo "== types: src/api/schema.d.ts is made from api/openapi.json"
before=$(sha256sum src/api/schema.d.ts)
if [ ../api/openapi.json -nt node_modules/.types ] || [ src/api/schema.d.ts -nt node_modules/.types ]; then
    kept=$(mktemp)
    cp src/api/schema.d.ts "$kept"
    npm run --silent types >/dev/null
    if [ "$(sha256sum src/api/schema.d.ts)" != "$before" ]; then
        diff -u "$kept" src/api/schema.d.ts | head -40 || true
        cp "$kept" src/api/schema.d.ts
        rm -f "$kept"
        echo "src/api/schema.d.ts is not what api/openapi.json says: run \`npm run types\` in studio/." >&2
        exit 1
    fi
    rm -f "$kept"
    touch node_modules/.types
fi

echo "== no node is named in the code"
if grep -rnE "[\"'\`](whatsapp|flow|trigger|data|http|contact)\.[a-z_]+" src --include=*.ts --include=*.tsx |
    grep -vE '\.test\.tsx?:|src/api/schema\.d\.ts:'; then
    echo "Nodes come from the catalogue; code of the studio must not know one by name." >&2
    exit 1
fi

echo "== check: types, lints, formatting"
npm run --silent check

echo "== unit tests"
npx vitest run

echo "== build"
../scripts/build-studio.sh

if [ "${1:-}" != quick ]; then
    echo "== browser tests"
    npx vitest run --config e2e/vitest.config.ts
fi
