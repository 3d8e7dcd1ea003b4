#!/usr/bin/env bash
# Makes sure that everything `make test` needs is there. Installs what it may: cargo-nextest through cargo; Debian
# packages as root or through a sudo that asks nothing. Names everything else that is missing, all at once, and fails.
set -euo pipefail

nextest_version=0.9.151
missing=()

have() { command -v "$1" >/dev/null 2>&1; }

# Installs Debian packages if we may. What is still absent afterwards is named by the caller.
apt_install() {
    local become=()
    have apt-get || return 1
    if [ "$(id -u)" -ne 0 ]; then
        have sudo && sudo -n true 2>/dev/null || return 1
        become=(sudo -n)
    fi
    echo "ensure-tools: installing $*"
    "${become[@]}" apt-get update -qq >&2 &&
        "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# need CHECK PACKAGES WHAT: runs the check, else installs the packages and checks again.
need() {
    local check=$1 packages=$2 what=$3
    $check && return 0
    # The list of packages is meant to be split.
    # shellcheck disable=SC2086
    apt_install $packages && $check && return 0
    missing+=("$what (Debian: apt-get install $packages)")
}

has_cc() { have cc; }
has_python() {
    have python3 && python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}
has_postgres() {
    [ -n "${SLUICE_TEST_POSTGRES_URL:-}" ] || have initdb ||
        ls /usr/lib/postgresql/*/bin/initdb /opt/homebrew/opt/postgresql*/bin/initdb \
            /usr/local/opt/postgresql*/bin/initdb >/dev/null 2>&1
}

has_node() {
    have npm && have node && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}
has_chromium() { [ -x "${SLUICE_CHROMIUM:-/usr/bin/chromium}" ]; }

need has_cc "build-essential" "a C compiler, for SQLite and AWS-LC"
need has_python "python3 python3-venv" "Python 3.10 or newer with venv, for the tests with pywa"
need has_postgres "postgresql" "PostgreSQL, or a server of yours in SLUICE_TEST_POSTGRES_URL"
need has_node "nodejs npm" "Node.js 20.19 or newer with npm, for the studio"
need has_chromium "chromium" "Chromium, for the tests of the studio, or the path of yours in SLUICE_CHROMIUM"

if ! have cargo; then
    missing+=("Rust (https://rustup.rs)")
else
    for component in fmt clippy; do
        if ! cargo "$component" --version >/dev/null 2>&1; then
            { have rustup && rustup component add "${component/fmt/rustfmt}"; } ||
                missing+=("cargo $component (rustup component add ${component/fmt/rustfmt})")
        fi
    done
    if ! cargo nextest --version >/dev/null 2>&1; then
        echo "ensure-tools: installing cargo-nextest $nextest_version"
        cargo install cargo-nextest --locked --version "$nextest_version" ||
            missing+=("cargo-nextest (cargo install cargo-nextest --locked --version $nextest_version)")
    fi
fi

if [ ${#missing[@]} -gt 0 ]; then
    echo "ensure-tools: missing:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
fi
