// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The way there and back: what xinv_removes() reads from the words of a translated request is the
 * rows that the report names, the attachment's tags, and all of the range.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/trial.h"

static struct trial trial;

#define SETS 4096
static struct xinv_removal_set sets[SETS];
static unsigned n_sets;
static uint64_t rows;

static void read_list(const char *name)
{
    rows = 0;
    n_sets = 0;
    for (uint32_t i = 0; i < trial.out.n_steps; i++)
        if (trial.steps[i].kind == XINV_STEP_REGISTER)
            rows |= UINT64_C(1) << trial.steps[i].row;
    for (uint32_t at = 0; at < trial.out.n_words; at += trial.iommu.words) {
        struct xinv_removal_set *set = &sets[n_sets];
        int ret = xinv_removes(&trial.iommu, &trial.words[at], set);

        cr_assert_geq(ret, 0, "%s: %016" PRIx64 " %016" PRIx64 ": %d", name, trial.words[at],
                      trial.words[at + 1], ret);
        if (set->row == XINV_NO_ROW)
            continue;
        rows |= UINT64_C(1) << set->row;
        cr_assert_lt(++n_sets, SETS);
    }
}

static void check_tags(const char *name, const struct xinv_removal_set *set)
{
    const struct xinv_attachment *at = &trial.at[0];
    uint8_t match = 0;

    for (unsigned i = 0; i < set->n; i++)
        match |= set->removal[i].match;
    if (match & XINV_TAG_BIT(XINV_TAG_RID))
        cr_expect(set->rid == at->rid && !set->rid_ignored, "%s: rid %x", name, set->rid);
    if (match & XINV_TAG_BIT(XINV_TAG_PASID))
        cr_expect_eq(set->pasid, at->pasid, "%s: pasid %x", name, set->pasid);
    if (match & XINV_TAG_BIT(XINV_TAG_ASID))
        cr_expect_eq(set->asid, at->asid, "%s: asid %x", name, set->asid);
    if (match & XINV_TAG_BIT(XINV_TAG_VMID))
        cr_expect_eq(set->vmid, at->vmid, "%s: vmid %x", name, set->vmid);
    /* what is not present has DID 0 */
    if (match & XINV_TAG_BIT(XINV_TAG_DID))
        cr_expect(set->did == at->did || (!set->did && trial.request.from == XINV_FROM_NOT_PRESENT),
                  "%s: did %x", name, set->did);
}

/* One address without a granule takes the whole leaf that it is in, so that leaves count whole. */
static void widen(const struct xinv_removal_set *set, uint64_t *first, uint64_t *last)
{
    unsigned leaf = trial.request.log2_smallest_leaf;
    uint64_t mask = set->log2_granule || !leaf ? 0 : (UINT64_C(1) << leaf) - 1;

    *first = set->first & ~mask;
    *last = set->last | mask;
}

static bool is_ranged(const struct xinv_removal_set *set)
{
    uint8_t addresses = XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA);

    for (unsigned i = 0; i < set->n; i++)
        if (set->removal[i].match & addresses)
            return true;
    return false;
}

/* Do the blocks of one row hold the whole range? */
static bool covers(unsigned row)
{
    uint64_t at = trial.request.first;

    for (unsigned i = 0; i < n_sets; i++) {
        uint64_t first, last;

        widen(&sets[i], &first, &last);
        if (sets[i].row != row || first > at || last < at)
            continue;
        if (last >= trial.request.last)
            return true;
        at = last + 1;
        i = UINT32_MAX; /* from the beginning: the order is no matter here */
    }
    return false;
}

static unsigned answered;

static void check(const char *platform, const struct cli_kind *kind, int ret)
{
    char name[128];

    if (ret < 0)
        return;
    answered++;
    snprintf(name, sizeof(name), "%s, %s", platform, kind->name);
    read_list(name);
    cr_expect_eq(rows, trial.report.rows, "%s: %" PRIx64 ", planned are %" PRIx64, name, rows,
                 trial.report.rows);
    for (unsigned i = 0; i < n_sets; i++) {
        check_tags(name, &sets[i]);
        if (is_ranged(&sets[i]) && trial.request.flags & XINV_REQ_RANGE)
            cr_expect(covers(sets[i].row), "%s: row %u leaves something of the range", name,
                      sets[i].row);
    }
}

Test(removes_kinds, words_lead_back_to_the_rows_on_any_smmuv3_platform)
{
    trial_each_kind(&trial, "smmuv3", 14, check);
    cr_expect_gt(answered, 400);
}

Test(removes_kinds, words_lead_back_to_the_rows_on_any_vtd_platform)
{
    trial_each_kind(&trial, "vtd", 10, check);
    cr_expect_gt(answered, 400);
}

Test(removes_kinds, words_lead_back_to_the_rows_on_any_amdvi_platform)
{
    trial_each_kind(&trial, "amdvi", 6, check);
    cr_expect_gt(answered, 400);
}
