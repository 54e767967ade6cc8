#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# xinv verify on what Linux' own drivers wrote: simple unmaps are clean, and what it is known to get
# wrong is reported. tests/data/captures/README.md describes the captures; ranges are read off the
# words by hand.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
captures=tests/data/captures

# words CAPTURE LINE[,LINE]: commands of a capture, a command a line, from the first on
words() {
    gzip -dc "$captures/$1.bin.gz" | od -An -v -t x8 -w16 | sed -n "$2p"
}

# unmap CAPTURE LINES RANGE -- OPTION...: these commands remove the range, and nothing is said of others
unmap() {
    words "$1" "$2" >"$work/stream"
    echo wait >>"$work/stream" # strict drivers wait for their sync, lazy ones before they free
    range=$3
    shift 4
    expect "$range" 0 "" -- verify "$@" --range "$range" --commands "$work/stream"
    has '^[0-9]* kinds* of stale entries, none survives$'
    expect "$range as JSON" 0 "" -- verify "$@" --range "$range" --commands "$work/stream" --json
    has '"clean":.*true'
    # a page beside it is not removed
    last=${range#*..}
    first=${range%..*}
    expect "$range and a page more" 1 "" -- verify "$@" --range "$first..$(printf '0x%x' $((last + 0x1000)))" \
        --commands "$work/stream"
    has 'stale entr.* can survive:$'
    # neither is a table
    [ "$leaf" = any ] ||
        { expect "$range with its tables" 1 "" -- verify $(echo "$@" | sed 's/--leaf-only//') \
            --range "$range" --commands "$work/stream" && has ': it is no leaf entry, the '; }
}

arm="--platform qemu-virt-smmuv3 --attach stage=stage1,rid=0x8,asid=1,vmid=0 --change stage1_pte --leaf-only"
leaf=only
# TG = 1, TTL = 3, one page
# shellcheck disable=SC2086 # options
unmap smmuv3-6.12-strict.cmdq 401,402 0xffff6000..0xffff6fff -- $arm
# NUM = 6, SCALE = 2 at 0xffe00000; NUM = 0, SCALE = 7 at 0xffe1c000: 28 and 128 pages
# shellcheck disable=SC2086
unmap smmuv3-6.12-strict.cmdq 2525,2527 0xffe00000..0xffe9bfff -- $arm

intel="--platform intel-vtd-legacy --attach stage=stage2,rid=0x10,did=3 --change stage2_pte --leaf-only"
# AM = 0 and AM = 5, IH = 1
# shellcheck disable=SC2086
unmap vtd-6.12-strict.qi 401,402 0xffff5000..0xffff5fff -- $intel
# shellcheck disable=SC2086
unmap vtd-6.12-strict.qi 4403,4404 0xffdc0000..0xffddffff -- $intel

# NpCache: exact pieces, PDE = 1
amd="--platform qemu-amd-npcache --attach stage=stage2,rid=0x10,did=2 --change stage2_pte"
leaf=any
# shellcheck disable=SC2086
unmap amdvi-6.12-strict.cmdbuf 3000,3001 0xffffa000..0xffffafff -- $amd
# 512 KiB, 128 KiB, 16 KiB, a page
# shellcheck disable=SC2086
unmap amdvi-6.12-strict.cmdbuf 5678,5682 0xffe00000..0xffea4fff -- $amd

# A lazy driver drops the whole domain: whatever the range, tables as well.
words smmuv3-6.12-lazy.cmdq 5,6 >"$work/stream"
# shellcheck disable=SC2046,SC2086
expect "a lazy ASID" 0 "" -- verify $(echo $arm | sed 's/--leaf-only//') --range 0x1000..0xfffff \
    --commands "$work/stream"
# shellcheck disable=SC2046,SC2086
expect "a lazy ASID leaves global entries" 1 "" -- verify $(echo $arm | sed 's/--leaf-only//') --global \
    --range 0x1000..0xfffff --commands "$work/stream"
has '  1 TLBI_NH_ASID: it is global, the command names an ASID$'
words vtd-6.12-lazy.qi 55,56 >"$work/stream"
echo wait >>"$work/stream"
# shellcheck disable=SC2046,SC2086
expect "a lazy domain" 0 "" -- verify $(echo $intel | sed 's/--leaf-only//') --range 0x1000..0xfffff \
    --commands "$work/stream"

# Without its sync nothing is known; with another domain's tag nothing is removed.
words vtd-6.12-strict.qi 401 >"$work/stream"
# shellcheck disable=SC2086
expect "no sync" 1 "" -- verify $intel --range 0xffff5000..0xffff5fff --commands "$work/stream"
has '^      nothing tells when that is done$'
words vtd-6.12-strict.qi 401,402 >"$work/stream"
expect "another domain" 1 "" -- verify --platform intel-vtd-legacy --attach stage=stage2,rid=0x10,did=4 \
    --change stage2_pte --leaf-only --range 0xffff5000..0xffff5fff --commands "$work/stream"
has '^      1 iotlb: its DID is another$'

# Linux 6.12 can flush the device TLB of a device with PASIDs without a PASID: of a page,
#   p_iotlb G=3 DID 5 PASID 5, IH; dev_tlb RID 0x310
wrong() {
    name=$1 kind=$2 entry=$3 last=$4
    expect "$name" 1 "" -- verify --platform intel-vtd-scalable --kind "$kind" --commands "$work/stream"
    has "^  $entry\$"
    has "^      $last dev_tlb: it has a PASID, the descriptor has none\$"
    expect "$name as JSON" 1 "" -- verify --platform intel-vtd-scalable --kind "$kind" \
        --commands "$work/stream" --json
    has '"clean":.*false'
    has "\"entry\":.*\"$entry\""
    has '"fate":.*"missed"'
    has '"because":.*"it has a PASID, the descriptor has none"'
}
cat >"$work/stream" <<'END'
0000000500050036 0000000040000040 0 0
0000031000000003 0000000040000000 0 0
0000000100000025 0000000000001000 0 0
wait
END
wrong "a page without PASID" s1-page-pasid-ats \
    'device TLB entry: RID 0x310 PASID 5 0x40000000..0x40000fff' 2
# and of everything, when the PASID ends: pc, p_iotlb of the PASID, dev_tlb of all addresses
cat >"$work/stream" <<'END'
0000000500050017 0 0 0
0000000500050026 0 0 0
0000031000000003 7ffffffffffff001 0 0
0000000100000025 0000000000001000 0 0
wait
END
wrong "everything without PASID" pasid-remove-ats 'device TLB entry: RID 0x310 PASID 5 0x0..0xfff' 3
# with the PASID it is right: p_dev_tlb, S = 1
sed -i 's/^0000031000000003 .*/0000000503100008 7ffffffffffff800 0 0/' "$work/stream"
expect "everything with PASID" 0 "" -- verify --platform intel-vtd-scalable --kind pasid-remove-ats \
    --commands "$work/stream"

finish
