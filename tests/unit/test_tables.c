// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The planner chooses from the rows: without a row it finds another way, or says that there is
 * none. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/backend.h"

#include "tests/support/hardware.h"

#define N(x) (sizeof(x) / sizeof((x)[0]))

static const struct {
    uint8_t stage;
    uint8_t change;
    uint8_t from;
    uint8_t flags;
    uint8_t leaf_only;
    uint8_t ranged;
    uint8_t known;
} shapes[] = {
    /* what a request can be about, for every stage, with and without ATS and PASID */
    {XINV_STAGE_STAGE1, XINV_CHANGE_STAGE1_PTE, 1, 0, 0, 1, 0x1d},
    {XINV_STAGE_STAGE1, XINV_CHANGE_STAGE1_PTE, 1, 1, 1, 1, 0x1f},
    {XINV_STAGE_STAGE1, XINV_CHANGE_STAGE1_PTE, 1, 1, 0, 0, 0x1f},
    {XINV_STAGE_STAGE1, XINV_CHANGE_STAGE1_PTE, 1, 1, 0, 1, 0x19},
    {XINV_STAGE_STAGE1, XINV_CHANGE_STAGE1_PTE, 1, 1, 1, 1, 0x19},
    {XINV_STAGE_STAGE2, XINV_CHANGE_STAGE2_PTE, 1, 1, 0, 1, 0x1d},
    {XINV_STAGE_STAGE2, XINV_CHANGE_STAGE2_PTE, 1, 1, 1, 1, 0x1d},
    {XINV_STAGE_STAGE2, XINV_CHANGE_STAGE2_PTE, 2, 1, 0, 1, 0x1d},
    {XINV_STAGE_STAGE2, XINV_CHANGE_STAGE2_PTE, 1, 1, 0, 0, 0x1d},
    {XINV_STAGE_NESTED, XINV_CHANGE_STAGE1_PTE, 1, 1, 0, 1, 0x1f},
    {XINV_STAGE_NESTED, XINV_CHANGE_STAGE2_PTE, 1, 1, 0, 1, 0x1f},
    {XINV_STAGE_NESTED, XINV_CHANGE_STAGE2_PTE, 1, 5, 0, 1, 0x1d},
    {XINV_STAGE_STAGE1, XINV_CHANGE_PASID_ENTRY, 1, 1, 0, 0, 0x1f},
    {XINV_STAGE_STAGE1, XINV_CHANGE_PASID_ENTRY, 1, 1, 1, 0, 0x1f},
    {XINV_STAGE_STAGE1, XINV_CHANGE_PASID_TABLE, 1, 1, 0, 0, 0x1f},
    {XINV_STAGE_NESTED, XINV_CHANGE_PASID_TABLE, 1, 1, 1, 0, 0x1f},
    {XINV_STAGE_STAGE2, XINV_CHANGE_DEVICE_ENTRY, 1, 1, 0, 0, 0x1d},
    {XINV_STAGE_STAGE2, XINV_CHANGE_DEVICE_ENTRY, 2, 0, 1, 0, 0x1d},
    {XINV_STAGE_STAGE1, XINV_CHANGE_TAG_RELEASE, 1, 0, 0, 0, 0x1d},
    {XINV_STAGE_STAGE2, XINV_CHANGE_TAG_RELEASE, 1, 0, 0, 0, 0x1d},
    {XINV_STAGE_STAGE1, XINV_CHANGE_EVERYTHING, 1, 1, 0, 0, 0x1f},
    {XINV_STAGE_STAGE2, XINV_CHANGE_EVERYTHING, 1, 1, 0, 0, 0x1d},
};

static int translate_request(const struct xinv_iommu *iommu, size_t shape, unsigned policy,
                             uint8_t unknown, const struct xinv_request *request,
                             struct xinv_report *report)
{
    struct xinv_attachment at = {.stage = shapes[shape].stage,
                                 .flags = shapes[shape].flags,
                                 .known = shapes[shape].known & (uint8_t)~unknown,
                                 .rid = 0x123,
                                 .pasid = 0x45,
                                 .asid = 0x67,
                                 .did = 0x89,
                                 .vmid = 0xab,
                                 .queue_depth = 8};
    struct xinv_policy p = {.kind = (uint8_t)policy};
    struct xinv_out out = {0};

    return xinv_translate(iommu, &at, 1, request, &p, NULL, &out, report);
}

static int translate_with(const struct xinv_iommu *iommu, size_t shape, unsigned policy,
                          uint16_t flags, uint8_t unknown, struct xinv_report *report)
{
    struct xinv_request r = {.change = shapes[shape].change,
                             .from = shapes[shape].from,
                             .flags = flags,
                             .first = 0x41234000,
                             .last = 0x41236fff};

    if (shapes[shape].leaf_only)
        r.flags |= XINV_REQ_LEAF_ONLY;
    if (shapes[shape].ranged)
        r.flags |= XINV_REQ_RANGE;
    return translate_request(iommu, shape, policy, unknown, &r, report);
}

static int translate(const struct xinv_iommu *iommu, size_t shape, unsigned policy,
                     struct xinv_report *report)
{
    return translate_with(iommu, shape, policy, 0, 0, report);
}

/* Every knowledge and permission that a request can come with. */
static uint64_t rows_of(const struct xinv_iommu *iommu, size_t shape, unsigned policy)
{
    static const uint16_t flags[] = {0, XINV_REQ_ENUMERATED, XINV_REQ_BEYOND};
    static const uint8_t unknown[] = {0, XINV_TAG_BIT(XINV_TAG_RID), XINV_TAG_BIT(XINV_TAG_ASID)};
    struct xinv_report report;
    uint64_t rows = 0;

    for (size_t f = 0; f < N(flags); f++)
        for (size_t u = 0; u < N(unknown); u++)
            if (translate_with(iommu, shape, policy, flags[f], unknown[u], &report) >= 0)
                rows |= report.rows;
    return rows;
}

/* What a guest can name: one kind of cache, in one scope. */
static uint64_t explicit_rows_of(const struct xinv_iommu *iommu, size_t shape, unsigned policy)
{
    static const uint8_t caches[] = {XINV_INV_IOTLB, XINV_INV_DEVICE_TLB, XINV_INV_PASID_CONFIG,
                                     XINV_INV_DEVICE_CONFIG};
    uint64_t rows = 0;

    for (size_t c = 0; c < N(caches); c++)
        for (unsigned scope = XINV_SCOPE_DOMAIN; scope <= XINV_SCOPE_ADDRESS; scope++) {
            struct xinv_request r = {.caches = caches[c],
                                     .scope = (uint8_t)scope,
                                     .flags = XINV_REQ_INVALIDATE,
                                     .first = 0x41234000,
                                     .last = 0x41236fff};
            struct xinv_report report;

            if (scope == XINV_SCOPE_ADDRESS)
                r.flags |= XINV_REQ_RANGE;
            if (translate_request(iommu, shape, policy, 0, &r, &report) >= 0)
                rows |= report.rows;
        }
    return rows;
}

Test(tables, a_row_that_a_plan_uses_is_replaced_by_others_or_missed)
{
    const struct xinv_platform *p;
    unsigned replaced = 0;
    unsigned missed = 0;

    for (unsigned i = 0; (p = working_at(i)) != NULL; i++)
        for (size_t shape = 0; shape < N(shapes); shape++)
            for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_LATENCY; policy++) {
                struct xinv_iommu iommu;
                struct xinv_report with;
                uint64_t rows;

                cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, NULL, 0), 0);
                if (translate(&iommu, shape, policy, &with) < 0)
                    continue;
                for (rows = with.rows; rows; rows &= rows - 1) {
                    uint64_t row = rows & ~(rows - 1);
                    struct xinv_report without;
                    int ret;

                    iommu.commands &= ~row;
                    ret = translate(&iommu, shape, policy, &without);
                    iommu.commands |= row;
                    if (ret == -XINV_E_MUST_BLOCK) {
                        missed++;
                        continue;
                    }
                    cr_assert_geq(ret, 0);
                    cr_assert_not(without.rows & row, "%s: a row that is not there was used",
                                  p->name);
                    cr_assert_neq(without.rows, with.rows);
                    replaced++;
                }
            }
    cr_assert_gt(replaced, 50);
    cr_assert_gt(missed, 20);
}

Test(tables, every_row_is_used_by_some_request_on_some_platform)
{
    static const char *const vendors[] = {"smmuv3", "vtd", "amdvi"};

    for (size_t v = 0; v < N(vendors); v++) {
        const struct xinv_platform *p;
        const struct xinv_vendor *vendor = NULL;
        uint64_t used = 0;

        for (unsigned i = 0; (p = working_at(i)) != NULL; i++) {
            static const char *const on[] = {"Hyp", "E2H", "RWBF", "IASup"};

            if (strcmp(p->vendor->name, vendors[v]))
                continue;
            vendor = p->vendor;
            for (unsigned mask = 0; mask < 16; mask++)
                for (size_t shape = 0; shape < N(shapes); shape++)
                    for (unsigned policy = XINV_POLICY_EXACT; policy <= XINV_POLICY_LATENCY;
                         policy++) {
                        struct xinv_setting set[N(on)];
                        struct xinv_iommu iommu;
                        unsigned n = 0;

                        for (unsigned k = 0; k < N(on); k++) {
                            int f = xinv_feature_find(vendor, on[k]);

                            if (f >= 0 && (mask >> k & 1)) {
                                set[n].feature = (uint8_t)f;
                                set[n++].value = strcmp(on[k], "IASup") != 0;
                            }
                        }
                        cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, set, n), 0);
                        used |= rows_of(&iommu, shape, policy) |
                                explicit_rows_of(&iommu, shape, policy);
                    }
        }
        cr_assert_not_null(vendor);
        for (unsigned row = 0; row < vendor->n_commands; row++)
            cr_expect(used >> row & 1, "%s: row %u (%s%s) is never used", vendor->name, row,
                      vendor->commands[row].name, vendor->commands[row].leaf ? ", leaf" : "");
    }
}
