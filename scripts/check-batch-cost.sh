#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Counts the instructions of a session's requests on each vendor: an UNMAP of a page that a prepared
# list says, and one in batches of 16 and of 4096, merged and apart, against limits. The larger batch
# must not make it dearer besides: searches in trees take a few steps more, and nothing else grows.
set -eu

unmap_limit=1700 # with what the program does to make the request
batch_limit=4200 # of 16, the making of its list among them
limit=125 # percent
program=${1:?usage: check-batch-cost.sh PROGRAM}
if ! command -v valgrind >/dev/null; then
    echo "check-batch-cost: valgrind is not installed"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The most instructions of a request among that many, over all lines that the program prints.
most_of() {
    function=$1
    n=$2
    shift
    rm -f "$dir"/out*
    valgrind -q --tool=callgrind --callgrind-out-file="$dir/out" --toggle-collect="$function" \
        --dump-before="$function" "$program" "$@" >"$dir/text"
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

most_of single_of 256 single
unmap=$most
most_of batch_of 16
few=$most
most_of batch_of 4096
echo "at most $unmap instructions for an UNMAP (limit $unmap_limit), $few in a batch of 16 ($batch_limit), $most in one of 4096 ($limit % of that)"
[ "$unmap" -le "$unmap_limit" ] && [ "$few" -le "$batch_limit" ] && [ $((most * 100)) -le $((few * limit)) ]
