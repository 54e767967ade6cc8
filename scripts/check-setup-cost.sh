#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Counts the instructions that it takes to set up one IOMMU of each platform from its registers,
# with its ladders, and checks that none takes more than the limit.
set -eu

limit=200000
program=${1:?usage: check-setup-cost.sh PROGRAM}
if ! command -v valgrind >/dev/null; then
    echo "check-setup-cost: valgrind is not installed"
    exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
valgrind -q --tool=callgrind --callgrind-out-file="$dir/out" \
    --toggle-collect=xinv_iommu_init --toggle-collect=xinv_iommu_prepare \
    --dump-before=xinv_iommu_init "$program" >"$dir/text"
n=0
most=0
for part in "$dir"/out*; do
    count=$(awk '/^(totals|summary):/ { n = $2 } END { print n + 0 }' "$part")
    [ "$count" -gt 0 ] || continue
    n=$((n + 1))
    [ "$count" -le "$most" ] || most=$count
done
platforms=$(($(wc -l <"$dir/text") - 1))
if [ "$n" -ne "$platforms" ]; then
    echo "check-setup-cost: $n counts for $platforms platforms" >&2
    exit 1
fi
echo "$n platforms, at most $most instructions to set one IOMMU up; the limit is $limit"
[ "$most" -le "$limit" ]
