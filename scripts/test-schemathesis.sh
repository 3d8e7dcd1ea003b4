#!/bin/sh
# Tries the API by its OpenAPI document with schemathesis, against the program in the target directory. Makes a Python
# environment under the target directory; needs python3 (3.10 or newer, with venv). Arguments go to schemathesis.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
suite=$root/api/tests/schemathesis
venv=$target/schemathesis-venv

command -v python3 >/dev/null || { echo "test-schemathesis: python3 is missing (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }

# The stamp is the list itself: a changed list makes a new environment, an unchanged one needs no network.
if ! cmp -s "$suite/requirements.txt" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv" || { echo "test-schemathesis: no venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$suite/requirements.txt"
    cp "$suite/requirements.txt" "$venv/requirements.txt"
fi

# What it writes down about a run is not for the repository.
cd "$target"
[ $# -gt 0 ] || set -- --max-examples 5
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" "$suite/run.py" "${SLUICE_BIN:-$target/debug/sluice}" \
    "$venv/bin/schemathesis" "$@"
