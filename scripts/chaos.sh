#!/usr/bin/env bash
# Kills and breaks the release program under load and reconciles what clients, store and providers saw. Without
# arguments: 20 kills on SQLite, then 10 with several processes on a throw-away PostgreSQL. With arguments: one run of
# `sluice-load chaos` with them, in which `--database postgres` means the throw-away PostgreSQL.
# As root, libfaketime is installed for the jumps of the clock; without it they are left out, and the run says so.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
${CARGO:-cargo} build --release --package sluice-runner --package sluice-load --bins

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && ! ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends faketime >&2 ||
        echo "chaos: libfaketime could not be installed" >&2
fi

load=("$target/release/sluice-load" --binary "$target/release/sluice" chaos)
# The word is replaced inside, where the address is known.
on_postgres() {
    SLUICE_POSTGRES_DURABLE=1 scripts/with-postgres.sh bash -c \
        'exec "${@/#postgres/$SLUICE_TEST_POSTGRES_URL}"' chaos "${load[@]}" "$@"
}

if [ $# -eq 0 ]; then
    code=0
    "${load[@]}" --kills 20 --seconds 30 || code=1
    on_postgres --database postgres --kills 10 --seconds 30 || code=1
    exit "$code"
fi
case " $* " in
*" --database postgres "*) on_postgres "$@" ;;
*) "${load[@]}" "$@" ;;
esac
