#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# Recorded guests with the requests of a kick together: how many commands and syncs are left, what
# a policy costs in pages, and that every response is as recorded.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
captures=tests/data/captures
three="--platform intel-vtd-legacy --platform amd-vi-generic --platform arm-smmuv3-ril"

for guest in strict lazy; do
    # shellcheck disable=SC2086 # options
    expect "the $guest x86 guest in batches" 0 "" -- replay --batch --json $three \
        --policy exact --policy latency --policy at-most:2 --policy at-most:8 \
        $captures/viommu-x86-6.12-$guest.requests.gz
    python3 - "$work/out" $guest <<'PY' || complain "see above"
import json, sys

guest = sys.argv[2]
PAGES = {"intel-vtd-legacy": "iotlb", "amd-vi-generic": "INVALIDATE_IOMMU_PAGES", "arm-smmuv3-ril": "TLBI_S2_IPA"}
# kicks with an UNMAP that removes something
KICKS = {"strict": 7399, "lazy": 2452}
EXACT = {
    "strict": {"intel-vtd-legacy": 7473, "amd-vi-generic": 7473, "arm-smmuv3-ril": 7473},
    "lazy": {"intel-vtd-legacy": 4426, "amd-vi-generic": 4426, "arm-smmuv3-ril": 3675},
}
document = json.load(open(sys.argv[1]))
runs = {(p["platform"], p["policy"]): p for p in document["platforms"]}
assert len(runs) == 12
asked = {p["pages_asked"] for p in runs.values()}
assert len(asked) == 1, asked
for (platform, policy), p in runs.items():
    where = guest, platform, policy
    unmaps = p["unmaps"]
    tlb = sum(n for name, n in unmaps["commands"].items() if name not in ("wait", "SYNC", "COMPLETION_WAIT"))
    assert p["responses"]["different"] == 0 and p["errors"] == 0, where
    assert unmaps["lists"] == KICKS[guest], (where, unmaps)
    assert unmaps["syncs"] <= KICKS[guest], (where, unmaps)
    # without device TLBs, an UNMAP takes commands of one name
    assert tlb == unmaps["commands"][PAGES[platform]], (where, unmaps)
    assert p["requests_unbounded"] == 0, where
    if policy == "exact":
        assert tlb <= EXACT[guest][platform], (where, tlb)
        assert p["pages_extra"] == 0, where
    elif policy == "latency":
        assert tlb <= KICKS[guest], (where, tlb)
    extra = {k: runs[platform, k]["pages_extra"] for k in ("exact", "at-most:8", "at-most:2", "latency")}
    assert extra["exact"] <= extra["at-most:8"] <= extra["at-most:2"] <= extra["latency"], (where, extra)
PY
done

name="a row says which policy it is of, and what that costs"
# shellcheck disable=SC2086 # options
expect "$name" 0 "" -- replay --batch --platform intel-vtd-legacy --policy exact --policy latency \
    $captures/viommu-x86-6.12-lazy.requests.gz
has '^viommu-x86-6.12-lazy: 18945 requests (.*) under 9790 kicks, those of a kick together$'
has '^intel-vtd-legacy  default  *exact  *6950  *2476  *111200  *18627  *0  all equal '
has '^intel-vtd-legacy  default  *latency  *4976  *2476  *79616  *18627  *147613  all equal '
has '; 5 lists ended early$'

set --
for topology in stage2 stage1-ats two-iommus; do
    set -- "$@" --topology tests/data/topologies/$topology.yaml
done
for guest in x86-6.12-lazy arm64-6.12-strict; do
    case $guest in
    arm64-*) set -- --topology tests/data/topologies/arm64-virt.yaml ;;
    esac
    expect "$guest, one by one" 0 "" -- replay $captures/viommu-$guest.requests.gz --json "$@"
    cp "$work/out" "$work/single"
    expect "$guest, in batches" 0 "" -- \
        replay --batch $captures/viommu-$guest.requests.gz --json "$@"
    python3 - "$work/single" "$work/out" <<'PY' || complain "see above"
import json, sys

single, batch = (json.load(open(path))["platforms"] for path in sys.argv[1:])
done = 0
for a, b in zip(single, batch, strict=True):
    where = a["platform"], a["topology"]
    assert where == (b["platform"], b["topology"])
    if "error" in a:
        assert a["error"] == b["error"], where
        continue
    done += 1
    assert b["responses"] == a["responses"] and b["errors"] == 0, where
    assert b["commands"]["total"] < a["commands"]["total"], where
    assert b["syncs"] < a["syncs"], where
    # exact: what is removed beyond the requests is no more, and said as before
    assert b["pages_asked"] <= a["pages_asked"] and b["pages_extra"] == a["pages_extra"], where
    assert b["widened"] == a["widened"] and b["must_beyond"] == a["must_beyond"], where
assert done >= 5, done
PY
done

name="a MAP over what is unmapped in the same kick waits for the sync"
expect "$name" 0 "" -- replay tests/golden/kicks.requests --batch --commands \
    --platform intel-vtd-legacy --topology tests/data/topologies/stage2.yaml
sed -n '/^23: UNMAP/,/^25: MAP/p' "$work/out" | sed 's/  .*//' >"$work/order"
cat >"$work/expected" <<'EOF'
23: UNMAP domain 1, 0x10000..0x13fff -> OK
24: MAP domain 1, 0x14000..0x14fff -> OK
early batch of 2 requests; 2 commands
EOF
head -n 3 "$work/order" | cmp -s - "$work/expected" || complain "it does not: $(cat "$work/order")"
has '^    iommu 0  (wait for completion)$'
[ "$(tail -n 1 "$work/order")" = "25: MAP domain 1, 0x12000..0x12fff -> OK" ] ||
    complain "the MAP does not come after it"

for words in single batch; do
    "$xinv" replay tests/golden/kicks.requests --platform intel-vtd-legacy --bin "$work/$words" \
        $([ $words = single ] || echo --batch) >/dev/null || complain "failed"
done
name="words of a batch are written once"
[ "$(wc -c <"$work/batch")" -lt "$(wc -c <"$work/single")" ] || complain "no fewer than one by one"
[ $(($(wc -c <"$work/batch") % 16)) -eq 0 ] || complain "not whole"
finish
