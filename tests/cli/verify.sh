#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# xinv verify: the library's own commands, a stream from elsewhere, a capture.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
capture=tests/golden/tour.requests
intel="--platform intel-vtd-scalable --kind s1-page-pasid-ats"

expect "nothing to judge" 2 \
    "xinv: no request and no capture is given; see xinv verify --help" -- verify
expect "a request and a capture" 2 \
    "xinv: --kind does not go with a capture; see xinv verify --help" -- verify $intel $capture
expect "commands and a capture" 2 \
    "xinv: --commands does not go with a capture; see xinv verify --help" \
    -- verify --commands /dev/null $capture
expect "a topology without a capture" 2 \
    "xinv: --topology goes with a capture; see xinv verify --help" -- verify $intel --topology x

# shellcheck disable=SC2086 # options
expect "the library's own commands" 0 "" -- verify $intel
has '^2 kinds of stale entries, none survives$'

cat >"$work/wrong" <<"EOF"
# a device TLB flushed without its PASID
0x0000000500050036 0x40000040 0 0
0000031000000003 40000000 0 0

0x0000000100000025 0x1000 0 0
wait
EOF
# shellcheck disable=SC2086
expect "a wrong stream" 1 "" -- verify $intel --commands "$work/wrong"
has '^1 of 2 stale entries can survive:$'
has '^  device TLB entry: RID 0x310 PASID 5 0x40000000..0x40000fff$'
has '^      2 dev_tlb: it has a PASID, the descriptor has none$'
# shellcheck disable=SC2086
expect "a wrong stream as JSON" 1 "" -- verify $intel --commands "$work/wrong" --json
has '"fate":.*"missed"'
has '"surviving":.*1,'

echo "0x0000031000000040 0x40000000" >"$work/together"
echo "0x0005000000000012 0x40000001" >>"$work/together"
echo "0x46 0" >>"$work/together"
expect "a device TLB that is flushed too early" 1 "" -- verify \
    --platform arm-smmuv3-generic --kind s1-page-ats --commands "$work/together"
has '^      but it may come back, from a stage-1 TLB entry: VMID 0 ASID 5 0x40000000'

echo "0x0005000000000012 0x40000401" >"$work/illegal"
expect "a command that the queue stops at" 1 "" -- verify \
    --platform arm-smmuv3-ril --kind s1-page --commands "$work/illegal"
has '^command 1, TLBI_NH_VA: NUM = SCALE = TTL = 0 with TG is reserved: the queue stops there$'

form="not a command; expected 2 words in hexadecimal, wait or register"
smmu="--platform arm-smmuv3-generic --kind s1-page"
wrong() {
    printf "$2" >"$work/stream"
    # shellcheck disable=SC2086 # options
    expect "$1" 1 "xinv: $work/stream:$3: $form" -- verify $smmu --commands "$work/stream"
    empty
}
wrong "half a command" "0x46\n" 1:1
wrong "more than a command" "0x46 0 0\n" 1:1
wrong "no word" "\n0 sync\n" 2:3
wrong "something after wait" "wait for it\n" 1:1
cat >"$work/trace" <<"EOF"
qi_submit: p_iotlb_inv dmar0: 0x50026 0x0 0x0 0x0   # every entry of DID 5, PASID 0
  wait
EOF
# shellcheck disable=SC2086
expect "trace lines" 1 "" -- verify $intel --commands "$work/trace"
has '^      1 p_iotlb: '
echo '{"platform":"intel-vtd-scalable","kind":"s1-page-pasid-ats"}' >"$work/request"
expect "a request from a file" 0 "" -- verify --input "$work/request"
has '^2 kinds of stale entries, none survives$'
expect "no such file" 1 "xinv: $work/none: cannot be opened: No such file or directory" -- verify \
    --platform arm-smmuv3-generic --kind s1-page --commands "$work/none"

expect "a capture on every platform" 0 "" -- verify $capture --max-commands 1024
has '^arm-smmuv3-ril  *29 requests, 25 changes, [0-9]* stale entries: none survives; 13 reports hold$'
has '^qemu-intel-caching-mode  *29 requests, .*: none survives; 13 reports hold$'
has '^nvidia-tegra241-cmdqv  *endpoint 0x10: '
expect "two IOMMUs" 0 "" -- verify $capture --max-commands 1024 --topology tests/data/topologies/two-iommus.yaml
expect "stage 1 with ATS" 0 "" -- verify $capture \
    --topology tests/data/topologies/stage1-ats.yaml --policy latency
expect "a batch without a capture" 2 \
    "xinv: --batch goes with a capture; see xinv verify --help" -- verify $intel --batch
expect "the requests of a kick together" 0 "" -- verify tests/golden/kicks.requests --batch
has '^arm-smmuv3-ril  *38 requests, 41 changes, [0-9]* stale entries: none survives; 2 reports hold$'
while read -r topology policy; do
    expect "a guest's kicks, $topology, $policy" 0 "" -- verify --batch --policy "$policy" \
        --topology "tests/data/topologies/$topology.yaml" --platform arm-mmu-700 \
        --platform qemu-intel-caching-mode --platform intel-vtd-scalable \
        --platform amd-vi-generic --platform qemu-amd-npcache --platform nvidia-tegra264 \
        tests/data/captures/viommu-x86-6.12-lazy.requests.gz
    has ': none survives; [0-9]* reports hold$'
done <<'EOF'
stage2-ats exact
stage1-ats latency
two-iommus at-most:3
EOF
expect "a capture as JSON" 0 "" -- verify $capture --platform amd-vi-generic --json
has '"clean":.*true'

finish
