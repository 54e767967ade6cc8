#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Counts the instructions of a request in batches of 16 and of 4096, merged and apart, on each
# vendor, and checks that the larger batch does not make it dearer: searches in trees take a few
# steps more, and nothing else grows.
set -eu

limit=125 # percent
program=${1:?usage: check-batch-cost.sh PROGRAM}
if ! command -v valgrind >/dev/null; then
    echo "check-batch-cost: valgrind is not installed"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The most instructions of a request in a batch of that many, over all lines that the program prints.
most_of() {
    n=$1
    rm -f "$dir"/out*
    valgrind -q --tool=callgrind --callgrind-out-file="$dir/out" --toggle-collect=batch_of \
        --dump-before=batch_of "$program" "$n" >"$dir/text"
    counts=0
    most=0
    for part in "$dir"/out*; do
        count=$(awk '/^(totals|summary):/ { n = $2 } END { print n + 0 }' "$part")
        [ "$count" -gt 0 ] || continue
        counts=$((counts + 1))
        [ $((count / n)) -le "$most" ] || most=$((count / n))
    done
    lines=$(wc -l <"$dir/text")
    if [ "$counts" -ne "$lines" ]; then
        echo "check-batch-cost: $counts counts for $lines batches" >&2
        exit 1
    fi
}

most_of 16
few=$most
most_of 4096
echo "at most $few instructions for a request of 16, $most for one of 4096; the limit is $limit %"
[ $((most * 100)) -le $((few * limit)) ]
