#!/usr/bin/env bash
# Builds the pages into studio/dist, which the program embeds. Does nothing when they are newer than everything that
# they are made of.
set -euo pipefail
cd "$(dirname "$0")/../studio"

if [ -f dist/index.html ] &&
    [ -z "$(find src public index.html vite.config.ts package.json package-lock.json -newer dist/index.html -print -quit)" ]; then
    exit 0
fi
command -v npm >/dev/null 2>&1 || {
    echo "build-studio: Node.js 20.19 or newer with npm is missing; the program works without its pages" >&2
    exit 1
}
# Written by npm when it is done, so it is as old as what is installed.
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund
fi
npm run --silent build
touch dist/index.html
