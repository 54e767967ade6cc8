#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# Recorded native drivers: every command decodes, the counts are those of the recordings, and what
# is encoded again is the recording byte for byte.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
captures=tests/data/captures

# count NAME N: so many commands of that name (and fields) in the last output
count() {
    got=$(grep -c "^$1" "$work/out")
    [ "$got" -eq "$2" ] || complain "$got of '$1', expected $2"
}

# recording VENDOR FILE TOTAL
recording() {
    vendor=$1 total=$3
    file=$captures/$2.gz
    expect "$2 as text" 0 "" -- decode "$vendor" --bin "$file"
    [ "$(wc -l <"$work/out")" -eq "$total" ] || complain "not $total commands"
    cp "$work/out" "$work/text"
    expect "$2 as JSON" 0 "" -- decode "$vendor" --bin "$file" --json
    "$xinv" encode "$vendor" --bin "$work/again" - <"$work/out" || complain "is not encoded again"
    gzip -dc "$file" | cmp - "$work/again" || complain "comes back with other bytes"
    "$xinv" encode "$vendor" - <"$work/out" >"$work/words" || complain "is not encoded as text"
    "$xinv" decode "$vendor" - <"$work/words" >"$work/out" || complain "the words do not decode"
    cmp "$work/text" "$work/out" || complain "the words say something else"
}

recording smmuv3 smmuv3-6.12-strict.cmdq.bin 15209
count "TLBI_NH_VA " 7385
count TLBI_NH_ASID 44
count CFGI_ 157
count PREFETCH_CONFIG 40
count SYNC 7582
count TLBI_NSNH_ALL 1
recording smmuv3 smmuv3-6.12-lazy.cmdq.bin 2310
count "TLBI_NH_VA " 740
count TLBI_NH_ASID 251
count CFGI_ 145
count PREFETCH_CONFIG 36
count SYNC 1137
count TLBI_NSNH_ALL 1
recording vtd vtd-6.12-strict.qi.bin 16240
count "iotlb .* G=0x3" 7425
count "iotlb .* G=0x2" 30
count "iotlb .* G=0x1" 1
count cc 25
count iec 639
count wait 8120
recording vtd vtd-6.12-lazy.qi.bin 3278
count "iotlb .* G=0x3" 771
count "iotlb .* G=0x2" 207
count "iotlb .* G=0x1" 1
count cc 21
count iec 639
count wait 1639
recording amdvi amdvi-6.12-strict.cmdbuf.bin 33475
count INVALIDATE_IOMMU_PAGES 15806
count INVALIDATE_DEVTAB_ENTRY 317
count INVALIDATE_INTERRUPT_TABLE 1133
count COMPLETION_WAIT 16218
count INVALIDATE_IOMMU_ALL 1

# The units that the recordings come from take every command of them.
for pair in smmuv3-6.12-strict.cmdq:qemu-virt-smmuv3 vtd-6.12-strict.qi:qemu-intel-caching-mode \
    amdvi-6.12-strict.cmdbuf:qemu-amd-npcache; do
    expect "$pair" 0 "" -- decode "${pair%%-*}" --bin "$captures/${pair%%:*}.bin.gz" \
        --platform "${pair#*:}"
done

# What the translator prints is what the decoder reads, in both widths of VT-d's queue.
for pair in arm-smmuv3-ril:smmuv3 intel-vtd-legacy:vtd intel-vtd-scalable:vtd amd-vi-generic:amdvi
do
    platform=${pair%%:*} vendor=${pair#*:}
    name="the words of $platform"
    "$xinv" replay tests/golden/tour.requests --platform "$platform" --bin "$work/words" \
        --topology tests/data/topologies/stage2.yaml >/dev/null || complain "replay failed"
    "$xinv" decode "$vendor" --platform "$platform" --bin "$work/words" --json >"$work/out" ||
        complain "a command is not valid"
    "$xinv" encode "$vendor" --platform "$platform" --bin "$work/again" - <"$work/out" ||
        complain "is not encoded again"
    cmp "$work/words" "$work/again" || complain "comes back with other bytes"
done

# Every command of the worked examples
for vendor in smmuv3 vtd amdvi; do
    for width in 128 256; do
        set --
        [ $vendor != vtd ] || set -- --width $width
        name="commands of tests/vectors/$vendor-*.yaml, $width bits"
        python3 - $vendor $width >"$work/in" <<'PY'
import glob, sys, yaml
vendor, width = sys.argv[1], int(sys.argv[2])
def walk(v):
    if isinstance(v, dict):
        words = v.get("words")
        if isinstance(words, list) and len(words) == width // 64 and "name" in v:
            print(*("0x%016x" % w for w in words))
        v = list(v.values())
    if isinstance(v, list):
        for each in v:
            walk(each)
for path in sorted(glob.glob("tests/vectors/%s-[a-z].yaml" % vendor)):
    walk(yaml.safe_load(open(path)))
PY
        [ -s "$work/in" ] || [ $vendor$width != vtd256 ] || complain "no command in them"
        [ -s "$work/in" ] || [ $width = 256 ] || complain "no command in them"
        "$xinv" decode $vendor "$@" --json - <"$work/in" >"$work/out" ||
            complain "a command is not valid"
        "$xinv" encode $vendor "$@" - <"$work/out" >"$work/again" || complain "is not encoded again"
        cmp "$work/in" "$work/again" || complain "comes back with other words"
    done
done

expect "words of the command line" 0 "" -- decode smmuv3 0x30 0x0 46:0
has '^TLBI_NSNH_ALL  *0x0000000000000030 0x0000000000000000$'
has '^SYNC '
expect "one command by its fields" 0 "" -- encode vtd iotlb G=3 DID=0x2a AM=9 IH=1 ADDR=0x7f3c00000
has '^0x00000000002a0032 0x00000007f3c00049$'
expect "a wide one" 0 "" -- encode vtd --width 256 pc G=1 DID=0x1234 PASID=5
has '^0x0000000512340017 0x0000000000000000 0x0000000000000000 0x0000000000000000$'
expect "a register" 0 "" -- encode vtd CCMD CIRG=3 DID=0x47 SID=0x310 FM=3 ICC=1
has '^0xe000000303100047$'

# Inputs that are wrong
wrong() {
    printf "$1" >"$work/in"
    name=$2
    shift 2
    "$xinv" "$@" <"$work/in" >"$work/out" 2>"$work/err"
    [ $? -eq 1 ] || complain "exit status is not 1"
}
said() {
    [ "$(cat "$work/err")" = "xinv: $1" ] || complain "stderr '$(cat "$work/err")', expected '$1'"
}
form="not a command; expected 2 words in hexadecimal"
wrong "\n0x30 0x0\n0x30 0q\n" "no digit" decode smmuv3 -
said "-:3:6: $form"
wrong "0x30\n" "a word is missing" decode smmuv3 -
said "-:1:1: $form"
wrong "0x30 0x0 0x0\n" "a word too many" decode smmuv3 -
said "-:1:1: $form"
wrong "0x12345678901234567 0x0\n" "a word of 17 digits" decode smmuv3 -
said "-:1:1: $form"
wrong "qi_submit: iotlb_inv dmar1: 0x100e2 0x0 0x1 0x0\n" "a wide trace" decode vtd -
said "-:1:1: $form or a qi_submit or vtd_inv_desc line"
wrong "0x8 0x0\n" "one bad command" decode smmuv3 -
said "1 of 1 command is not valid"
printf '12345678901234567' >"$work/short"
expect "a command cut short" 1 "xinv: $work/short: the last command has 1 of 16 bytes" -- \
    decode smmuv3 --bin "$work/short"
expect "no such file" 1 "xinv: $work/none: cannot be opened: No such file or directory" -- \
    decode smmuv3 --bin "$work/none"
wrong '{"name":"SYNC"}\n[]\n' "no object" encode smmuv3 -
said "-:2: not JSON; expected one object"
wrong '{"fields":{}}\n' "no name" encode smmuv3 -
said "-:1: name: expected a command's name"
wrong '{"name":"SYNC","fields":[]}\n' "no fields" encode smmuv3 -
said "-:1: fields: expected an object of values"
wrong '{"name":"SYNC","fields":{"CS":-1}}\n' "negative" encode smmuv3 -
said "-:1: fields.CS: expected a whole number from 0; one of 2^53 or more as a string \"0x...\""
wrong '{"name":"SYNC","fields":{"CS":3}}\n' "reserved" encode smmuv3 -
said "-:1: SYNC: CS: 3 is reserved; hardware: CERROR_ILL"
wrong '{"name":"TLBI_NH_ASID","fields":{"ASID":65536}}\n' "too wide" encode smmuv3 -
said "-:1: TLBI_NH_ASID: ASID does not fit; its bits are 0xffff"
wrong '{"name":"TLBI_NH_ASID","fields":{"SID":1}}\n' "no such field" encode smmuv3 -
said "-:1: TLBI_NH_ASID has no field 'SID'; it has VMID, ASID"
wrong '{"name":"SYNC","fields":{"CS":1,"CS":1}}\n' "a field twice" encode smmuv3 -
said "-:1: SYNC: CS: it comes twice"
expect "beyond the platform" 1 "xinv: TLBI_NH_ASID: ASID is above 0xff; hardware: no error, but no effect or another one" \
    -- encode smmuv3 --platform arm-smmuv3-minimal TLBI_NH_ASID ASID=0x100
expect "not on the platform" 1 "xinv: ATC_INV: needs ATS; hardware: CERROR_ILL" \
    -- encode smmuv3 --platform arm-smmuv3-minimal ATC_INV
name="an error leaves an old output as it was"
echo old >"$work/keep"
echo '{"name":"NONE"}' | "$xinv" encode smmuv3 --bin "$work/keep" - 2>/dev/null
[ "$(cat "$work/keep")" = old ] || complain "the output changed"

# Command lines that are wrong
for command in decode encode; do
    see="; see xinv $command --help"
    expect "$command: no vendor" 2 "xinv: no vendor is named; smmuv3, vtd, amdvi or vtd_hwpt$see" -- $command
    empty
    expect "$command: unknown vendor" 2 "xinv: no vendor 'arm'; smmuv3, vtd, amdvi or vtd_hwpt$see" \
        -- $command arm
    expect "$command: another vendor's platform" 2 \
        "xinv: platform 'intel-vtd-legacy' is one of vtd$see" \
        -- $command smmuv3 --platform intel-vtd-legacy
    expect "$command: width" 2 "xinv: '512' is no width; 128 or 256$see" -- $command vtd --width 512
    expect "$command: width of another vendor" 2 "xinv: --width is vtd's; amdvi has one width$see" \
        -- $command amdvi --width 256
    expect "$command: contradiction" 2 "xinv: registers and settings contradict each other$see" \
        -- $command vtd --platform intel-vtd-legacy --width 256
    expect "$command: no queue" 2 "xinv: the unit has no command queue$see" \
        -- $command vtd --set QI=0
    expect "$command: register" 2 "xinv: smmuv3 has no register 'CAP'$see" \
        -- $command smmuv3 --register CAP=1
done
expect "nothing to decode" 2 "xinv: no command is given; see xinv decode --help" -- decode smmuv3
expect "two sources" 2 \
    "xinv: commands come from operands, from - or from --bin; see xinv decode --help" \
    -- decode smmuv3 - --bin x
expect "half a command" 2 \
    "xinv: the last command has 1 of 2 words; see xinv decode --help" -- decode smmuv3 0x30
expect "no word" 2 "xinv: '0y' is no word; expected hexadecimal digits; see xinv decode --help" \
    -- decode smmuv3 0y 0
expect "both forms" 2 "xinv: either --verbose or --json; see xinv decode --help" \
    -- decode smmuv3 - --verbose --json
expect "no such register" 2 \
    "xinv: vtd has no register 'GCMD' that invalidates; see xinv decode --help" \
    -- decode vtd --as GCMD 0
expect "nothing to encode" 2 "xinv: no command is named; see xinv encode --help" -- encode smmuv3
expect "no pair" 2 "xinv: 'CS' is not FIELD=VALUE; see xinv encode --help" -- encode smmuv3 SYNC CS
expect "no value" 2 "xinv: 'x' is no value of CS; see xinv encode --help" \
    -- encode smmuv3 SYNC CS=x
expect "unknown command" 2 \
    "xinv: amdvi has no command 'SYNC'; known are COMPLETION_WAIT, INVALIDATE_DEVTAB_ENTRY, INVALIDATE_IOMMU_PAGES, INVALIDATE_IOTLB_PAGES, INVALIDATE_INTERRUPT_TABLE, PREFETCH_IOMMU_PAGES, COMPLETE_PPR_REQUEST, INVALIDATE_IOMMU_ALL, INSERT_GUEST_EVENT, RESET_VMMIO; see xinv encode --help" \
    -- encode amdvi SYNC
expect "unknown field" 2 \
    "xinv: dev_tlb has no field 'DID'; it has MIP, SID, PFSID, S, ADDR; see xinv encode --help" \
    -- encode vtd dev_tlb DID=1
expect "no registers" 2 "xinv: no register is given; see xinv caps --help" -- caps
expect "two vendors" 2 "xinv: registers of one vendor at a time; see xinv caps --help" \
    -- caps --vtd cap=1 --amd cap=1
expect "no value of a register" 2 \
    "xinv: '1x' is no value of CAP; expected decimal or 0x... digits; see xinv caps --help" \
    -- caps --vtd cap=1x
expect "no value of a platform's register" 2 \
    "xinv: 'zz' is no value of ECAP; expected decimal or 0x... digits; see xinv decode --help" \
    -- decode vtd --register ECAP=zz 0
expect "unknown register" 2 "xinv: amdvi has no register 'ecap' here; see xinv caps --help" \
    -- caps --amd ecap=1
expect "a register twice" 2 "xinv: CAP is given twice; see xinv caps --help" \
    -- caps --vtd cap=1,CAP=2
finish
