#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# Golden outputs: what the tool prints for every kind of request on every platform, and the example VMM.
#
#   run.sh            compares; the first difference of each file is shown
#   run.sh --rebase   writes what the tool prints now; review the difference against the
#                     specifications before it is committed
set -u
cd "$(dirname "$0")/../.."
xinv=${XINV:-build/bin/xinv}
vmm=${XINV_VMM:-build/examples/vmm}
program=$xinv
mode=${1:-test}
golden=tests/golden
passed=0
failed=0
written=" "
fresh=$(mktemp) || exit 1
trap 'rm -f "$fresh"' EXIT

# case NAME ARGUMENT...: the program's output and errors are the file NAME.out
case_() {
    name=$1
    written="$written$name "
    shift
    "$program" "$@" >"$fresh" 2>&1
    echo "exit status $?" >>"$fresh"
    # a table's lines move whenever something is written above them
    sed -i 's/\(schema\/[a-z0-9_]*\.yaml\):[0-9][0-9]*)/\1:LINE)/' "$fresh"
    if [ "$mode" = --rebase ]; then
        cp "$fresh" "$golden/$name.out"
    elif diff -u "$golden/$name.out" "$fresh" >"$fresh.diff" 2>&1; then
        passed=$((passed + 1))
    else
        echo "$name: differs"
        sed -n 1,20p "$fresh.diff"
        failed=$((failed + 1))
    fi
    rm -f "$fresh.diff"
}

case $mode in
test | --rebase) ;;
*) echo "usage: run.sh [--rebase]" >&2; exit 2 ;;
esac

platforms="arm-smmuv3-generic arm-smmuv3-ril intel-vtd-legacy intel-vtd-scalable
    qemu-intel-caching-mode amd-vi-generic qemu-amd-npcache"
for platform in $platforms; do
    for topology in stage2 stage1-ats two-iommus; do
        case_ "tour.$platform.$topology" replay "$golden/tour.requests" --platform "$platform" \
            --topology "tests/data/topologies/$topology.yaml" --commands --max-commands 32
    done
done

for platform in arm-smmuv3-ril intel-vtd-legacy amd-vi-generic qemu-amd-npcache; do
    for policy in exact latency at-most:2; do
        case_ "kicks.$platform.${policy%:*}" replay "$golden/kicks.requests" --platform "$platform" \
            --topology tests/data/topologies/stage2-ats.yaml --batch --commands --policy $policy
    done
done

# A request of each kind of answer, on every vendor.
while read -r platform kind; do
    case_ "explain.$platform.$kind" explain --platform "$platform" --kind "$kind"
done <<'EOF'
arm-smmuv3-generic n-s2-page-ats
arm-smmuv3-ril s1-ragged
nvidia-tegra241-cmdqv pasid-remove
intel-vtd-legacy s1-page
intel-vtd-client-graphics s2-page
intel-vtd-scalable dev-n-remove-ats
intel-vtd-rwbf s2-map
amd-vi-generic s2-map
amd-vi-generic n-s2-page
amd-vi-generic n-s2-page-ats-open
iommufd-vtd-s1 n-s1-page-ats
iommufd-vtd-s1 n-s2-page
iommufd-arm-smmuv3 n-s1-page-ats
iommufd-arm-smmuv3 n-s2-page
iommufd-amd n-s1-page
EOF
# Two endpoints of one guest domain, behind two objects of a Linux host.
for form in text json; do
    [ $form = json ] && json=--json || json=
    case_ translate.iommufd-arm-smmuv3.$form translate --platform iommufd-arm-smmuv3 $json \
        --attach stage=nested,rid=8,vmid=3,asid=5,pasid=3,ats \
        --attach stage=nested,rid=8,vmid=4,asid=5,pasid=3,ats \
        --change stage1_pte --range 0x40000000..0x40001fff --leaf-only
    case_ translate.iommufd-vtd-s1.$form translate --platform iommufd-vtd-s1 $json \
        --attach stage=nested,rid=8,did=6,ats --attach stage=nested,rid=0x10,did=7 \
        --change stage1_pte --range 0x40001000..0x40004fff
done
case_ matrix.iommufd matrix --platform iommufd-vtd-s1 --platform iommufd-arm-smmuv3 \
    --platform iommufd-amd
case_ matrix matrix --platform arm-smmuv3-generic --platform arm-smmuv3-ril \
    --platform intel-vtd-legacy --platform intel-vtd-scalable \
    --platform qemu-intel-caching-mode --platform amd-vi-generic
for vendor in smmuv3 vtd amdvi; do
    width=
    [ $vendor != vtd ] || width=--width=256
    words=$golden/codec.$vendor.words
    case_ codec.$vendor decode $vendor $width - <"$words"
    case_ codec.$vendor.json decode $vendor $width --json - <"$words"
    case_ codec.$vendor.verbose decode $vendor $width --verbose - <"$words"
    case_ codec.$vendor.removes decode $vendor $width --removes - <"$words"
done
case_ codec.vtd_hwpt.removes decode vtd_hwpt --removes - <"$golden/codec.vtd_hwpt.words"
case_ codec.vtd_hwpt.verbose decode vtd_hwpt --verbose - <"$golden/codec.vtd_hwpt.words"
case_ codec.iommufd-arm-smmuv3 decode smmuv3 --platform iommufd-arm-smmuv3 - \
    <"$golden/codec.smmuv3.words"
case_ codec.smmuv3.removes.json decode smmuv3 --removes --json - <"$golden/codec.smmuv3.words"

# A guest's own commands; the attachments are those of the words' comments.
filter() {
    vendor=$1 words=$golden/filter.$1.words
    shift
    case_ filter.$vendor filter $vendor --pasid-bits 4 "$@" - <"$words"
    case_ filter.$vendor.json filter $vendor --pasid-bits 4 --json "$@" - <"$words"
}
filter smmuv3 --platform arm-smmuv3-ril --attach guest_rid=8,rid=0x310,vmid=0x2a,ats \
    --attach guest_rid=0x10,rid=0x311,vmid=0x2a
filter vtd --platform intel-vtd-scalable \
    --attach guest_rid=8,guest_did=5,rid=0x310,did=0x21,ats,pfsid=0x305,queue_depth=16 \
    --attach guest_rid=0x10,guest_did=5,rid=0x311,did=0x22 \
    --attach guest_rid=0x18,guest_did=6,stage=stage2,rid=0x318,did=0x30
filter amdvi --platform amd-vi-generic \
    --attach guest_rid=0x18,guest_did=3,rid=0x3e6,did=0x55,ats,queue_id=0x3e0,queue_depth=8 \
    --attach guest_rid=0x20,guest_did=4,rid=0x401,did=0x56
case_ codec.registers.ccmd decode vtd --as CCMD --verbose 0xe000000303100047 0x8000000000000000
case_ codec.registers.iva decode vtd --as IVA --set MAMV=9 0x7f3c5a049 0x7f3c5a04a
case_ codec.registers.removes decode vtd --as IOTLB --iva 0x7f3c5a049 --removes 0xb003004700000000 \
    0xa000004700000000 0x3000004700000000
case_ codec.registers.no-iva decode vtd --as IOTLB --removes 0xb003004700000000
case_ codec.registers.iotlb decode vtd --as IOTLB --json 0xb003004700000000
for platform in arm-smmuv3-minimal intel-vtd-legacy amd-rd890; do
    case $platform in
    arm-*) vendor=smmuv3 ;;
    intel-*) vendor=vtd ;;
    *) vendor=amdvi ;;
    esac
    [ $vendor = vtd ] && words=$golden/codec.vtd-narrow.words || words=$golden/codec.$vendor.words
    case_ codec.$platform decode $vendor --platform $platform - <"$words"
done
case_ caps.smmuv3 caps \
    --smmuv3 IDR0=0x080c741b,IDR1=0x02600410,IDR3=0x400,IDR5=0x75,IIDR=0x4832243b,AIDR=2
case_ caps.smmuv3.off caps --smmuv3 IDR0=0,IDR1=0,IDR3=0,IDR5=0,IDR6=0
case_ caps.smmuv3.queues caps --smmuv3 IDR1=0x80000000,IDR6=0x02030000
case_ caps.vtd caps --vtd cap=0x19ed008c40780c66,ecap=0x3ef9e86f050df
case_ caps.vtd.off caps --vtd cap=0,ecap=0
case_ caps.amdvi caps --amd cap=0x190b640f,efr=0x1000f000058d2,efr2=0
case_ caps.amdvi.off caps --amd cap=0,efr=0,efr2=0x100
case_ caps.amdvi.json caps --json --amd cap=0x1f03000f,efr=0x29d3,efr2=0x100

# A VMM's ioctls, with what a fake kernel makes of them.
program=$vmm
for script in examples/vmm/scripts/*.txt; do
    name=${script##*/}
    case_ "vmm.${name%.txt}" "$script"
done

# A file that no case writes any more is a leftover.
for file in "$golden"/*.out; do
    name=${file##*/}
    case $written in
    *" ${name%.out} "*) ;;
    *) echo "$file: no case writes it"; failed=$((failed + 1)) ;;
    esac
done

[ "$mode" = --rebase ] && exit 0
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
