#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# What explain and matrix print beside the golden outputs: widths, many attachments, own platforms.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."

# narrow: no line is wider than 100 columns, and none ends in a space
narrow() {
    awk 'length > 100 || / $/ { print; bad = 1 } END { exit bad }' "$work/out" >"$work/wide" ||
        complain "wide: $(head -n 1 "$work/wide")"
}

expect "the whole matrix" 0 "" -- matrix
narrow
kinds=$(sed -n '/^KINDS$/,$p' "$work/out" | sed -n 's/^  \([a-z0-9-]*\) .*/\1/p')
[ "$(echo "$kinds" | wc -l)" -ge 42 ] || complain "kinds are missing: $kinds"
for platform in $("$xinv" platforms | sed 's/ .*//'); do
    has "^  [A-Z]  .*$platform"
done
for kind in $kinds; do
    for platform in nvidia-tegra241-cmdqv intel-vtd-scalable-nopasid amd-rd890; do
        expect "$kind on $platform" 0 "" -- explain --platform "$platform" --kind "$kind"
        has '^RESULT: '
        narrow
    done
done
expect "no colours but on a terminal" 0 "" -- explain --platform amd-zen1 --kind s2-page
! grep -q "$(printf '\033')" "$work/out" || complain "an escape"

expect "shapes of many attachments" 0 "" -- explain --platform arm-smmuv3-ril \
    --attach stage=nested,rid=1,vmid=5 --attach stage=nested,rid=2,vmid=5,ats \
    --attach stage=nested,rid=3,vmid=5 --change stage2_pte --range 0..0xfff
has '^SHAPE 1 of 2: attachments like \[0\]$'
has '^SHAPE 2 of 2: attachments like \[1\]$'
has '^RESULT: impossible$\|^RESULT: widened$'

expect "a range that makes no sense" 1 "xinv: request: arm-smmuv3-ril: first is above last" -- \
    explain --platform arm-smmuv3-ril --attach stage=stage2,vmid=5 --change stage2_pte --range 2..1

sed 's/^platform: .*/platform: my-unit/; s/^source: .*/source: "my notes"/' \
    schema/platforms/intel-vtd-legacy.yaml >"$work/my.yaml"
expect "an own platform" 0 "" -- explain --platform-file "$work/my.yaml" --kind s2-page
has '^my-unit: '
has '^  known from  my notes$'
expect "an own platform beside a built-in one" 0 "" -- matrix --platform-file "$work/my.yaml" \
    --platform intel-vtd-legacy --kind s2-page --kind s2-2m
has '^  A  intel-vtd-legacy, my-unit$'
has '^s2-2m                1$'
finish
