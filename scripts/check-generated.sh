#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# check-generated.sh XINV-GEN: the committed tables are what the generator makes of schema/, no file more and no file less.
set -eu
gen=$(realpath "$1")
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "$out/schema/generated" "$out/include/xinv"
"$gen" . "$out" >"$out/written"

# Every other file here is a leftover: of a vendor that was renamed, or of a generator that wrote more.
(cd "$out" && find schema include -type f) | sort >"$out/made"
{ find schema/generated -type f; echo include/xinv/platforms.h; } | sort >"$out/committed"
rc=0
diff -u --label generated "$out/made" --label committed "$out/committed" || rc=1
while read -r file; do
    diff -u --label "committed $file" "$file" --label "generated $file" "$out/$file" || rc=1
done <"$out/made"
if [ "$rc" -ne 0 ]; then
    echo "The tables are not what schema/ says; run ./dev generate" >&2
    exit 1
fi
# A second run finds nothing to do.
"$gen" . "$out" >"$out/written"
if [ -s "$out/written" ]; then
    echo "The generator writes what is there already:" >&2
    cat "$out/written" >&2
    exit 1
fi
echo "$(wc -l <"$out/made") generated files are up to date"
