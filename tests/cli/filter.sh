#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# A guest's own commands, and what they remove: what goes in, and command lines that are wrong.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
captures=tests/data/captures

# A guest that the recordings could be of: what it sends is answered, rewritten or refused for a reason, and what leaves is valid.
# recording VENDOR PLATFORM FILE ATTACHMENT
recording() {
    name="the recording of $2"
    "$xinv" filter "$1" --platform "$2" --bin "$captures/$3.gz" --attach "$4" --json >"$work/out" 2>"$work/err"
    [ $? -le 1 ] || complain "exit status is $?"
    total=$(gzip -dc "$captures/$3.gz" | wc -c)
    [ "$(wc -l <"$work/out")" -eq $((total / ${5:-16})) ] || complain "not a line a command"
    python3 - "$work/out" >"$work/words" <<'PY' || complain "is not what the guest asked for"
import json, sys
sent = 0
for line in open(sys.argv[1]):
    answer = json.loads(line)
    if answer["verdict"] == "refused" and answer["reason"] in ("invalid", "host", "unlisted"):
        sys.exit("%s is %s" % (answer["name"], answer["reason"]))
    for command in answer.get("host", []):
        print(*command["words"])
        sent += 1
if sent < 100:
    sys.exit("only %d commands leave" % sent)
PY
    "$xinv" decode "$1" --platform "$2" - <"$work/words" >/dev/null || complain "a command is not valid"
}
recording smmuv3 arm-smmuv3-ril smmuv3-6.12-strict.cmdq.bin guest_rid=8,rid=0x310,vmid=0x2a
recording smmuv3 arm-smmuv3-ril smmuv3-6.12-lazy.cmdq.bin guest_rid=8,rid=0x310,vmid=0x2a
recording amdvi amd-vi-generic amdvi-6.12-strict.cmdbuf.bin guest_rid=0x18,guest_did=2,rid=0x310,did=5

# Every command of the recordings is one whose removals a row of the table says.
for file in smmuv3-6.12-strict.cmdq vtd-6.12-strict.qi amdvi-6.12-strict.cmdbuf; do
    expect "removals of $file" 0 "" -- decode "${file%%-*}" --bin "$captures/$file.bin.gz" --removes
    grep -q 'no row of the table' "$work/out" && complain "a command without a row"
    expect "removals of $file as JSON" 0 "" -- decode "${file%%-*}" --bin "$captures/$file.bin.gz" --removes --json
    "$xinv" encode "${file%%-*}" --bin "$work/again" - <"$work/out" || complain "is not encoded again"
    gzip -dc "$captures/$file.bin.gz" | cmp - "$work/again" || complain "comes back with other bytes"
done
expect "addresses without the register that they are for" 2 \
    "xinv: --iva goes with --as IOTLB; see xinv decode --help" -- decode vtd --as CCMD --iva 1 0

ours="--attach guest_rid=8,rid=0x310,vmid=0x2a,ats"
expect "words of the command line" 0 "" -- filter smmuv3 $ours 0x30 0x0 0x0000000800000040 34
has '^TLBI_NSNH_ALL .*  rewritten$'
has '^    TLBI_NH_ALL  *0x0000002a00000010 0x0000000000000000  VMID=0x2a$'
has '^    ATC_INV  *0x0000031000000040 0x0000000000000034 '
expect "a refusal" 1 "xinv: 1 of 2 commands is refused" -- filter smmuv3 $ours 0x0000031000000040 34 46 0
has '^ATC_INV .*  refused: no endpoint of the guest.s has this requester ID$'
has '^SYNC .*  answered$'
expect "stages" 0 "" -- filter smmuv3 --attach stage=stage1,guest_rid=8,rid=0x310,vmid=0 0x30 0x0
has '  answered$'
expect "a wide queue" 0 "" -- filter vtd --width 256 --attach guest_rid=8,guest_did=5,rid=0x310,did=0x21 0x0000000000050026 0 0 0
has '^    p_iotlb  *0x0000000000210026 '

expect "a trace line" 0 "" -- filter vtd --width 256 \
    --attach guest_rid=8,guest_did=5,rid=0x310,did=0x21 \
    "qi_submit: p_iotlb_inv dmar0: 0x50026 0x0 0x0 0x0"
has '^    p_iotlb  *0x0000000000210026 '

see="; see xinv filter --help"
expect "no vendor" 2 "xinv: no vendor is named; smmuv3, vtd, amdvi or vtd_hwpt$see" -- filter
expect "nothing to filter" 2 "xinv: no command is given$see" -- filter smmuv3
expect "two sources" 2 "xinv: commands come from operands, from - or from --bin$see" -- filter smmuv3 - --bin x
expect "half a command" 2 "xinv: the last command has 1 of 2 words$see" -- filter smmuv3 0x30
expect "no word" 2 "xinv: '0y' is no word; expected hexadecimal digits$see" -- filter smmuv3 0y 0
expect "no pair" 2 "xinv: 'rid' is not KEY=VALUE$see" -- filter smmuv3 --attach rid 0x30 0
expect "no key" 2 \
    "xinv: --attach has no key 'sid'; it has guest_rid, guest_did, rid, did, vmid, queue_depth, queue_id, pfsid, stage, ats$see" \
    -- filter smmuv3 --attach sid=1 0x30 0
expect "no value" 2 "xinv: '33' is no value of queue_depth; expected 0 to 32$see" -- filter smmuv3 --attach queue_depth=33 0x30 0
expect "no stage" 2 "xinv: 'stage3' is no stage; expected one of stage1, stage2, nested, passthrough$see" -- filter smmuv3 --attach stage=stage3 0x30 0
expect "too many bits" 2 "xinv: '21' is no number of bits up to 20$see" -- filter smmuv3 --pasid-bits 21 0x30 0
expect "no such file" 1 "xinv: $work/none: cannot be opened: No such file or directory" -- filter smmuv3 --bin "$work/none"
finish
