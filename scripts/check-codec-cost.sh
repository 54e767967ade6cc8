#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Counts the instructions of one command: to fields, to text, from fields by name, and in the
# encoder that plans use; then those of the whole tool a command, for recorded drivers. Decoding
# has limits.
#
# usage: check-codec-cost.sh BENCHMARK TOOL
set -eu

fields_limit=150
text_limit=2000
captures=$(dirname "$0")/../tests/data/captures
program=${1:?usage: check-codec-cost.sh BENCHMARK TOOL}
tool=${2:?usage: check-codec-cost.sh BENCHMARK TOOL}
if ! command -v valgrind >/dev/null; then
    echo "check-codec-cost: valgrind is not installed"
    exit 77
fi
export LD_BIND_NOW=1 # no first call looks a symbol up
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# total FILE: the instructions that callgrind counted
total() {
    awk '/^(totals|summary):/ { n = $2 } END { print n + 0 }' "$1"
}

# count FUNCTION: what one call of it takes, a line for each of the benchmark's commands
count() {
    rm -f "$dir"/out*
    valgrind -q --tool=callgrind --callgrind-out-file="$dir/out" "--toggle-collect=$1" \
        --dump-before=xinv_iommu_init "$program" 1 >"$dir/text"
    commands=$(($(wc -l <"$dir/text") - 1))
    # out.1 is what was before the first command, out what came last
    i=2
    while [ "$i" -le "$commands" ]; do
        total "$dir/out.$i"
        i=$((i + 1))
    done
    total "$dir/out"
}

for function in decode_fields decode_text encode_fields encode_form; do
    count $function >"$dir/$function"
done
tail -n +2 "$dir/text" | awk '{ print $1, $2 }' |
    paste -d ' ' - "$dir/decode_fields" "$dir/decode_text" "$dir/encode_fields" "$dir/encode_form" |
    awk 'BEGIN { format = "%-20s  %-24s  %9s  %9s  %9s  %9s\n"
                 printf format, "instructions", "", "to fields", "to text", "by name", "in a plan" }
         { printf format, $1, $2, $3, $4, $5, $6 ? $6 : "" }'

failed=0
# at_most LIMIT NUMBER WHAT
at_most() {
    [ "$2" -gt 0 ] && [ "$2" -le "$1" ] || { echo "$3: $2, the limit is $1" >&2; failed=1; }
}
for n in $(cat "$dir/decode_fields"); do
    at_most $fields_limit "$n" "instructions to decode a command to fields"
done

# tool_cost VENDOR CAPTURE WORDS: from text, too
tool_cost() {
    gzip -dc "$captures/$2.gz" >"$dir/bin"
    n=$(($(wc -c <"$dir/bin") / 16))
    "$tool" decode "$1" --bin "$dir/bin" | awk '{ print $2, $3 }' >"$dir/hex"
    for source in "--bin $dir/bin" -; do
        # shellcheck disable=SC2086 # two words
        valgrind -q --tool=callgrind --callgrind-out-file="$dir/tool" "$tool" decode "$1" $source \
            <"$dir/hex" >/dev/null
        each=$(($(total "$dir/tool") / n))
        echo "$2, $([ "$source" = - ] && echo text || echo bytes) to text: $each a command"
        at_most $text_limit $each "instructions of the tool a command, $2"
    done
}
tool_cost smmuv3 smmuv3-6.12-strict.cmdq.bin
tool_cost vtd vtd-6.12-strict.qi.bin
tool_cost amdvi amdvi-6.12-strict.cmdbuf.bin
exit $failed
