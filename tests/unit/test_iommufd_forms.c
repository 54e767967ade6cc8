// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests as entries for the kernel. Bytes are the worked examples H1 to H6, assembled by hand
 * from linux/iommufd.h and IHI 0070 4.3 to 4.5.
 */
#include <criterion/criterion.h>

#include <stdio.h>

#include "tests/support/hostrig.h"

static struct hostrig h;

#define VTD  "iommufd-vtd-s1"
#define SMMU "iommufd-arm-smmuv3"
#define N(x) (sizeof(x) / sizeof((x)[0]))

static void expect_bytes(const void *got, const char *hex)
{
    const uint8_t *b = got;

    for (size_t i = 0; hex[2 * i]; i++) {
        unsigned byte;

        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        cr_assert_eq(b[i], byte, "byte %zu is %02x, not %02x", i, b[i], byte);
    }
}

/* B2 and C5's like: leaves of 512 pages of 4 KiB from 0x40000000, ASID or HWPT known. */
static struct xinv_request range_of_512(void)
{
    struct xinv_request r = host_invalidate(XINV_INV_IOTLB, XINV_SCOPE_ADDRESS);

    r.flags |= XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY;
    r.first = 0x40000000;
    r.last = 0x401fffff;
    return r;
}

/* ---- H1 to H6 ---- */

Test(iommufd_forms, h1_the_argument_of_a_call)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = range_of_512();

    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    cr_assert_eq(h.calls[0].data_uptr, (uint64_t)(uintptr_t)h.words);
    h.calls[0].data_uptr = 0x7f1200001000;
    expect_bytes(&h.calls[0], "200000000600000000100000127f000000000000180000000100000000000000");
}

Test(iommufd_forms, h2_every_address_of_a_hwpt)
{
    static const uint8_t scopes[] = {XINV_SCOPE_DOMAIN, XINV_SCOPE_PASID, XINV_SCOPE_ENDPOINT};
    struct xinv_attachment at = host_attachment();

    host_open(&h, VTD, NULL, 0);
    for (size_t i = 0; i < N(scopes); i++) {
        struct xinv_request r = host_invalidate(XINV_INV_IOTLB, scopes[i]);

        cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
        cr_assert_eq(h.calls[0].entry_num, 1);
        expect_bytes(host_entry(&h, 0, 0), "0000000000000000ffffffffffffffff0000000000000000");
    }
}

Test(iommufd_forms, h3_a_range_of_leaves)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = range_of_512();

    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    cr_assert_eq(h.calls[0].entry_num, 1);
    expect_bytes(host_entry(&h, 0, 0), "000000400000000000020000000000000100000000000000");
    r.flags &= (uint16_t)~XINV_REQ_LEAF_ONLY; /* B3: table pages too */
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    expect_bytes(host_entry(&h, 0, 0), "000000400000000000020000000000000000000000000000");
}

Test(iommufd_forms, h4_a_page_of_an_asid_without_a_vmid)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_invalidate(XINV_INV_IOTLB, XINV_SCOPE_ADDRESS);

    r.flags |= XINV_REQ_ASID | XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY;
    r.asid = HOST_ASID;
    r.first = 0x40000000;
    r.last = 0x40000fff;
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    cr_assert_eq(h.calls[0].entry_num, 1);
    cr_assert_eq(h.calls[0].hwpt_id, HOST_VIOMMU);
    cr_assert_eq(h.calls[0].data_type, XINV_IOMMUFD_DATA_ARM_SMMUV3);
    cr_assert_eq(h.calls[0].entry_len, 16);
    expect_bytes(host_entry(&h, 0, 0), "12000000000005000100004000000000");
}

Test(iommufd_forms, h5_a_context_descriptor_of_a_virtual_stream)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_invalidate(XINV_INV_PASID_CONFIG, XINV_SCOPE_PASID);

    r.flags |= XINV_REQ_PASID | XINV_REQ_LEAF_ONLY;
    r.pasid = HOST_SSID;
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    expect_bytes(host_entry(&h, 0, 0), "05300000080000000100000000000000");
}

Test(iommufd_forms, h6_sixteen_pages_of_an_atc)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_invalidate(XINV_INV_DEVICE_TLB, XINV_SCOPE_ADDRESS);

    r.flags |= XINV_REQ_PASID | XINV_REQ_RANGE;
    r.pasid = HOST_SSID;
    r.first = 0x40000000;
    r.last = 0x4000ffff;
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    expect_bytes(host_entry(&h, 0, 0), "40380000080000000400004000000000");
}

/* ---- Queues: one for each object ---- */

Test(iommufd_forms, entries_of_one_object_stand_in_one_call)
{
    struct xinv_attachment at[4];
    struct xinv_request r = host_unmap(0x1000, 0x2fff); /* two blocks */

    for (unsigned i = 0; i < 4; i++) {
        at[i] = host_attachment();
        at[i].rid = HOST_SID + i;
        at[i].did = HOST_HWPT + i % 2;
    }
    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_run(&h, at, 4, &r, NULL), 2);
    for (int c = 0; c < 2; c++) {
        cr_assert_eq(h.calls[c].hwpt_id, HOST_HWPT + (unsigned)c);
        cr_assert_eq(h.calls[c].entry_num, 2, "an endpoint more on a HWPT asks for nothing more");
        cr_assert_eq(host_entry(&h, c, 0)[0], 0x1000);
        cr_assert_eq(host_entry(&h, c, 1)[0], 0x2000);
    }
}

Test(iommufd_forms, streams_of_one_viommu_stand_in_one_call_in_whatever_order_they_come)
{
    struct xinv_attachment at[4];
    struct xinv_request r = host_unmap(0x40000000, 0x40000fff);

    for (unsigned i = 0; i < 4; i++) {
        at[i] = host_attachment();
        at[i].rid = HOST_SID + i;
        at[i].vmid = HOST_VIOMMU + i % 2;
    }
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, at, 4, &r, NULL), 4, "a TLB and the ATCs for each of two");
    for (int c = 2; c < 4; c++) {
        cr_assert_eq(h.calls[c].hwpt_id, HOST_VIOMMU + (unsigned)c - 2);
        cr_assert_eq(h.calls[c].entry_num, 2);
        cr_assert_eq(host_entry(&h, c, 0)[0] >> 32, HOST_SID + (unsigned)c - 2);
        cr_assert_eq(host_entry(&h, c, 1)[0] >> 32, HOST_SID + (unsigned)c);
    }
}

/* 3.9.1: the ATC is invalidated when the TLB is clean; the kernel syncs where a call ends. */
Test(iommufd_forms, a_tlb_and_an_atc_are_two_calls)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_unmap(0x40000000, 0x40000fff);

    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 2);
    cr_assert_eq(host_entry(&h, 0, 0)[0] & 0xff, 0x12);
    cr_assert_eq(host_entry(&h, 1, 0)[0] & 0xff, 0x40);
    cr_assert_eq(h.report.syncs, 0);
    cr_assert_eq(h.out.n_words, 4, "no sync of its own");
    cr_assert_eq(h.out.n_steps, 3);
    cr_assert_eq(h.steps[1].kind, XINV_STEP_WAIT);
}

Test(iommufd_forms, an_atc_is_only_invalidated_where_it_is_on)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_unmap(0x40000000, 0x40000fff);

    at.flags = 0; /* the guest's STE.EATS does not translate */
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    cr_assert_eq(h.calls[0].entry_num, 1);
    cr_assert_eq(host_entry(&h, 0, 0)[0] & 0xff, 0x12);
}

/* Virtual StreamIDs are each vIOMMU's own. */
Test(iommufd_forms, streams_of_the_same_number_on_two_viommus_are_two_streams)
{
    struct xinv_attachment at[2] = {host_attachment(), host_attachment()};
    struct xinv_request r = host_unmap(0x40000000, 0x40000fff);

    at[1].vmid = 0x12345; /* object IDs are wider than VMIDs */
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_run(&h, at, 2, &r, NULL), 4);
    for (int c = 0; c < 4; c++) {
        cr_assert_eq(h.calls[c].hwpt_id, c % 2 ? 0x12345u : HOST_VIOMMU);
        cr_assert_eq(h.calls[c].entry_num, 1);
        cr_assert_eq(host_entry(&h, c, 0)[0] & 0xff, c < 2 ? 0x12 : 0x40);
    }
    cr_assert_eq(host_entry(&h, 1, 0)[0] >> 32 & 0xffff, 0, "VMID");
    cr_assert_eq(host_entry(&h, 3, 0)[0] >> 32, HOST_SID);
}

Test(iommufd_forms, an_attachment_without_its_object_is_refused)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_unmap(0x40000000, 0x40000fff);

    at.known &= (uint8_t)~XINV_TAG_BIT(XINV_TAG_DID);
    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_try(&h, &at, 1, &r), -XINV_E_INVAL);
    cr_assert_eq(h.report.at, &at);
    cr_assert_eq(h.report.at_tag, XINV_TAG_DID);
    at = host_attachment();
    at.known &= (uint8_t)~XINV_TAG_BIT(XINV_TAG_VMID);
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_try(&h, &at, 1, &r), -XINV_E_INVAL);
    cr_assert_eq(h.report.at_tag, XINV_TAG_VMID);
}

/* ---- Ranges ---- */

/* One entry, which must say exactly this. */
static void expect_entry(uint64_t first, uint64_t last, const struct xinv_policy *policy,
                         uint64_t addr, uint64_t npages)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_unmap(first, last);

    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, policy), 1);
    cr_assert_eq(h.calls[0].entry_num, 1, "%u", h.calls[0].entry_num);
    cr_assert_eq(host_entry(&h, 0, 0)[0], addr);
    cr_assert_eq(host_entry(&h, 0, 0)[1], npages);
}

Test(iommufd_forms, a_range_that_reaches_the_top_is_every_address)
{
    static const struct xinv_policy latency = {XINV_POLICY_LATENCY, 0, 0};
    static const struct xinv_policy two = {XINV_POLICY_AT_MOST, 2, 0};
    const uint64_t top = UINT64_MAX;

    expect_entry(top - 0xfff, top, NULL, 0, UINT64_MAX);
    expect_entry(top - 0x1fff, top, NULL, 0, UINT64_MAX);
    expect_entry(0, top, NULL, 0, UINT64_MAX);
    expect_entry(0x1000, top, NULL, 0, UINT64_MAX);
    expect_entry(top, top, NULL, 0, UINT64_MAX);
    cr_assert_eq(h.report.extra_unbounded, 1, "and the report says so");
    /* the page below it is not touched by that, unless it is rounded */
    expect_entry(top - 0x1fff, top - 0x1000, NULL, top - 0x1fff, 1);
    expect_entry(top - 0x2fff, top - 0x1000, &latency, 0, UINT64_MAX);
    expect_entry(top - 0x1fff, top - 0x1000, &latency, top - 0x1fff, 1);
    expect_entry(top - 0x1fff, top - 0x1000, &two, top - 0x1fff, 1);
}

Test(iommufd_forms, few_blocks_that_would_reach_the_top_are_cut_exactly)
{
    static const struct xinv_policy one = {XINV_POLICY_AT_MOST, 1, 0};
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_unmap(UINT64_MAX - 0x2fff, UINT64_MAX - 0x1000);

    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, &one), 1);
    for (uint32_t i = 0; i < h.calls[0].entry_num; i++) {
        const uint64_t *w = host_entry(&h, 0, i);

        cr_assert(w[1] == UINT64_MAX || w[1] < (UINT64_MAX >> 12) - (w[0] >> 12) + 1);
    }
}

Test(iommufd_forms, leaves_below_the_top_that_round_to_it_are_every_address)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_unmap(UINT64_MAX - 0x1fff, UINT64_MAX - 0x1000);

    r.log2_leaf_size = 21;
    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_run(&h, &at, 1, &r, NULL), 1);
    cr_assert_eq(h.calls[0].entry_num, 1);
    cr_assert_eq(host_entry(&h, 0, 0)[1], UINT64_MAX);
}

Test(iommufd_forms, pages_that_are_not_whole_are_rounded_outward)
{
    expect_entry(0x40000123, 0x40000124, NULL, 0x40000000, 1);
    expect_entry(0x40000fff, 0x40001000, &(struct xinv_policy){XINV_POLICY_LATENCY, 0, 0},
                 0x40000000, 2);
}

/* ---- What the kernel has no form for ---- */

static int refusal(const char *platform, uint8_t change, uint8_t from)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = {
        .change = change, .from = from, .flags = XINV_REQ_RANGE, .last = 0xfff};

    host_open(&h, platform, NULL, 0);
    return host_try(&h, &at, 1, &r);
}

Test(iommufd_forms, what_has_no_entry_is_refused_on_vtd)
{
    for (uint8_t change = XINV_CHANGE_STAGE2_PTE; change < XINV_NCHANGES; change++)
        for (uint8_t from = XINV_FROM_PRESENT; from <= XINV_FROM_NOT_PRESENT; from++)
            cr_assert_eq(refusal(VTD, change, from), -XINV_E_UNSUPP, "change %u from %u", change,
                         from);
}

Test(iommufd_forms, what_has_no_command_is_refused_on_smmuv3)
{
    static const struct {
        uint8_t change;
        uint8_t cache;
    } expect[] = {
        {XINV_CHANGE_STAGE2_PTE, XINV_CACHE_STAGE2},
        {XINV_CHANGE_PASID_TABLE, XINV_CACHE_DEVICE_CONFIG},
        {XINV_CHANGE_DEVICE_ENTRY, XINV_CACHE_DEVICE_CONFIG},
        {XINV_CHANGE_TAG_RELEASE, XINV_CACHE_STAGE2},
        {XINV_CHANGE_EVERYTHING, XINV_CACHE_DEVICE_CONFIG},
    };

    for (size_t i = 0; i < N(expect); i++) {
        cr_assert_eq(refusal(SMMU, expect[i].change, 0), -XINV_E_MUST_BLOCK, "change %u",
                     expect[i].change);
        cr_assert_eq(h.report.at_cache, expect[i].cache, "change %u: %u", expect[i].change,
                     h.report.at_cache);
    }
}

Test(iommufd_forms, tables_of_the_host_have_no_place)
{
    static const char *const names[] = {VTD, SMMU};
    static const uint8_t stages[] = {XINV_STAGE_STAGE1, XINV_STAGE_STAGE2, XINV_STAGE_PASSTHROUGH};

    for (size_t p = 0; p < N(names); p++)
        for (size_t i = 0; i < N(stages); i++) {
            struct xinv_attachment at = host_attachment();
            struct xinv_request r = host_unmap(0, 0xfff);

            at.stage = stages[i];
            host_open(&h, names[p], NULL, 0);
            cr_assert_eq(host_try(&h, &at, 1, &r), -XINV_E_UNSUPP, "%s, stage %u", names[p],
                         stages[i]);
        }
}

Test(iommufd_forms, the_caches_of_all_users_are_out_of_reach)
{
    struct xinv_attachment at = host_attachment();
    struct xinv_request r = host_invalidate(XINV_INV_IOTLB, XINV_SCOPE_EVERYTHING);

    r.flags |= XINV_REQ_BEYOND;
    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(host_try(&h, &at, 1, &r), -XINV_E_UNSUPP);
    host_open(&h, SMMU, NULL, 0);
    cr_assert_eq(host_try(&h, &at, 1, &r), -XINV_E_MUST_BLOCK);
}

Test(iommufd_forms, a_page_that_was_not_present_asks_for_nothing)
{
    cr_assert_eq(refusal(VTD, XINV_CHANGE_STAGE1_PTE, XINV_FROM_NOT_PRESENT), 0);
    cr_assert_eq(refusal(SMMU, XINV_CHANGE_STAGE1_PTE, XINV_FROM_NOT_PRESENT), 0);
}

Test(iommufd_forms, amd_has_no_form_and_says_what_to_do)
{
    const struct xinv_platform *p = xinv_platform_find("iommufd-amd");
    struct xinv_iommu iommu = {.words = 77};

    cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), -XINV_E_NOFORM);
    cr_assert_eq(iommu.words, 77);
    cr_assert(strstr(p->absent, "IOMMU_IOAS_UNMAP"), "%s", p->absent);
    cr_assert_str_eq(xinv_strerror(-XINV_E_NOFORM), "nothing takes invalidations there");
}

/* ---- Completion ---- */

Test(iommufd_forms, a_list_completes_by_itself_and_in_no_other_way)
{
    static const struct xinv_completion store = {.store = 1, .address = 0x1000};
    static const char *const names[] = {VTD, SMMU};

    for (size_t p = 0; p < N(names); p++) {
        struct xinv_attachment at = host_attachment();
        struct xinv_request r = host_unmap(0, 0xfff);
        struct xinv_out none = {0};

        host_open(&h, names[p], NULL, 0);
        cr_assert_eq(xinv_sync(&h.iommu, NULL, &none), 0);
        cr_assert_eq(none.n_words + none.n_steps, 0);
        cr_assert_eq(xinv_sync(&h.iommu, &store, &none), -XINV_E_INVAL);
        cr_assert_eq(xinv_translate(&h.iommu, &at, 1, &r, NULL, &store, &none, NULL),
                     -XINV_E_INVAL);
    }
}

/* ---- Calls of a list ---- */

Test(iommufd_forms, a_step_above_the_kernels_limit_is_several_calls)
{
    static uint64_t words[1];
    struct xinv_step steps[2] = {
        {.kind = XINV_STEP_QUEUE, .count = 3 * (XINV_IOMMUFD_MAX_ENTRIES + 1), .target = 9},
        {.kind = XINV_STEP_WAIT}};
    struct xinv_out out = {.words = words, .steps = steps, .n_words = steps[0].count, .n_steps = 2};
    struct xinv_iommufd_hwpt_invalidate calls[3] = {{.size = 7}, {.size = 7}, {.size = 7}};

    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &out, NULL, 0), 2);
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &out, calls, 1), -XINV_E_NOSPACE);
    cr_assert_eq(calls[0].size, 7, "nothing has changed");
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &out, calls, 3), 2);
    cr_assert_eq(calls[0].entry_num, XINV_IOMMUFD_MAX_ENTRIES);
    cr_assert_eq(calls[1].entry_num, 1);
    cr_assert_eq(calls[1].hwpt_id, 9);
    cr_assert_eq(calls[1].data_uptr - calls[0].data_uptr, 24u * XINV_IOMMUFD_MAX_ENTRIES);
    cr_assert_eq(calls[2].size, 7);
}

Test(iommufd_forms, calls_are_made_of_lists_for_the_kernel_alone)
{
    struct xinv_out out = {.words = h.words, .steps = h.steps, .ring_words = 64};
    struct xinv_iommu iommu;

    host_open(&h, VTD, NULL, 0);
    cr_assert_eq(xinv_iommufd_calls(NULL, &out, NULL, 0), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, NULL, NULL, 0), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &out, NULL, 0), -XINV_E_INVAL, "a ring");
    out.ring_words = 0;
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &out, NULL, 0), 0, "an empty list");
    out.n_steps = 1;
    out.words = NULL;
    cr_assert_eq(xinv_iommufd_calls(&h.iommu, &out, NULL, 0), -XINV_E_INVAL, "no words");
    cr_assert_eq(xinv_iommu_init(&iommu, xinv_platform_find("arm-smmuv3-generic"), NULL, NULL, 0),
                 0);
    out.n_steps = 0;
    cr_assert_eq(xinv_iommufd_calls(&iommu, &out, NULL, 0), -XINV_E_INVAL, "hardware");
}
