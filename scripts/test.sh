#!/usr/bin/env bash
# Everything that CI runs, in order from quick to slow. A step that fails does not hide the later ones; the last line
# adds all of them up, and the exit code is 0 only when nothing failed. `scripts/test.sh STEP…` runs only these.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

mkdir -p "${CARGO_TARGET_DIR:-target}/test-logs"
# Absolute, because some steps work in another folder.
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
export CARGO_TARGET_DIR=$target
logs=$target/test-logs
export RUST_BACKTRACE=${RUST_BACKTRACE:-1}

passed=0
failed=0
broken=()
skipped=()
wanted=("$@")

# Adds the "N passed" and "N failed" of a step's summary lines (nextest, doctests, `sluice test`, pytest, vitest) into two
# numbers. Other lines of a step may hold such words, so only summaries count.
count() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
        /^ *Summary \[/ || /^test result:/ || /^[0-9]+ passed, [0-9]+ failed$/ || /^[0-9]+ (passed|failed).* in [0-9.]+s/ || /^ *Tests +[0-9]/ {
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) good += $(i - 1)
                if ($i ~ /^failed/) bad += $(i - 1)
            }
        }
        END { print good + 0, bad + 0 }'
}

step() {
    local name=$1 good bad code began=$SECONDS
    shift
    if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $name "* ]]; then
        return
    fi
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" 2>&1 | tee "$logs/$name.log"
    code=${PIPESTATUS[0]}
    read -r good bad < <(count "$logs/$name.log")
    if [ "$code" -ne 0 ]; then
        broken+=("$name")
        # A step without counted failures (a lint, a build) is one failure itself.
        [ "$bad" -gt 0 ] || bad=1
    elif [ "$good" -eq 0 ]; then
        good=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    printf -- '-- %s: %s after %d s\n' "$name" "$([ "$code" -eq 0 ] && echo ok || echo FAILED)" $((SECONDS - began))
}

# The program as the step `build` left it.
sluice() { "$target/debug/sluice" "$@"; }

step format cargo fmt --all --check
step lint cargo clippy --workspace --all-targets --locked -- -D warnings
# The whole workspace at once, here and below: parts of it would be built again with other features.
step build cargo test --workspace --no-run --locked
step tests scripts/with-postgres.sh cargo nextest run --workspace --locked
step doctests cargo test --workspace --doc --locked
step validate sluice validate templates examples/workflows
step documents sluice test templates examples/workflows
step pywa scripts/test-pywa.sh
step schemathesis scripts/test-schemathesis.sh
step studio scripts/test-studio.sh
if cargo deny --version >/dev/null 2>&1; then
    step deny cargo deny check bans licenses sources
elif [ ${#wanted[@]} -eq 0 ]; then
    skipped+=("deny: licences, bans and sources were not checked; cargo install cargo-deny --locked")
fi

printf '\n'
[ ${#skipped[@]} -eq 0 ] || printf 'skipped %s\n' "${skipped[@]}"
[ ${#broken[@]} -eq 0 ] || printf 'failed steps: %s (logs in %s)\n' "${broken[*]}" "$logs"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
