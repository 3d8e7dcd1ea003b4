#!/bin/sh
# Drives the sandbox with pywa, an independent WhatsApp client library: builds the sandbox, makes a Python environment under
# the target directory and runs pytest. Needs cargo and python3 (3.10 or newer, with venv). Arguments go to pytest.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
suite=$root/sandbox/tests/pywa
venv=$target/pywa-venv

command -v python3 >/dev/null || { echo "test-pywa: python3 is missing (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }

cargo build --manifest-path "$root/Cargo.toml" -p sluice-sandbox --example serve

# The stamp is the list itself: a changed list makes a new environment, an unchanged one needs no network.
if ! cmp -s "$suite/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv" || { echo "test-pywa: no venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$suite/requirements.txt"
    cp "$suite/requirements.txt" "$venv/requirements.txt"
fi

cd "$suite"
SANDBOX_SERVE="$target/debug/examples/serve" PYTHONDONTWRITEBYTECODE=1 \
    exec "$venv/bin/python" -m pytest -p no:cacheprovider -q "$@"
