#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# xinv verify on slices of the recorded guests, on every platform under every topology: nothing stale
# survives, and every report holds. The whole of them: ./dev verify-all.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."

# Every request that moves endpoints, and the mappings of the capture's first lines, of its changes of
# domain types and of VFIO, where there are mappings of up to 16 MiB.
slice() {
    gzip -dc "$1" | awk '
        /^# phase/ { left = $3 == "modules" ? 300 : $3 == "domain-type" ? 400 : $3 == "vfio" ? 1500 : 0 }
        !/^[0-9.]+ 0[34]/ { print; next }
        left-- > 0'
}

: >"$work/able"
for capture in tests/data/captures/viommu-*.requests.gz; do
    slice "$capture" >"$work/slice.requests"
    for topology in tests/data/topologies/*.yaml; do
        expect "$capture, $topology" 0 "" -- verify "$work/slice.requests" --topology "$topology"
        ! grep -e survives\; -e holds -e hold "$work/out" | grep -v ': none survives; [0-9]* reports hold$' ||
            complain "something survives, or is not told"
        awk '/none survives/ { print $1 }' "$work/out" >>"$work/able"
    done
    # the same when commands are few rather than exact
    expect "$capture, latency" 0 "" -- verify "$work/slice.requests" --policy latency \
        --topology tests/data/topologies/two-iommus.yaml
done

# Every platform can be one of the topologies, but for those that have no pass-through or no commands
# for device entries, which the recorded guests need, and those of a kernel, which no model stands for.
name="platforms that were judged"
"$xinv" platforms | awk '{ print $1 }' | while read -r platform; do
    grep -qx "$platform" "$work/able" || echo "$platform"
done | tr '\n' ' ' >"$work/unable"
[ "$(cat "$work/unable")" = "amd-snp-host intel-vtd-mobile4 intel-vtd-rwbf iommufd-amd iommufd-arm-smmuv3 iommufd-vtd-s1 nvidia-tegra241-cmdqv " ] ||
    complain "not judged: $(cat "$work/unable")"

finish
