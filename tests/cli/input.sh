#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# Wrong inputs: file, line and position, what is wrong and what would be right; exit status 1.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
bad=$work/bad
detach=0200000001000000100000000000000000000000

capture() {
    printf "$1" >"$bad"
    expect "$2" 1 "xinv: $bad:$3" -- replay "$bad" --platform arm-smmuv3-ril
    empty
}
form="'SECONDS REQUEST RESPONSE', 'kick' or '# comment'"
capture "kick\nhello\n" "not a line" "2:1: not a line of a capture; expected $form"
capture "0.1 02x 00\n" "request digits" \
    "1:7: the request is not readable; expected pairs of hexadecimal digits"
capture "0.1 020 00\n" "odd digits" \
    "1:7: the request is not readable; expected pairs of hexadecimal digits"
capture "0.1 $detach\n" "no response" "1:45: the response is missing; expected $form"
capture "0.1 $detach 0\n" "response digits" \
    "1:46: the response is not readable; expected pairs of hexadecimal digits"
capture "0.1 $detach 00000000 7\n" "more on the line" \
    "1:54: something follows the response; expected the end of the line"
capture "kick\n" "no request" " no request in it; expected a capture"
expect "no such file" 1 "xinv: $work/none: cannot be opened: No such file or directory" \
    -- replay "$work/none"
head -c 3000 tests/data/captures/viommu-x86-6.12-strict.requests.gz >"$work/cut.gz"
name="truncated gzip"
"$xinv" replay "$work/cut.gz" >"$work/out" 2>"$work/err"
[ $? -eq 1 ] || complain "exit status is not 1"
grep -q "^xinv: $work/cut.gz:[0-9]*: cannot be read: " "$work/err" ||
    complain "stderr: $(cat "$work/err")"
empty

topology() {
    printf "$1" >"$bad"
    expect "$2" 1 "xinv: $bad$3" -- replay tests/golden/tour.requests --topology "$bad"
    empty
}
topology "name: x\niommu: 2\n" "unknown key of a topology" \
    ":2:1: iommu: unknown key; known: name, iommus, session, defaults, endpoints, other_endpoints"
topology "name: x\niommus: 0\n" "no IOMMU" ":2:9: iommus: is 0; expected 1 to 32"
topology "name: x\nendpoints:\n- {id: 1}\n- {id: 1}\n" "an endpoint twice" \
    ":4:8: endpoints[1].id: endpoint 0x1 is listed already"
topology "name: x\ndefaults: {reserved: [{range: [2, 1]}]}\n" "range" \
    ":2:31: defaults.reserved[0].range: first is above last"
topology "name: x\ndefaults: {pci_id: 80864940}\n" "PCI ID" \
    ":2:20: defaults.pci_id: is no PCI ID; expected \"VVVV:DDDD\", four hexadecimal digits each"
topology "name: [\n" "no YAML" ":2:1: not YAML: did not find expected node content"

json() {
    printf '%s' "$1" >"$bad"
    expect "$2" 1 "xinv: $bad$3" -- translate --input "$bad"
    empty
}
json '{"platform":' "no JSON" ":1:13: not JSON; expected one object"
json '[]' "no object" ": expected an object"
json '{"platform":"x"}' "platform" ": platform: no platform 'x'"
json '{"platform":"arm-smmuv3-ril"}' "no attachments" \
    ": attachments: expected an array of 1 to 256 attachments"
json '{"platform":"arm-smmuv3-ril","attachments":[{"rid":1}],"change":{"what":"everything"}}' \
    "no stage" ": attachments[0]: no stage; expected it here or beside the attachments"
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":-1}]}' "negative" \
    ': attachments[0].rid: expected a whole number from 0; one of 2^53 or more as a string "0x..."'
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":9007199254740992}]}' \
    "a number that JSON cannot hold" \
    ': attachments[0].rid: expected a whole number from 0; one of 2^53 or more as a string "0x..."'
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":1,"rid":2}]}' "twice" \
    ": attachments[0].rid: comes twice"
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":1}],"change":{"what":"x"}}' \
    "what" \
    ": change.what: expected one of stage1_pte, stage2_pte, pasid_entry, pasid_table, device_entry, tag_release, everything"
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":1}],"change":{"what":"stage1_pte","first":1}}' \
    "half a range" ": change: no 'last' in it"
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":1,"asid":70000}],"change":{"what":"stage1_pte"}}' \
    "a tag too wide" \
    ": arm-smmuv3-ril: a tag is wider than this IOMMU's field; attachments[0], asid: 16 bits here"
json '{"platform":"arm-smmuv3-ril","stage":"stage1","attachments":[{"rid":1,"asid":7}],"change":{"what":"stage1_pte","first":2,"last":1}}' \
    "first above last" ": arm-smmuv3-ril: first is above last"

json '{"vendor":"vtd","registers":{"CAP":1,"CAP":1}}' "a register twice" ": registers.CAP: comes twice"
printf '{"platform":"\377"}' >"$bad"
expect "no UTF-8" 1 "xinv: $bad:1:1: not JSON; expected one object" -- translate --input "$bad"
expect "a directory" 1 "xinv: $work: cannot be read: Is a directory" -- translate --input "$work"
expect "no such request" 1 "xinv: $work/none: cannot be opened: No such file or directory" \
    -- translate --input "$work/none"
head -c 1048577 /dev/zero | tr '\0' ' ' >"$bad"
expect "a large request" 1 "xinv: $bad: is larger than 1 MiB; one request fits in less" \
    -- translate --input "$bad"
printf '{"platform":"arm-smmuv3-ril","kind":"s2-page","id":[7]}' >"$bad"
expect "an id comes back" 0 "" -- translate --input "$bad" --json
has '"id":.*\[7\]'
name="a long line is one answer, and the next line another"
{ head -c 1048577 /dev/zero | tr '\0' x; printf '\n%s\n' '{"id":2}'; } |
    "$xinv" translate --jsonl >"$work/out" || complain "failed"
[ "$(cat "$work/out")" = '{"error":{"line":1,"code":"JSON","path":"","text":"is longer than 1 MiB; one request fits in less"}}
{"error":{"line":2,"code":"REQUEST","path":"platform","text":"is missing; expected a platform'"'"'s name, or vendor and registers"},"id":2}' ] ||
    complain "$(cat "$work/out")"

name="a directory that does not exist"
expect "$name" 1 "xinv: $work/none/out: cannot be written: No such file or directory" -- \
    replay tests/golden/tour.requests --platform arm-smmuv3-ril --bin "$work/none/out"
name="an input error leaves an old output as it was"
echo old >"$work/keep"
printf 'kick\nhello\n' >"$bad"
"$xinv" replay "$bad" --platform arm-smmuv3-ril --bin "$work/keep" 2>/dev/null
[ "$(cat "$work/keep")" = old ] || complain "the output changed"
[ "$(ls "$work" | grep -c keep)" -eq 1 ] || complain "a temporary file is left"
name="a full device"
"$xinv" platforms >/dev/full 2>"$work/err"
[ $? -eq 1 ] || complain "exit status is not 1"
[ "$(cat "$work/err")" = "xinv: standard output: cannot be written: No space left on device" ] ||
    complain "stderr: $(cat "$work/err")"
finish
