# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# Sourced by the scripts beside it: runs the tool and compares what it printed.
set -u
xinv=${XINV:?the tool under test}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

complain() {
    echo "$name: $*" >&2
    failures=$((failures + 1))
}

# expect NAME STATUS ERROR -- ARGUMENT...: the exit status, and all of stderr
expect() {
    name=$1 status=$2 error=$3
    shift 4
    "$xinv" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    [ "$got" -eq "$status" ] || complain "exit status $got, expected $status"
    [ "$(cat "$work/err")" = "$error" ] ||
        complain "stderr '$(cat "$work/err")', expected '$error'"
}

# has PATTERN: a line of the last output matches
has() {
    grep -q -e "$1" "$work/out" || {
        complain "no line matches '$1' in:"
        head -n 20 "$work/out" >&2
    }
}

empty() {
    [ ! -s "$work/out" ] || complain "something was printed: $(head -n 1 "$work/out")"
}

finish() {
    [ "$failures" -eq 0 ] || exit 1
}
