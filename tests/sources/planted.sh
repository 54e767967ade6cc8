#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#
# scripts/check-sources.sh finds what it is for: each violation, planted in a copy of the sources, makes it fail and say where and what;
# what only looks like one does not.
set -eu
cd "$(dirname "$0")/../.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/clean"
cp -R core backends host schema "$tmp/clean"
status=0
cases=0

# A copy of the sources, as they are.
group() {
    rm -rf "$tmp/copy"
    cp -R "$tmp/clean" "$tmp/copy"
    : >"$tmp/expected"
}

# finds FILE LINES TEXT: with the lines at its end the file is refused, with a message about one of them that has the text.
finds() {
    first=$(($(wc -l <"$tmp/copy/$1") + 1))
    printf '%s\n' "$2" >>"$tmp/copy/$1"
    printf '%s|%s|%s|%s\n' "$1" "$first" "$(wc -l <"$tmp/copy/$1")" "$3" >>"$tmp/expected"
    cases=$((cases + 1))
}

# takes FILE LINES: the lines are no violation.
takes() {
    printf '%s\n' "$2" >>"$tmp/copy/$1"
    cases=$((cases + 1))
}

# The group has the violations that were expected, each of them, and no others.
check() {
    if sh scripts/check-sources.sh "$tmp/copy" >"$tmp/out" 2>&1; then failed=no; else failed=yes; fi
    awk -F'|' -v failed="$failed" '
    FILENAME == ARGV[1] { n++; file[n] = $1; first[n] = $2; last[n] = $3; text[n] = $4; next }
    {
        split($0, at, ":")
        hit = 0
        for (i = 1; i <= n; i++)
            if (at[1] == file[i] && at[2] + 0 >= first[i] + 0 && at[2] + 0 <= last[i] + 0) {
                hit = 1
                if (index($0, text[i])) found[i] = 1
            }
        if (n ? !hit : failed == "yes") { print "not planted: " $0; bad = 1 }
    }
    END {
        for (i = 1; i <= n; i++)
            if (!found[i]) { print "not found: " file[i] ":" first[i] ": " text[i]; bad = 1 }
        if (n && failed == "no") { print "nothing failed"; bad = 1 }
        exit bad
    }' "$tmp/expected" "$tmp/out" >&2 || status=1
}

# platforms and quirks
group
finds core/iommu.c 'static int f(const char *n) { return same(n, "arm-mmu-700"); }' 'the name of a platform'
finds core/iommu.c 'static int is_mmu_700(void) { return 1; }' 'the name of a platform'
finds backends/vtd/encode.c 'static const char qemu[] = "virtual";' 'the name of a platform'
finds backends/smmuv3/encode.c 'static int f(void) { if (tegra264) return 1; return 0; }' 'the name of a platform'
finds backends/smmuv3/encode.c 'static int f(const struct xinv_iommu *i) { return i->feature[XINV_SMMUV3_F_REPEAT_TLBI]; }' 'a quirk'
finds core/translate.c 'static int f(int no_nesting) { if (no_nesting) return 1; return 0; }' 'a quirk'
check

# fields, features and commands of vendors in the core
group
finds core/session.c 'static int f(int sidsize) { return sidsize; }' 'SIDSIZE'
finds core/session.c 'static int f(int np_cache) { return np_cache; }' 'NpCache'
finds core/session.c 'static int f(int streamID) { return streamID; }' 'StreamID'
finds core/cover.c 'static int tlbi_nh_asid(void) { return 1; }' 'TLBI_NH_ASID'
finds core/cover.c 'static const char text[] = "p_iotlb";' 'p_iotlb'
finds core/layout.h '#define CORE_DEVICE_ID 3' 'a vendor'
finds core/range.c 'static int f(int MaxPend) { return MaxPend; }' 'a vendor'
check

# includes
group
finds core/decode.c '#include "backends/vtd/vtd.h"' 'the core includes'
finds core/decode.c '#include "schema/generated/vtd_features.h"' 'the core includes'
finds core/decode.c '#include <stdlib.h>' 'the core includes'
finds backends/vtd/decode.c '#include "backends/amdvi/layout.h"' 'a backend includes'
finds backends/vtd/decode.c '#include <string.h>' 'a backend includes'
check

# the language
group
finds core/range.c 'static float f(int x) { return (float)x; }' 'floating point'
finds backends/vtd/encode.c 'static double f(int x) { return x; }' 'floating point'
finds core/map.c 'static void *f(void) { return malloc(4); }' 'allocation'
finds host/iommufd.c 'static void *f(void) { return malloc(4); }' 'allocation'
finds host/iommufd_calls.c 'static int calls;' 'not const'
finds host/iommufd_init.c '#include <linux/iommufd.h>' 'alone'
finds backends/amdvi/encode.c 'static void f(void *p) { free(p); }' 'allocation'
finds core/iommu.c 'static int f(const char *a, const char *b) { return strcmp(a, b); }' 'comparison of strings'
check

# objects that could be written to
group
finds core/map.c 'int counter;' 'static storage'
finds core/map.c 'static int counter = 3;' 'static storage'
finds core/map.c 'static struct xinv_iommu last_iommu;' 'static storage'
finds backends/smmuv3/decode.c 'static const char *names[] = {"a", "b"};' 'static storage'
finds backends/smmuv3/decode.c 'static const char *text = "a";' 'static storage'
finds backends/vtd/encode.c 'static int (*hook)(int);' 'static storage'
finds core/map.c 'int f(void);
int f(void)
{
    static unsigned calls;

    return (int)++calls;
}' 'static storage'
finds core/map.c 'extern int counter;' 'static storage'
check

# what is none of these
group
takes core/iommu.c '/* as arm-mmu-700 has it */'
takes core/iommu.c '// erratum of the nvidia-tegra264: REPEAT_TLBI'
takes backends/smmuv3/encode.c 'static const struct xinv_cond never[] = {{XINV_SMMUV3_F_NO_PREFETCH, XINV_COND_EQ, 0}};'
takes core/map.c 'int run(int x, int (*pass)(int));'
takes core/range.c 'static int f(int pasid, int leaf) { return pasid + leaf; }'
takes backends/amdvi/encode.c 'static int f(int np_cache) { return np_cache; }'
takes core/decode.c '#include "core/map.h"'
takes core/iommu.c 'static int f(int doubled, int free_tags) { return doubled + free_tags; }'
takes core/map.c 'static const uint8_t table[] = {1, 2};
static const char *const names[] = {"a", "b"};
extern const uint8_t other[2];
int f(int x);
int f(int x)
{
    static const int odd[] = {1, 3};
    int local = odd[1];

    for (int i = 0; i < x; i++)
        local += i;
    return local;
}
struct pair {
    int a;
    int *b;
};
typedef int hook(int);
enum { ONE, TWO };
static int (*const hooks[])(int) = {f};'
check

[ "$status" -eq 0 ] || exit 1
echo "$cases cases"
