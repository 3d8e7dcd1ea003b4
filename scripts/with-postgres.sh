#!/usr/bin/env bash
# Runs a command against a throw-away PostgreSQL: starts a cluster in a temporary folder on a free loopback port, sets
# SLUICE_TEST_POSTGRES_URL, runs the command, stops and deletes the cluster, and exits with the command's code.
# Installs Debian's postgresql package when no server is found and we are root. PostgreSQL refuses to run as root, so
# the cluster then belongs to an unprivileged user.
#
# The cluster is quick and forgets on a crash; SLUICE_POSTGRES_DURABLE=1 makes it keep what was committed, for
# measurements and for faults. SLUICE_TEST_POSTGRES_RESTART then names a command that restarts it as after a crash.
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: $0 COMMAND [ARGUMENT...]" >&2
    exit 2
fi
if [ -n "${SLUICE_TEST_POSTGRES_URL:-}" ]; then
    exec "$@"
fi

find_binaries() {
    local folder
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -Vr) \
        "$(dirname "$(command -v initdb 2>/dev/null || echo /nowhere/initdb)")" \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ]; then
            echo "$folder"
            return 0
        fi
    done
    return 1
}

if ! binaries=$(find_binaries); then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "with-postgres: no server found, installing the postgresql package" >&2
        apt-get update >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y postgresql >&2
    fi
    binaries=$(find_binaries) || {
        echo "with-postgres: PostgreSQL is not installed; install it (Debian: apt-get install postgresql) or set SLUICE_TEST_POSTGRES_URL" >&2
        exit 1
    }
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/sluice-postgres.XXXXXX")
as_owner() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    owner=postgres
    id "$owner" >/dev/null 2>&1 || owner=nobody
    chown "$owner" "$folder"
    chmod 755 "$folder"
    as_owner() { (cd / && runuser -u "$owner" -- "$@"); }
fi

cleanup() {
    code=$?
    trap - EXIT INT TERM
    as_owner "$binaries/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$folder"
    exit "$code"
}
trap cleanup EXIT INT TERM

as_owner "$binaries/initdb" -D "$folder/data" -U sluice --auth=trust -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 || {
    cat "$folder/initdb.log" >&2
    exit 1
}

durability="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
[ -z "${SLUICE_POSTGRES_DURABLE:-}" ] || durability="-c fsync=on -c synchronous_commit=on -c full_page_writes=on"

# A port may be taken between our choice and the start: try a few.
started=false
for _ in 1 2 3 4 5; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 30000))
    if as_owner "$binaries/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 -o \
        "-c listen_addresses=127.0.0.1 -p $port -k $folder $durability -c max_connections=300 -c log_min_messages=fatal" \
        start >/dev/null 2>&1; then
        started=true
        break
    fi
done
if [ "$started" != true ]; then
    echo "with-postgres: the server did not start" >&2
    cat "$folder/data/server.log" >&2 || true
    exit 1
fi

cat >"$folder/restart" <<RESTART
#!/bin/sh
cd /
exec ${owner:+runuser -u $owner --} "$binaries/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -m immediate -w -t 60 restart
RESTART
chmod 755 "$folder/restart"
export SLUICE_TEST_POSTGRES_RESTART="$folder/restart"
export SLUICE_TEST_POSTGRES_URL="postgres://sluice@127.0.0.1:$port/postgres"
set +e
"$@"
exit $?
