#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# --platform-file and --vendor-file: the same as a built-in platform, or nothing at all.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
request="--attach stage=stage2,rid=0x310,did=5 --change stage2_pte --range 0..0xfff"
capture=tests/golden/tour.requests

good() {
    printf 'platform: %s\ntitle: Mine\nvendor: %s\n' "$1" "${2:-vtd}"
    printf 'registers: {CAP: 0x08d2078c106f0466, ECAP: 0xf020df}\nsource: "a boot log"\n'
}
good mine >"$work/p.yaml"

# ---- A file is as good as a built-in platform

for file in schema/platforms/*.yaml; do
    platform=$(basename "$file" .yaml)
    expect "$platform, built in" 0 "" -- platforms "$platform" --json
    cp "$work/out" "$work/built-in"
    expect "$platform, by its file" 0 "" -- platforms --platform-file "$file" --json
    cmp -s "$work/built-in" "$work/out" || complain "differs"
done
expect "replay on a built-in platform" 0 "" -- replay $capture --platform intel-vtd-legacy --commands
cp "$work/out" "$work/built-in"
expect "replay on its file" 0 "" -- replay $capture --commands \
    --platform-file schema/platforms/intel-vtd-legacy.yaml --vendor-file schema/vtd.yaml
cmp -s "$work/built-in" "$work/out" || complain "differs"

# ---- Who a name means

expect "files and names together" 0 "" -- \
    replay $capture --json --platform-file "$work/p.yaml" --platform arm-smmuv3-ril
names() {
    python3 -c 'import json, sys
print(*[p["platform"] for p in json.load(open(sys.argv[1]))["platforms"]])' "$work/out"
}
[ "$(names)" = "arm-smmuv3-ril mine" ] || complain "platforms: $(names)"
expect "a file alone" 0 "" -- replay $capture --json --platform-file "$work/p.yaml"
[ "$(names)" = mine ] || complain "platforms: $(names)"
expect "a file by its name, once" 0 "" -- \
    replay $capture --json --platform mine --platform-file "$work/p.yaml"
[ "$(names)" = mine ] || complain "platforms: $(names)"
good intel-vtd-scalable >"$work/same.yaml"
for order in "--platform intel-vtd-scalable --platform-file $work/same.yaml" \
    "--platform-file $work/same.yaml --platform intel-vtd-scalable"; do
    # shellcheck disable=SC2086 # words
    expect "a file's name goes before a built-in one" 0 "" -- translate $request $order
    has '^    iotlb  *0x00000000000500f2 0x0000000000000000 '
done
expect "a built-in platform's page, of a file that takes its name" 0 "" -- \
    platforms intel-vtd-scalable --platform-file "$work/same.yaml"
[ "$(head -n 1 "$work/out")" = "intel-vtd-scalable: Mine" ] || complain "$(head -n 1 "$work/out")"

# ---- Requests as JSON

name="a line that names the file's platform, one that names none, one that is another's"
at='"attachments":[{"stage":"stage2","rid":1,"did":5,"vmid":5}],"change":{"what":"stage2_pte"}'
printf '{"id":1,"platform":"mine",%s}\n{"id":2,%s}\n{"id":3,"platform":"arm-smmuv3-ril",%s}\n' \
    "$at" "$at" "$at" | "$xinv" translate --jsonl --platform-file "$work/p.yaml" |
    python3 -c 'import json, sys
print(*[json.loads(line)["platform"] for line in sys.stdin])' >"$work/out"
[ "$(cat "$work/out")" = "mine mine arm-smmuv3-ril" ] || complain "$(cat "$work/out")"
printf '{%s}' "$at" >"$work/request.json"
expect "one request from a file" 0 "" -- \
    translate --input "$work/request.json" --platform-file "$work/p.yaml"
expect "explain with the only file's platform" 0 "" -- \
    explain --input "$work/request.json" --platform-file "$work/p.yaml"
has '^mine: '
expect "two files, and a request that names neither" 1 \
    "xinv: $work/request.json: platform: is missing; expected a platform's name, or vendor and registers" \
    -- translate --input "$work/request.json" --platform-file "$work/p.yaml" \
    --platform-file "$work/same.yaml"
empty

# ---- A vendor's table beside it

sed 's/^final_sync: asked/final_sync: always/' schema/vtd.yaml >"$work/v.yaml"
# shellcheck disable=SC2086 # words
expect "the built-in table closes with nothing" 0 "" -- \
    translate $request --platform-file "$work/p.yaml"
has '^commands       1$'
for order in "--vendor-file $work/v.yaml --platform-file $work/p.yaml" \
    "--platform-file $work/p.yaml --vendor-file $work/v.yaml"; do
    # shellcheck disable=SC2086 # words
    expect "the given table closes with a wait" 0 "" -- translate $request $order
    has '^commands       2, 1 of them a sync'
done

# ---- Errors: exit status 1, nothing printed, nothing translated

wrong() {
    label=$1 complaint=$2
    shift 2
    for command in "translate $request" "replay $capture" platforms; do
        # shellcheck disable=SC2086 # words
        expect "$label: $command" 1 "xinv: $complaint" -- $command "$@"
        empty
    done
}
wrong "no such file" "$work/none: cannot be opened: No such file or directory" \
    --platform-file "$work/none"
wrong "a directory" "$work: cannot be read: Is a directory" --platform-file "$work"
: >"$work/empty"
wrong "an empty file" "$work/empty:1:1: is empty; a table is a map" --platform-file "$work/empty"
head -c 1048577 /dev/zero >"$work/large"
wrong "a large file" "$work/large: is larger than 1 MiB; a table fits in less" \
    --platform-file "$work/large"
wrong "a table as a platform" "schema/vtd.yaml: is a vendor's table; expected a platform's file" \
    --platform-file schema/vtd.yaml
wrong "a platform as a table" "$work/p.yaml: is a platform's file; expected a vendor's table" \
    --vendor-file "$work/p.yaml"
good mine >"$work/again.yaml"
wrong "one name twice" \
    "$work/again.yaml: platform: 'mine' is the platform of $work/p.yaml as well" \
    --platform-file "$work/p.yaml" --platform-file "$work/again.yaml"
good mine nobody >"$work/q.yaml"
wrong "a vendor that is nowhere" \
    "$work/q.yaml:3:9: vendor: no table of vendor 'nobody'; known: amdvi, smmuv3, vtd, vtd_hwpt, and those of files given beside it" \
    --platform-file "$work/q.yaml"
sed 's/^vendor: vtd/vendor: nobody/' schema/vtd.yaml >"$work/v.yaml"
wrong "a table without a backend" \
    "$work/v.yaml:4:9: vendor: 'nobody' has no backend; known: smmuv3, vtd, amdvi, vtd_hwpt
xinv: $work/q.yaml:3:9: vendor: the table of 'nobody' in $work/v.yaml is wrong" \
    --vendor-file "$work/v.yaml" --platform-file "$work/q.yaml"
sed 's/ECAP: /ECAPS: /' "$work/p.yaml" >"$work/q.yaml"
wrong "a good file beside a wrong one" \
    "$work/q.yaml:4:38: registers.ECAPS: unknown key; known: CAP, ECAP" \
    --platform-file "$work/p.yaml" --platform-file "$work/q.yaml"
expect "help with a wrong file" 0 "" -- translate --platform-file "$work/none" --help
has '^usage: xinv translate'
expect "a wrong option with a wrong file" 2 \
    "xinv: unknown option --frob; see xinv translate --help" \
    -- translate --platform-file "$work/none" --frob
platforms=$("$xinv" platforms | sed 's/ .*//' | paste -sd, - | sed 's/,/, /g')
expect "the names that are known" 2 \
    "xinv: no platform 'pdp11'; known are all, mine, $platforms; see xinv replay --help" \
    -- replay $capture --platform pdp11 --platform-file "$work/p.yaml"
finish
