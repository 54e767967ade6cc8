#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# A million commands decode, and encode again to the same bytes, in memory that does not grow with
# them: bytes, text and JSON, in both widths of VT-d's queue.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
captures=tests/data/captures
most=16384 # KiB of address space, less than any form of the stream

# A sanitizer needs more address space than that for itself.
limit() {
    ulimit -v $most
}
(limit && "$xinv" --version) >/dev/null 2>&1 || limit() { :; }

# stream VENDOR OPTIONS: $work/bin to text, to JSON, and from there to bytes again
stream() {
    vendor=$1
    shift
    (limit && "$xinv" decode "$vendor" "$@" --bin "$work/bin") >"$work/text" || complain "does not decode"
    [ "$(wc -l <"$work/text")" -eq $total ] || complain "not $total commands"
    (limit && "$xinv" decode "$vendor" "$@" --bin "$work/bin" --json) |
        (limit && "$xinv" encode "$vendor" "$@" --bin "$work/again" -) || complain "is not encoded again"
    cmp "$work/bin" "$work/again" || complain "comes back with other bytes"
}

name="a million commands"
gzip -dc $captures/smmuv3-6.12-strict.cmdq.bin.gz >"$work/one"
for part in $(seq 66); do cat "$work/one"; done >"$work/bin"
total=$((66 * 15209))
stream smmuv3

name="a wide queue"
gzip -dc $captures/vtd-6.12-strict.qi.bin.gz >"$work/one"
"$xinv" decode vtd --bin "$work/one" | awk '{ print $2, $3, "0x0", "0x0" }' >"$work/wide"
total=16240
(limit && "$xinv" decode vtd --width 256 - <"$work/wide" --json) |
    (limit && "$xinv" encode vtd --width 256 --bin "$work/bin" -) || complain "is not encoded"
stream vtd --width 256
[ "$(wc -c <"$work/bin")" -eq $((total * 32)) ] || complain "is not of 32-byte commands"

finish
