// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Every UNMAP of the recorded guests, put as the unmapping of a guest-owned stage 1, as calls; and
 * what the kernel does with those calls, written from drivers/iommu/intel/nested.c and cache.c and
 * drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c as the reference describes them: the hardware
 * then forgets every page that was asked.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "tests/support/hostrig.h"

#define PAGE UINT64_C(0x1000)

static struct hostrig h;

/* ---- The recorded guests ---- */

struct unmap {
    uint64_t first;
    uint64_t last;
};

static uint64_t hex_le64(const char *hex)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned byte;

        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        value |= (uint64_t)byte << 8 * i;
    }
    return value;
}

/* A line is "TIME REQUEST RESPONSE"; an UNMAP is of type 4, its range at bytes 8 and 16. */
static size_t read_unmaps(const char *name, struct unmap **unmaps)
{
    static char line[4096];
    char path[4096];
    size_t n = 0;
    gzFile f;

    snprintf(path, sizeof(path), "%s/tests/data/captures/%s.requests.gz", getenv("XINV_SOURCE_DIR"),
             name);
    f = gzopen(path, "rb");
    cr_assert(f, "%s", path);
    *unmaps = NULL;
    while (gzgets(f, line, sizeof(line))) {
        const char *hex = strchr(line, ' ');

        if (line[0] == '#' || !hex || strncmp(hex + 1, "04", 2) != 0 || strlen(hex) < 57)
            continue;
        *unmaps = realloc(*unmaps, (n + 1) * sizeof(**unmaps));
        (*unmaps)[n].first = hex_le64(hex + 1 + 16);
        (*unmaps)[n++].last = hex_le64(hex + 1 + 32);
    }
    gzclose(f);
    return n;
}

/* ---- What hardware has forgotten ---- */

/* One kind of entry of one user: an IOTLB under a tag, or the device TLB of an endpoint. */
struct forgotten {
    uint32_t user;
    bool atc;
    uint64_t first;
    uint64_t last;
    int call;
};

static struct forgotten log_[HOST_WORDS];
static size_t n_log;

static void forget(uint32_t user, bool atc, uint64_t first, uint64_t last, int call)
{
    cr_assert_lt(n_log, HOST_WORDS);
    log_[n_log++] = (struct forgotten){user, atc, first, last, call};
}

static int by_first(const void *a, const void *b)
{
    const struct forgotten *x = a;
    const struct forgotten *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

/* Is every page of the range gone, for that user? The first call that removes one in *from, the
 * last one in *to. */
static bool is_gone(uint32_t user, bool atc, const struct unmap *u, int *from, int *to)
{
    uint64_t next = u->first & ~(PAGE - 1);

    *from = HOST_CALLS;
    *to = -1;
    for (size_t i = 0; i < n_log; i++) { /* sorted */
        if (log_[i].user != user || log_[i].atc != atc || log_[i].last < next)
            continue;
        if (log_[i].first > next)
            return false;
        *from = log_[i].call < *from ? log_[i].call : *from;
        *to = log_[i].call > *to ? log_[i].call : *to;
        if (log_[i].last >= u->last)
            return true;
        next = log_[i].last + 1;
    }
    return false;
}

/* Did anything go that is not on a page that was asked? */
static bool is_exact(const struct unmap *u)
{
    for (size_t i = 0; i < n_log; i++)
        if (log_[i].first < (u->first & ~(PAGE - 1)) || log_[i].last > (u->last | (PAGE - 1)))
            return false;
    return true;
}

/* ---- The kernel on VT-d ---- */

/* Tags of a nested HWPT: a domain ID and PASID on each unit, and the ATS endpoints behind it. */
struct hwpt {
    uint32_t id;
    uint32_t tags[2];
    uint32_t endpoint; /* with ATS; 0: none */
};

static const struct hwpt hwpts[2] = {{6, {0x100, 0x101}, 0}, {7, {0x200, 0}, 0x10}};

static void vtd_range(const struct hwpt *t, uint64_t first, uint64_t last, int call)
{
    uint64_t pages = ((last - first) >> 12) + 1;
    uint64_t size = PAGE;

    /* one aligned block of a power of two, as large as it takes to hold both ends */
    while (size && ((first ^ last) & ~(size - 1)))
        size <<= 1;
    cr_assert(pages);
    if (!size)
        size = 0; /* the whole space */
    for (unsigned i = 0; i < 2; i++)
        if (t->tags[i])
            forget(t->tags[i], false, first & ~(size - 1), last | (size - 1), call);
    if (t->endpoint)
        forget(t->endpoint, true, first & ~(size - 1), last | (size - 1), call);
}

static void vtd_call(const struct xinv_iommufd_hwpt_invalidate *c, int call)
{
    const uint64_t *w = (const uint64_t *)(uintptr_t)c->data_uptr;
    const struct hwpt *t = c->hwpt_id == 6 ? &hwpts[0] : &hwpts[1];

    cr_assert(c->hwpt_id == 6 || c->hwpt_id == 7);
    cr_assert_eq(c->entry_len, 24);
    cr_assert_eq(c->data_type, 0);
    for (uint32_t i = 0; i < c->entry_num; i++, w += 3) {
        cr_assert_eq(w[2] & ~UINT64_C(1), 0);
        cr_assert_eq(w[0] & (PAGE - 1), 0);
        cr_assert_neq(w[1], 0);
        if (w[1] == UINT64_MAX) {
            cr_assert_eq(w[0], 0);
            vtd_range(t, 0, UINT64_MAX, call);
            continue;
        }
        cr_assert_lt(w[1], (UINT64_MAX >> 12) - (w[0] >> 12) + 1, "it wraps");
        vtd_range(t, w[0], w[0] + (w[1] << 12) - 1, call);
    }
}

static void vtd(const struct unmap *u)
{
    struct xinv_attachment at[3] = {host_attachment(), host_attachment(), host_attachment()};
    struct xinv_request r = host_unmap(u->first, u->last);
    int from;
    int to;

    at[0].did = 6; /* two endpoints without ATS on one HWPT, one with ATS on another */
    at[0].flags = 0;
    at[1].did = 6;
    at[1].flags = 0;
    at[1].rid++;
    at[2].did = 7;
    at[2].rid += 2;
    (void)host_run(&h, at, 3, &r, NULL);
    n_log = 0;
    for (int c = 0; c < h.n_calls; c++)
        vtd_call(&h.calls[c], c);
    qsort(log_, n_log, sizeof(*log_), by_first);
    cr_assert(is_gone(0x100, false, u, &from, &to));
    cr_assert(is_gone(0x101, false, u, &from, &to));
    cr_assert(is_gone(0x200, false, u, &from, &to));
    cr_assert(is_gone(0x10, true, u, &from, &to));
    cr_assert(u->last == UINT64_MAX || is_exact(u));
}

/* ---- The kernel on SMMUv3 ---- */

/* vDEVICEs: (vIOMMU, virtual StreamID) and what the kernel puts in its place. */
static const struct {
    uint32_t viommu;
    uint32_t vsid;
    uint32_t sid;
} vdevices[] = {{3, 8, 0x108}, {3, 9, 0x109}, {4, 8, 0x208}};

static uint32_t vmid_of(uint32_t viommu)
{
    return 0x70 + viommu;
}

static void smmu_tlbi(uint32_t viommu, const uint64_t *w, int call)
{
    uint64_t address = w[1] & ~(PAGE - 1);
    unsigned tg = w[1] >> 10 & 3;
    uint64_t granule = UINT64_C(1) << (tg ? 10 + 2 * tg : 12);
    uint64_t n = ((w[0] >> 12 & 31) + 1) << (w[0] >> 20 & 31);

    cr_assert_eq(w[0] >> 32 & 0xffff, 0, "the VMID is the kernel's");
    switch (w[0] & 0xff) {
    case 0x10: /* NH_ALL */
        forget(vmid_of(viommu), false, 0, UINT64_MAX, call);
        break;
    case 0x11: /* NH_ASID */
        cr_assert_eq(w[0] >> 48, HOST_ASID);
        forget(vmid_of(viommu), false, 0, UINT64_MAX, call);
        break;
    default: /* NH_VA */
        cr_assert_eq(w[0] & 0xff, 0x12);
        cr_assert_eq(w[0] >> 48, HOST_ASID);
        forget(vmid_of(viommu), false, address, address + n * granule - 1, call);
        break;
    }
}

static void smmu_atc(uint32_t viommu, const uint64_t *w, int call)
{
    unsigned order = w[1] & 63;
    uint64_t size = order < 52 ? PAGE << order : 0;
    uint64_t first = w[1] & ~(PAGE - 1);
    bool found = false;

    cr_assert_eq(first & (size - 1), 0);
    for (size_t i = 0; i < sizeof(vdevices) / sizeof(vdevices[0]); i++)
        if (vdevices[i].viommu == viommu && vdevices[i].vsid == w[0] >> 32) {
            forget(vdevices[i].sid, true, first, first + (size - 1), call);
            found = true;
        }
    cr_assert(found, "no vDEVICE");
}

static void smmu_call(const struct xinv_iommufd_hwpt_invalidate *c, int call)
{
    const uint64_t *w = (const uint64_t *)(uintptr_t)c->data_uptr;

    cr_assert_eq(c->entry_len, 16);
    cr_assert_eq(c->data_type, 1);
    for (uint32_t i = 0; i < c->entry_num; i++, w += 2)
        if ((w[0] & 0xff) == 0x40)
            smmu_atc(c->hwpt_id, w, call);
        else
            smmu_tlbi(c->hwpt_id, w, call);
}

/* The ATC may be filled from the TLB until the call that cleans that is over. */
static void expect_in_order(uint32_t viommu, uint32_t sid, const struct unmap *u)
{
    int tlb_from;
    int tlb_to;
    int atc_from;
    int atc_to;

    cr_assert(is_gone(vmid_of(viommu), false, u, &tlb_from, &tlb_to));
    cr_assert(is_gone(sid, true, u, &atc_from, &atc_to));
    cr_assert_lt(tlb_to, atc_from);
}

static void smmu(const struct unmap *u, const struct xinv_policy *policy)
{
    struct xinv_attachment at[3] = {host_attachment(), host_attachment(), host_attachment()};
    struct xinv_request r = host_unmap(u->first, u->last);
    bool whole = u->first == 0 && u->last == UINT64_MAX;
    int from;
    int to;

    at[1].rid = 9; /* no ATS there */
    at[1].flags = 0;
    at[2].vmid = 4; /* behind another SMMU, under the same StreamID */
    (void)host_run(&h, at, 3, &r, policy);
    n_log = 0;
    for (int c = 0; c < h.n_calls; c++)
        smmu_call(&h.calls[c], c);
    qsort(log_, n_log, sizeof(*log_), by_first);
    expect_in_order(3, 0x108, u);
    expect_in_order(4, 0x208, u);
    cr_assert_not(is_gone(0x109, true, u, &from, &to), "its ATC is off, and would not answer");
    cr_assert(whole || h.report.extra_unbounded || is_exact(u));
}

/* ---- All of them ---- */

static const char *const captures[] = {"viommu-x86-6.12-strict", "viommu-x86-6.12-lazy",
                                       "viommu-arm64-6.12-strict"};

static size_t for_each(void (*one)(const struct unmap *u))
{
    size_t all = 0;

    for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
        struct unmap *unmaps;
        size_t n = read_unmaps(captures[i], &unmaps);

        cr_assert_gt(n, 100, "%s: %zu", captures[i], n);
        for (size_t k = 0; k < n; k++)
            one(&unmaps[k]);
        free(unmaps);
        all += n;
    }
    return all;
}

static void smmu_pages(const struct unmap *u)
{
    static const struct xinv_policy limited = {XINV_POLICY_EXACT, 0, 4096};

    smmu(u, &limited);
}

Test(iommufd_captures, unmaps_leave_nothing_of_a_nested_domain_on_vtd)
{
    static const struct unmap edges[] = {{0, UINT64_MAX}, {UINT64_MAX - 0xfff, UINT64_MAX}, {0, 0}};

    host_open(&h, "iommufd-vtd-s1", NULL, 0);
    cr_assert_gt(for_each(vtd), 1000);
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
        vtd(&edges[i]);
}

Test(iommufd_captures, unmaps_leave_nothing_of_a_nested_domain_on_smmuv3)
{
    static const struct unmap edges[] = {{0, UINT64_MAX}, {UINT64_MAX - 0xfff, UINT64_MAX}, {0, 0}};

    for (uint16_t ril = 0; ril < 2; ril++) {
        host_open(&h, "iommufd-arm-smmuv3", "RIL", ril);
        cr_assert_gt(for_each(smmu_pages), 1000);
        for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
            smmu_pages(&edges[i]);
    }
}
