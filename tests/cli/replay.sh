#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# Recorded guests: every response as recorded, on every platform under every topology.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."
captures=tests/data/captures

expect "the strict x86 guest on VT-d" 0 "" -- \
    replay $captures/viommu-x86-6.12-strict.requests.gz --platform intel-vtd-legacy --json
python3 - "$work/out" <<'PY' || complain "see above"
import json, sys
d = json.load(open(sys.argv[1]))
(p,) = d["platforms"]
want = {"MAP": 10659, "UNMAP": 8674, "ATTACH": 33, "DETACH": 8, "PROBE": 13, "total": 19387}
assert p["platform"] == "intel-vtd-legacy", p
assert p["requests"] == want, p["requests"]
assert p["responses"] == {"equal": 19387, "different": 0}, p["responses"]
assert p["errors"] == 0
assert p["pages_extra"] == 0
names = {k: v for k, v in p["commands"].items() if k != "total"}
assert set(names) == {"iotlb", "cc", "wait"}, names
assert sum(names.values()) == p["commands"]["total"]
assert p["syncs"] == names["wait"]
assert p["bytes"] == 16 * p["commands"]["total"]
PY

set --
for topology in stage2 stage1 stage2-ats stage1-ats two-iommus; do
    set -- "$@" --topology tests/data/topologies/$topology.yaml
done
for guest in x86-6.12-strict x86-6.12-lazy arm64-6.12-strict; do
    case $guest in
    arm64-*) set -- --topology tests/data/topologies/arm64-virt.yaml ;;
    esac
    expect "$guest everywhere" 0 "" -- replay $captures/viommu-$guest.requests.gz --json "$@"
    python3 - "$work/out" <<'PY' || complain "see above"
import json, sys
d = json.load(open(sys.argv[1]))
assert len(d["platforms"]) >= 7
done = 0
for p in d["platforms"]:
    if "error" in p:
        # it lacks the stage, device TLBs or bypass; the error says which endpoint
        # of what a kernel takes, or does not take, no endpoint is at fault
        kernel = p["error"].startswith(("nothing takes", "a guest's MAP and UNMAP are the kernel's"))
        assert kernel == p["platform"].startswith("iommufd-"), p
        assert kernel or p["error"].startswith("endpoint 0x"), p
        continue
    done += 1
    where = p["platform"], p["topology"]
    assert p["responses"]["different"] == 0, where
    assert p["errors"] == 0, where
    # only a unit without page-selective invalidation gives the address up, and says so
    assert p["pages_extra"] == (0 if p["requests_unbounded"] == 0 else "unbounded"), where
    assert p["syncs"] > 0, where
assert done >= 5, done
PY
done

name="words of two IOMMUs go to two files"
"$xinv" replay tests/golden/tour.requests --platform arm-smmuv3-ril --bin "$work/words" \
    --topology tests/data/topologies/two-iommus.yaml >/dev/null || complain "failed"
for k in 0 1; do
    size=$(wc -c <"$work/words.$k")
    [ "$size" -gt 0 ] && [ $((size % 16)) -eq 0 ] || complain "words.$k has $size bytes"
done
finish
