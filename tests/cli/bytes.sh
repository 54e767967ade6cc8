#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# struct iommu_cache_invalidate_info as a request: what its bytes mean, and back. tests/data/json/requests.json has what is refused.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
nested=stage=nested,rid=0x310,vmid=7,did=5,ats,pasids_unknown

# same NAME BYTES OPTION...: the bytes are answered as the options are, on every vendor
same() {
    name=$1 bytes=$2
    shift 2
    for platform in arm-smmuv3-ril intel-vtd-scalable amd-vi-generic; do
        "$xinv" translate --platform $platform --attach $nested "$@" --json >"$work/keys" 2>&1
        "$xinv" translate --platform $platform --attach $nested --invalidate-bytes "$bytes" --json >"$work/bytes" 2>&1
        grep -q '"words"' "$work/keys" || complain "$platform: no commands: $(head -n 1 "$work/keys")"
        cmp -s "$work/keys" "$work/bytes" || complain "$platform: $(diff "$work/keys" "$work/bytes" | head -n 5)"
    done
}

# back NAME BYTES OPTION...: the options are answered with the bytes
back() {
    name=$1 bytes=$2
    shift 2
    got=$("$xinv" translate --platform arm-smmuv3-ril --attach $nested "$@" --as-bytes 2>&1)
    [ "$got" = "$bytes" ] || complain "$got, expected $bytes"
}

both() {
    same "$@"
    back "$@"
}

# argsz, version | cache, granularity, padding | flags, archid, pasid | addr, granule_size, nb_granules
head=3800000001000000
zeros=0000000000000000
h7=${head}010200000000000006000000030000000000000000000000000000400000000000100000000000000002000000000000
both "a leaf range of an ASID" $h7 \
    --invalidate iotlb --scope address --asid 3 --range 0x40000000..0x401fffff --leaf-only --leaf-size 12
both "a range with its table pages" \
    ${head}010200000000000002000000030000000000000000000000000000400000000000100000000000000002000000000000 \
    --invalidate iotlb --scope address --asid 3 --range 0x40000000..0x401fffff --leaf-size 12
both "one block of 2 MiB, with names for both caches" \
    ${head}030200000000000007000000210000000500000000000000000020800000000000002000000000000100000000000000 \
    --invalidate iotlb,device_tlb --scope address --asid 0x21 --pasid 5 --range 0x80200000..0x803fffff --leaf-only --leaf-size 21
both "an address in every address space" \
    ${head}010200000000000000000000000000000000000000000000001000000000000000100000000000000100000000000000 \
    --invalidate iotlb --scope address --range 0x1000..0x1fff --leaf-size 12
both "a PASID's device TLB" \
    ${head}020100000000000001000000000000000500000000000000$zeros$zeros$zeros \
    --invalidate device_tlb --scope pasid --pasid 5
both "a PASID's entry" ${head}040100000000000001000000000000000500000000000000$zeros$zeros$zeros \
    --invalidate pasid_config --scope pasid --pasid 5
both "an ASID" ${head}010100000000000002000000050000000000000000000000$zeros$zeros$zeros \
    --invalidate iotlb --scope pasid --asid 5
both "a domain, with its PASID entries" ${head}050000000000000000000000000000000000000000000000$zeros$zeros$zeros \
    --invalidate iotlb,pasid_config --scope domain
both "the whole address space" \
    ${head}010200000000000002000000050000000000000000000000000000000000000000100000000000000000000000001000 \
    --invalidate iotlb --scope address --asid 5 --range 0..0xffffffffffffffff --leaf-size 12
same "a granule that no table has is a part of a page" \
    ${head}010200000000000002000000050000000000000000000000041000000000000004000000000000000200000000000000 \
    --invalidate iotlb --scope address --asid 5 --range 0x1004..0x100b
back "a range grows to whole pages" \
    ${head}010200000000000002000000050000000000000000000000001000000000000000100000000000000200000000000000 \
    --invalidate iotlb --scope address --asid 5 --range 0x1004..0x2000
same "what the bytes do not say stands beside them" \
    ${head}010200000000000002000000050000000000000000000000001000000000000000100000000000000200000000000000 \
    --granule 12 --global --invalidate iotlb --scope address --asid 5 --range 0x1000..0x2fff --leaf-size 12

# Words by hand: CMD_TLBI_NH_VA (SMMUv3 4.4.1.1), VMID 7, ASID 3, from 0x40000000, (0 + 1) * 2^9 pages of 4 KiB at level 3, Leaf.
expect "the words of a leaf range" 0 "" -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes $h7
has '^    TLBI_NH_VA      0x0003000700900012 0x0000000040000701 '

# The same as Linux takes it today: struct iommu_hwpt_vtd_s1_invalidate, 512 pages from 0x40000000, LEAF.
expect "the entry of a leaf range" 0 "" -- translate --platform iommufd-vtd-s1 --attach stage=nested,did=6 --invalidate-bytes $h7
has '^    s1_range  0x0000000040000000 0x0000000000000200 0x0000000000000001 '

printf '\070\0\0\0\001\0\0\0\001\002\0\0\0\0\0\0\006\0\0\0\003\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\0\0\0\0\020\0\0\0\0\0\0\0\002\0\0\0\0\0\0' >"$work/info"
expect "a file of bytes" 0 "" -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes "@$work/info" --as-bytes
[ "$(cat "$work/out")" = "$h7" ] || complain "$(cat "$work/out")"
expect "no such file" 1 "xinv: $work/none: cannot be opened: No such file or directory" \
    -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes "@$work/none"
empty
printf ' ' >>"$work/info"
expect "a longer file" 1 "xinv: $work/info: 57 bytes; the structure has 56" \
    -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes "@$work/info"
empty
expect "a field of an option's bytes" 2 \
    "xinv: invalidate.bytes.version: 2 is not known; expected 1; see xinv translate --help" \
    -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes 38000000020000000100000000000000
empty
expect "a scope beside the bytes" 2 "xinv: invalidate.scope: the bytes say it; see xinv translate --help" \
    -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes $h7 --scope domain
expect "a change beside the bytes" 2 "xinv: invalidate.what: unknown key; see xinv translate --help" \
    -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes $h7 --change stage1_pte

# wordless NAME ERROR OPTION...: the structure cannot say it
wordless() {
    name=$1 error=$2
    shift 2
    expect "$name" 1 "xinv: request: $error" -- translate --platform arm-smmuv3-ril --attach $nested "$@" --as-bytes
    empty
}
wordless "bytes of a change" "a change has no such bytes; expected an explicit request" --change stage1_pte
wordless "bytes of another scope" "granularity: the scope has none; domain, pasid and address have one" \
    --invalidate iotlb --scope endpoint
wordless "bytes of another cache" "cache: only iotlb, device_tlb and pasid_config have a bit" \
    --invalidate iotlb,device_config --scope domain
wordless "bytes of a domain's device TLBs" "granularity: DOMAIN does not go with the cache DEV_IOTLB" \
    --invalidate device_tlb --scope domain
wordless "bytes of an address in PASID entries" "granularity: ADDR does not go with the cache PASID" \
    --invalidate pasid_config --scope address --range 0..4095
wordless "bytes of an address without one" "addr: the scope address takes a range" --invalidate iotlb --scope address
wordless "bytes of a range from end to start" "addr: the scope address takes a range" \
    --invalidate iotlb --scope address --range 2..1
wordless "bytes of a PASID without one" "flags: the scope pasid takes a PASID or an ASID" --invalidate iotlb --scope pasid
wordless "bytes of a domain with an ASID" "flags: the scope domain takes neither a PASID nor an ASID" \
    --invalidate iotlb --scope domain --asid 5
wordless "bytes of a domain's leaf entries" "a range and leaf_only have fields with the scope address alone" \
    --invalidate iotlb --scope domain --leaf-only
for word in global beyond enumerated; do
    wordless "bytes of $word" "no field says $word" --invalidate iotlb --scope domain --$word
done
expect "bytes and JSON" 2 "xinv: --as-bytes goes with neither --json nor --jsonl; see xinv translate --help" \
    -- translate --platform arm-smmuv3-ril --attach $nested --invalidate-bytes $h7 --as-bytes --json
finish
