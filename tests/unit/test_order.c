// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Whole command lists: what a change needs, in which order, with which syncs between. Every word
 * was assembled by hand from the specifications. The endpoint is 0310 (bus 3, device 2, function 0)
 * with an ATS queue depth of 16; its tags are ASID 35h, DID or DomainID 47h, VMID 59h (0 on a
 * stage-1-only stream).
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/listrig.h"

#define MAX_COMMANDS 12

#define PAGE UINT64_C(0x40000000)
#define ALL  UINT64_C(0x7ffffffffffff000) /* ones up to bit 62: every address of an endpoint */

/* The fence and the end of a list: SYNC (4.7.3); COMPLETION_WAIT with F, and plain (2.4.1) */
#define SYNC    \
    {           \
        0x46, 0 \
    }
#define FENCE                           \
    {                                   \
        UINT64_C(0x1000000000000004), 0 \
    }
#define WAIT                            \
    {                                   \
        UINT64_C(0x1000000000000000), 0 \
    }

struct list {
    const char *what;
    const char *platform;
    const char *feature; /* set to value, unless NULL */
    uint16_t value;
    uint8_t stage;
    uint8_t att_flags;
    uint8_t pasid; /* 0: traffic without PASID */
    uint8_t change;
    uint8_t from;
    uint16_t flags;
    uint8_t leaf;
    uint8_t policy;
    uint8_t n;
    uint64_t w[MAX_COMMANDS][2];
};

static struct xinv_attachment attachment(uint8_t stage, uint8_t pasid)
{
    struct xinv_attachment at = list_attachment(stage);

    at.rid = 0x0310;
    if (pasid) {
        at.known |= BIT(PASID);
        at.pasid = pasid;
    }
    return at;
}

static int run(const struct xinv_iommu *iommu, const struct xinv_attachment *at, size_t n,
               const struct xinv_request *r, uint8_t policy, struct xinv_out *out)
{
    struct xinv_policy p = {.kind = policy, .blocks = 1};

    return list_run(iommu, at, n, r, &p, out);
}

static void expect(const char *what, const struct xinv_iommu *iommu, const struct xinv_out *out,
                   const uint64_t (*w)[2], size_t n)
{
    cr_expect_eq(out->n_words, n * iommu->words, "%s: %u words instead of %zu", what, out->n_words,
                 n * iommu->words);
    list_expect(what, iommu, out, w, n);
}

static int run_list(const struct list *l, struct xinv_iommu *iommu, struct xinv_out *out)
{
    struct xinv_attachment at = attachment(l->stage, l->pasid);
    struct xinv_request r = {.change = l->change,
                             .from = l->from,
                             .flags = l->flags,
                             .log2_leaf_size = l->leaf,
                             .new_did = 0x48,
                             .first = PAGE,
                             .last = PAGE + 0xfff};

    at.flags = l->att_flags;
    *iommu = test_iommu(l->platform, l->feature, l->value);
    return run(iommu, &at, 1, &r, l->policy, out);
}

static void check(const struct list *lists, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct xinv_iommu iommu;
        struct xinv_out out;

        cr_expect_geq(run_list(&lists[i], &iommu, &out), 0, "%s", lists[i].what);
        expect(lists[i].what, &iommu, &out, lists[i].w, lists[i].n);
    }
}

#define S1               .stage = XINV_STAGE_STAGE1
#define S2               .stage = XINV_STAGE_STAGE2
#define NESTED           .stage = XINV_STAGE_NESTED
#define ATS              .att_flags = XINV_ATT_ATS
#define CHANGE(x)        .change = XINV_CHANGE_##x
#define FROM_NOT_PRESENT .from = XINV_FROM_NOT_PRESENT
#define RANGE            .flags = XINV_REQ_RANGE
#define LEAF             .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY, .leaf = 12

Test(order, smmuv3_tables_of_pages)
{
    static const struct list lists[] = {
        {"a stage-1 page, the ATC after a SYNC", "arm-smmuv3-ril", S1, ATS, CHANGE(STAGE1_PTE),
         LEAF, .n = 4,
         .w = {{UINT64_C(0x0035000000000012), PAGE | 0x701},
               SYNC,
               {UINT64_C(0x0000031000000040), PAGE},
               SYNC}},
        {"a stage-1 page of PASID 5", "arm-smmuv3-ril", S1, ATS, CHANGE(STAGE1_PTE), RANGE,
         .pasid = 5, .n = 4,
         .w = {{UINT64_C(0x0035000000000012), PAGE},
               SYNC,
               {UINT64_C(0x0000031000005840), PAGE},
               SYNC}},
        {"a stage-2 page", "arm-smmuv3-generic", S2, ATS, CHANGE(STAGE2_PTE), RANGE, .n = 4,
         .w = {{UINT64_C(0x000000590000002a), PAGE},
               SYNC,
               {UINT64_C(0x0000031000000040), PAGE},
               SYNC}},
        {"the whole of stage 1, globals among it", "arm-smmuv3-ril", S1, CHANGE(STAGE1_PTE),
         .flags = XINV_REQ_GLOBAL, .n = 2, .w = {{0x10, 0}, SYNC}},
        {"the whole of stage 1 without globals", "arm-smmuv3-ril", S1, CHANGE(STAGE1_PTE), .n = 2,
         .w = {{UINT64_C(0x0035000000000011), 0}, SYNC}},
        /* combined entries have no IPA: every one of the VMID goes, after the stage-2 entries */
        {"a stage-2 page under nesting", "arm-smmuv3-generic", NESTED, CHANGE(STAGE2_PTE), RANGE,
         .n = 4,
         .w =
             {{UINT64_C(0x000000590000002a), PAGE}, SYNC, {UINT64_C(0x0000005900000010), 0}, SYNC}},
        {"a stage-2 page under nesting with an ATC", "arm-smmuv3-generic", NESTED, ATS,
         CHANGE(STAGE2_PTE), RANGE, .pasid = 5, .n = 6,
         .w = {{UINT64_C(0x000000590000002a), PAGE},
               SYNC,
               {UINT64_C(0x0000005900000010), 0},
               SYNC,
               {UINT64_C(0x0000031000005840), 0x34},
               SYNC}},
    };

    check(lists, N(lists));
}

Test(order, smmuv3_configuration_before_translations_before_atc)
{
    static const struct list lists[] = {
        {"an STE of stage 2", "arm-smmuv3-ril", S2, ATS, CHANGE(DEVICE_ENTRY), .n = 6,
         .w = {{UINT64_C(0x0000031000000003), 0},
               SYNC,
               {UINT64_C(0x0000005900000028), 0},
               SYNC,
               {UINT64_C(0x0000031000000040), 0x34},
               SYNC}},
        {"an STE made valid", "arm-smmuv3-ril", S2, ATS, CHANGE(DEVICE_ENTRY), FROM_NOT_PRESENT,
         .flags = XINV_REQ_LEAF_ONLY, .n = 2, .w = {{UINT64_C(0x0000031000000003), 1}, SYNC}},
        {"a CD", "arm-smmuv3-ril", S1, ATS, CHANGE(PASID_ENTRY), .pasid = 5, .n = 6,
         .w = {{UINT64_C(0x0000031000005005), 0},
               SYNC,
               {UINT64_C(0x0035000000000011), 0},
               SYNC,
               {UINT64_C(0x0000031000005840), 0x34},
               SYNC}},
        {"a VMID is released", "arm-smmuv3-ril", S2, CHANGE(TAG_RELEASE), .n = 2,
         .w = {{UINT64_C(0x0000005900000028), 0}, SYNC}},
        {"everything", "arm-smmuv3-ril", S2, CHANGE(EVERYTHING), .n = 4,
         .w = {{4, 0x1f}, SYNC, {0x30, 0}, SYNC}},
        /* the two of one phase may come in any order */
        {"everything, EL2 with it", "arm-smmuv3-ril", "Hyp", 1, S2, CHANGE(EVERYTHING), .n = 5,
         .w = {{4, 0x1f}, SYNC, {0x30, 0}, {0x20, 0}, SYNC}},
    };

    check(lists, N(lists));
}

/* One queue orders config, IOTLB and Device-TLB: no fence between */
Test(order, vtd_iotlb_before_device_tlb)
{
    static const struct list lists[] = {
        {"a second-stage page", "intel-vtd-legacy", S2, ATS, CHANGE(STAGE2_PTE), RANGE, .n = 2,
         .w = {{0x4700f2, PAGE}, {UINT64_C(0x0000031000100003), PAGE}}},
        {"a second-stage page without PSI", "intel-vtd-legacy", "PSI", 0, S2, ATS,
         CHANGE(STAGE2_PTE), RANGE, .n = 2,
         .w = {{0x4700e2, 0}, {UINT64_C(0x0000031000100003), PAGE}}},
        /* requests without PASID are PASID 0 to the IOTLB, and have none in the Device-TLB */
        {"a first-stage page", "intel-vtd-scalable", S1, ATS, CHANGE(STAGE1_PTE), LEAF, .n = 2,
         .w = {{0x470036, PAGE | 0x40}, {UINT64_C(0x0000031000100003), PAGE}}},
        {"a first-stage page of PASID 5", "intel-vtd-scalable", S1, ATS, CHANGE(STAGE1_PTE), RANGE,
         .pasid = 5, .n = 2,
         .w = {{UINT64_C(0x0000000500470036), PAGE}, {UINT64_C(0x0000000503100108), PAGE}}},
        {"a second-stage page under nesting", "intel-vtd-scalable", NESTED, ATS, CHANGE(STAGE2_PTE),
         RANGE, .pasid = 5, .n = 2,
         .w = {{0x4700f2, PAGE}, {UINT64_C(0x0000000503100108), ALL | 0x800}}},
    };

    check(lists, N(lists));
}

Test(order, vtd_configuration_before_iotlb_before_device_tlb)
{
    static const struct list lists[] = {
        {"a context entry", "intel-vtd-legacy", S2, ATS, CHANGE(DEVICE_ENTRY), .n = 3,
         .w = {{UINT64_C(0x0000031000470031), 0},
               {0x4700e2, 0},
               {UINT64_C(0x0000031000100003), ALL | 1}}},
        {"a PASID entry", "intel-vtd-scalable", S1, ATS, CHANGE(PASID_ENTRY), .pasid = 5, .n = 3,
         .w = {{UINT64_C(0x0000000500470017), 0},
               {UINT64_C(0x0000000500470026), 0},
               {UINT64_C(0x0000000503100108), ALL | 0x800}}},
        {"a PASID entry of the second stage", "intel-vtd-scalable", S2, CHANGE(PASID_ENTRY),
         .pasid = 5, .n = 2, .w = {{UINT64_C(0x0000000500470017), 0}, {0x4700e2, 0}}},
        {"a context entry made present costs nothing", "intel-vtd-legacy", S2, CHANGE(DEVICE_ENTRY),
         FROM_NOT_PRESENT, .n = 0},
        /* under caching mode it was cached as not present, with DID 0 */
        {"a context entry made present under caching mode", "qemu-intel-caching-mode", S2,
         CHANGE(DEVICE_ENTRY), FROM_NOT_PRESENT, .flags = XINV_REQ_NEW_DID, .n = 2,
         .w = {{UINT64_C(0x0000031000000031), 0}, {0x4800e2, 0}}},
        {"a scalable context entry made present under caching mode", "intel-vtd-scalable", "CM", 1,
         S2, CHANGE(DEVICE_ENTRY), FROM_NOT_PRESENT, .n = 2,
         .w = {{UINT64_C(0x0000031000000031), 0}, {0xe2, 0}}},
        {"a page mapped under caching mode", "qemu-intel-caching-mode", S2, ATS, CHANGE(STAGE2_PTE),
         RANGE, FROM_NOT_PRESENT, .n = 1, .w = {{0x4700f2, PAGE}}},
        {"a DID is released", "intel-vtd-legacy", S2, CHANGE(TAG_RELEASE), .n = 1,
         .w = {{0x4700e2, 0}}},
    };

    check(lists, N(lists));
}

/* Only F keeps a later command of the queue from starting */
Test(order, amd_device_table_before_pages_before_iotlb)
{
    static const struct list lists[] = {
        {"a host page", "amd-vi-generic", S2, ATS, CHANGE(STAGE2_PTE), LEAF, .n = 4,
         .w = {{UINT64_C(0x3000004700000000), PAGE},
               FENCE,
               {UINT64_C(0x4000031010000310), PAGE},
               WAIT}},
        {"a guest page of PASID 5", "amd-vi-generic", S1, ATS, CHANGE(STAGE1_PTE), RANGE,
         .pasid = 5, .n = 4,
         .w = {{UINT64_C(0x3000004700000005), PAGE | 6},
               FENCE,
               {UINT64_C(0x4005031010000310), PAGE | 4},
               WAIT}},
        {"a host page under nesting", "amd-vi-generic", NESTED, ATS, CHANGE(STAGE2_PTE), RANGE,
         .pasid = 5, .n = 4,
         .w = {{UINT64_C(0x3000004700000000), PAGE | 2},
               FENCE,
               {UINT64_C(0x4005031010000310), ALL | 5},
               WAIT}},
        {"a device table entry", "amd-vi-generic", S2, ATS, CHANGE(DEVICE_ENTRY), .n = 6,
         .w = {{UINT64_C(0x2000000000000310), 0},
               FENCE,
               {UINT64_C(0x3000004700000000), ALL | 3},
               FENCE,
               {UINT64_C(0x4000031010000310), ALL | 1},
               WAIT}},
        {"a GCR3 entry", "amd-vi-generic", S1, ATS, CHANGE(PASID_ENTRY), .pasid = 5, .n = 4,
         .w = {{UINT64_C(0x3000004700000005), ALL | 7},
               FENCE,
               {UINT64_C(0x4005031010000310), ALL | 5},
               WAIT}},
        {"a page mapped where not-present entries are cached", "qemu-amd-npcache", S2, ATS,
         CHANGE(STAGE2_PTE), RANGE, FROM_NOT_PRESENT, .n = 4,
         .w = {{UINT64_C(0x3000004700000000), PAGE | 2},
               FENCE,
               {UINT64_C(0x4000031010000310), PAGE},
               WAIT}},
        {"a DomainID is released", "amd-vi-generic", S2, CHANGE(TAG_RELEASE), .n = 2,
         .w = {{UINT64_C(0x3000004700000000), ALL | 3}, WAIT}},
        {"everything", "amd-vi-generic", S2, CHANGE(EVERYTHING), .n = 2,
         .w = {{UINT64_C(0x8000000000000000), 0}, WAIT}},
    };

    check(lists, N(lists));
}

/* A command whose feature is absent is illegal; where nothing else removes the entries, their DMA
 * must be blocked. */
Test(order, a_change_that_no_legal_command_covers_must_block)
{
    static const struct {
        struct list list;
        uint8_t cache;
    } cases[] = {
        {{"ATC_INV", "arm-smmuv3-ril", "ATS", 0, S2, ATS, CHANGE(STAGE2_PTE), RANGE},
         XINV_CACHE_DEVICE_TLB},
        {{"dev_tlb", "intel-vtd-legacy", "DT", 0, S2, ATS, CHANGE(STAGE2_PTE), RANGE},
         XINV_CACHE_DEVICE_TLB},
        {{"dev_tlb, every address", "intel-vtd-legacy", "DT", 0, S2, ATS, CHANGE(DEVICE_ENTRY)},
         XINV_CACHE_DEVICE_TLB},
        /* without PASID there is no descriptor for tagged entries, and dev_tlb does not reach them
         */
        {{"p_dev_tlb", "intel-vtd-scalable", "PASID", 0, S1, ATS, CHANGE(STAGE1_PTE), RANGE,
          .pasid = 5},
         XINV_CACHE_DEVICE_TLB},
        {{"INVALIDATE_IOTLB_PAGES", "amd-vi-generic", "IotlbSup", 0, S2, ATS, CHANGE(STAGE2_PTE),
          RANGE},
         XINV_CACHE_DEVICE_TLB},
        {{"INVALIDATE_IOMMU_ALL", "amd-vi-generic", "IASup", 0, S2, CHANGE(EVERYTHING)},
         XINV_CACHE_DEVICE_CONFIG},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu;
        struct xinv_out out;

        cr_expect_eq(run_list(&cases[i].list, &iommu, &out), -XINV_E_MUST_BLOCK, "%s",
                     cases[i].list.what);
        cr_expect_eq(list_report.at_cache, cases[i].cache, "%s: %u", cases[i].list.what,
                     list_report.at_cache);
        cr_expect_eq(out.n_words, 0);
    }
}

/* What belongs to two domains is sent for both; what belongs to one, once. */
Test(order, tags_of_several_attachments_are_each_reached_once)
{
    static const struct {
        const char *platform;
        uint8_t stage;
        uint8_t n;
        uint64_t w[8][2];
    } cases[] = {
        {"arm-smmuv3-ril",
         XINV_STAGE_STAGE1,
         4,
         {{UINT64_C(0x0035000000000012), PAGE},
          {UINT64_C(0x0036000000000012), PAGE},
          {UINT64_C(0x0037000000000012), PAGE},
          SYNC}},
        {"arm-smmuv3-ril",
         XINV_STAGE_STAGE2,
         4,
         {{UINT64_C(0x000000590000002a), PAGE},
          {UINT64_C(0x0000005a0000002a), PAGE},
          {UINT64_C(0x0000005b0000002a), PAGE},
          SYNC}},
        {"intel-vtd-legacy",
         XINV_STAGE_STAGE2,
         3,
         {{0x4700f2, PAGE}, {0x4800f2, PAGE}, {0x4900f2, PAGE}}},
        {"intel-vtd-scalable",
         XINV_STAGE_STAGE1,
         3,
         {{0x470036, PAGE}, {0x480036, PAGE}, {0x490036, PAGE}}},
        {"amd-vi-generic",
         XINV_STAGE_STAGE2,
         4,
         {{UINT64_C(0x3000004700000000), PAGE | 2},
          {UINT64_C(0x3000004800000000), PAGE | 2},
          {UINT64_C(0x3000004900000000), PAGE | 2},
          WAIT}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at[6];
        struct xinv_request r = {.change = cases[i].stage == XINV_STAGE_STAGE2
                                               ? XINV_CHANGE_STAGE2_PTE
                                               : XINV_CHANGE_STAGE1_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = PAGE,
                                 .last = PAGE + 0xfff};
        struct xinv_out out;

        for (unsigned k = 0; k < 6; k++) {
            at[k] = attachment(cases[i].stage, 0);
            at[k].rid += k;
            at[k].did += k % 3;
            if (cases[i].stage == XINV_STAGE_STAGE2)
                at[k].vmid += k % 3;
            else
                at[k].asid += k % 3;
        }
        cr_assert_geq(run(&iommu, at, 6, &r, XINV_POLICY_EXACT, &out), 0);
        expect(cases[i].platform, &iommu, &out, cases[i].w, cases[i].n);
    }
}

Test(order, an_endpoint_that_needs_its_device_tlb_command_twice_gets_it_and_no_other_endpoint)
{
    static const uint64_t page[][2] = {{0x4700f2, PAGE},
                                       {UINT64_C(0x0000031000100003), PAGE},
                                       {UINT64_C(0x0000031000100003), PAGE},
                                       {UINT64_C(0x0000031100100003), PAGE}};
    struct xinv_iommu iommu = test_iommu("intel-vtd-legacy", NULL, 0);
    struct xinv_attachment at[2] = {attachment(XINV_STAGE_STAGE2, 0),
                                    attachment(XINV_STAGE_STAGE2, 0)};
    struct xinv_request r = {.change = XINV_CHANGE_STAGE2_PTE,
                             .flags = XINV_REQ_RANGE,
                             .first = PAGE,
                             .last = PAGE + 0xfff};
    struct xinv_out out;

    at[0].flags = at[1].flags = XINV_ATT_ATS;
    at[1].rid++;
    at[0].quirks = xinv_endpoint_quirks(&iommu, 0x8086, 0x4942);
    at[1].quirks = xinv_endpoint_quirks(&iommu, 0x8086, 0x4944);
    cr_assert_geq(run(&iommu, at, 2, &r, XINV_POLICY_EXACT, &out), 0);
    expect("both", &iommu, &out, page, N(page));
}

Test(order, the_last_command_is_the_sync_and_the_last_step_its_wait)
{
    static const struct {
        const char *platform;
        uint64_t w[2];
    } cases[] = {
        {"arm-smmuv3-ril", {UINT64_C(0x000000070fc01046), 0x1008}},
        {"intel-vtd-legacy", {UINT64_C(0x0000000700000025), 0x1008}},
        {"amd-vi-generic", {UINT64_C(0x1000000000001009), 7}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at = attachment(XINV_STAGE_STAGE2, 0);
        struct xinv_request r = {.change = XINV_CHANGE_STAGE2_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = PAGE,
                                 .last = PAGE + 0xfff};
        struct xinv_completion done = {.store = 1, .address = 0x1008, .data = 7};
        struct xinv_out out = {.words = list_words,
                               .steps = list_steps,
                               .cap_words = N(list_words),
                               .cap_steps = N(list_steps)};

        at.flags = XINV_ATT_ATS;
        cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, &done, &out, &list_report), 0);
        cr_expect_eq(list_words[out.n_words - iommu.words], cases[i].w[0], "%s", cases[i].platform);
        cr_expect_eq(list_words[out.n_words - iommu.words + 1], cases[i].w[1], "%s",
                     cases[i].platform);
        cr_assert_gt(out.n_steps, 1);
        cr_expect_eq(list_steps[out.n_steps - 1].kind, XINV_STEP_WAIT);
        cr_expect_eq(list_steps[out.n_steps - 2].kind, XINV_STEP_QUEUE);
        cr_expect_eq(list_steps[out.n_steps - 2].first + list_steps[out.n_steps - 2].count,
                     out.n_words);
    }
}

/* ---- What it cost ---- */

Test(order, pages_removed_by_rounding_are_counted)
{
    static const struct {
        const char *platform;
        uint8_t stage;
        uint64_t first; /* pages */
        uint64_t last;
        uint64_t extra;
        uint64_t w[2];
    } cases[] = {
        /* 7 to 10 need the block 0 to 15; 8 to 11 are one */
        {"intel-vtd-legacy", XINV_STAGE_STAGE2, 7, 10, 12, {0x4700f2, 4}},
        {"intel-vtd-legacy", XINV_STAGE_STAGE2, 8, 11, 0, {0x4700f2, 0x8002}},
        {"amd-vi-generic", XINV_STAGE_STAGE2, 7, 10, 12, {UINT64_C(0x3000004700000000), 0x7003}},
        /* 33 granules are 17 times 2: one too many */
        {"arm-smmuv3-ril", XINV_STAGE_STAGE1, 1, 33, 1, {UINT64_C(0x0035000000110012), 0x1400}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at = attachment(cases[i].stage, 0);
        struct xinv_request r = {.change = cases[i].stage == XINV_STAGE_STAGE2
                                               ? XINV_CHANGE_STAGE2_PTE
                                               : XINV_CHANGE_STAGE1_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = cases[i].first << 12,
                                 .last = (cases[i].last << 12) | 0xfff};
        struct xinv_out out;

        cr_assert_gt(run(&iommu, &at, 1, &r, XINV_POLICY_LATENCY, &out), 0);
        cr_expect_eq(list_words[0], cases[i].w[0], "%s: %016" PRIx64, cases[i].platform,
                     list_words[0]);
        cr_expect_eq(list_words[1], cases[i].w[1], "%s: %016" PRIx64, cases[i].platform,
                     list_words[1]);
        cr_expect_eq(list_report.asked_pages, cases[i].last - cases[i].first + 1);
        cr_expect_eq(list_report.extra_pages, cases[i].extra, "%s: %" PRIu64, cases[i].platform,
                     list_report.extra_pages);
        cr_expect_eq(list_report.widened, 0);
    }
}

Test(order, an_address_that_combined_entries_do_not_have_is_reported_as_given_up)
{
    static const char *const platforms[] = {"arm-smmuv3-ril", "intel-vtd-scalable"};

    for (size_t i = 0; i < N(platforms); i++) {
        struct list list = {"nested", platforms[i], NESTED, CHANGE(STAGE2_PTE), RANGE};
        struct xinv_iommu iommu;
        struct xinv_out out;

        cr_assert_gt(run_list(&list, &iommu, &out), 0);
        cr_expect_eq(list_report.widened, BIT(ADDRESS), "%s: %x", platforms[i],
                     list_report.widened);
        cr_expect(list_report.extra_unbounded);
    }
}

/* ---- Limits ---- */

Test(order, the_largest_range_of_one_command_is_not_exceeded)
{
    static const struct {
        const char *platform;
        uint8_t stage;
        uint64_t first;
        uint64_t last;
        uint64_t w[2][2];
    } cases[] = {
        /* 2^49 bytes: NUM and SCALE of 31 are 2^36 granules, twice */
        {"arm-smmuv3-ril",
         XINV_STAGE_STAGE1,
         UINT64_C(0x0001000000000000),
         UINT64_C(0x0002ffffffffffff),
         {{UINT64_C(0x0035000001f1f012), UINT64_C(0x0001000000000400)},
          {UINT64_C(0x0035000001f1f012), UINT64_C(0x0002000000000400)}}},
        /* 2^53 bytes: an address has 52 bits, and larger blocks are everything */
        {"amd-vi-generic",
         XINV_STAGE_STAGE2,
         0,
         UINT64_C(0x001fffffffffffff),
         {{UINT64_C(0x3000004700000000), UINT64_C(0x0007fffffffff003)},
          {UINT64_C(0x3000004700000000), UINT64_C(0x0017fffffffff003)}}},
        /* CAP.MAMV is 18 here: 2 GiB are two gibibytes */
        {"intel-vtd-legacy",
         XINV_STAGE_STAGE2,
         0x80000000,
         UINT64_C(0xffffffff),
         {{0x4700f2, 0x80000012}, {0x4700f2, 0xc0000012}}},
    };

    for (size_t i = 0; i < N(cases); i++) {
        struct xinv_iommu iommu = test_iommu(cases[i].platform, NULL, 0);
        struct xinv_attachment at = attachment(cases[i].stage, 0);
        struct xinv_request r = {.change = cases[i].stage == XINV_STAGE_STAGE2
                                               ? XINV_CHANGE_STAGE2_PTE
                                               : XINV_CHANGE_STAGE1_PTE,
                                 .flags = XINV_REQ_RANGE,
                                 .first = cases[i].first,
                                 .last = cases[i].last};
        struct xinv_out out;

        cr_assert_gt(run(&iommu, &at, 1, &r, XINV_POLICY_EXACT, &out), 0);
        for (unsigned k = 0; k < 2; k++) {
            cr_expect_eq(list_words[k * iommu.words], cases[i].w[k][0], "%s: %016" PRIx64,
                         cases[i].platform, list_words[k * iommu.words]);
            cr_expect_eq(list_words[k * iommu.words + 1], cases[i].w[k][1], "%s: %016" PRIx64,
                         cases[i].platform, list_words[k * iommu.words + 1]);
        }
        cr_expect_eq(list_report.commands - list_report.syncs, 2, "%s", cases[i].platform);
    }
}
