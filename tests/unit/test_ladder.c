// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What xinv_iommu_prepare() works out ahead changes no answer. */
#include <criterion/criterion.h>
#include <string.h>

#include "cli/kinds.h"
#include "core/ladder.h"

#include "tests/support/hardware.h"

#define WORDS 4096

struct answer {
    int ret;
    struct xinv_report report;
    uint32_t n_words;
    uint32_t n_steps;
    uint64_t words[WORDS];
    struct xinv_step steps[64];
};

static struct answer plain;
static struct answer prepared;
static struct xinv_ladders ladders;

static void ask(const struct xinv_iommu *iommu, const struct xinv_attachment *at, size_t n,
                const struct xinv_request *request, const struct xinv_policy *policy,
                struct answer *answer)
{
    struct xinv_out out = {
        .words = answer->words, .steps = answer->steps, .cap_words = WORDS, .cap_steps = 64};

    memset(&answer->report, 0, sizeof(answer->report));
    answer->ret = xinv_translate(iommu, at, n, request, policy, NULL, &out, &answer->report);
    answer->n_words = out.n_words;
    answer->n_steps = out.n_steps;
}

/* Every field: padding may differ. */
static bool same_report(const struct xinv_report *a, const struct xinv_report *b)
{
    return a->commands == b->commands && a->syncs == b->syncs && a->need_words == b->need_words &&
           a->need_steps == b->need_steps && a->widened == b->widened &&
           a->must_beyond == b->must_beyond && a->may_beyond == b->may_beyond &&
           a->extra_unbounded == b->extra_unbounded && a->asked_pages == b->asked_pages &&
           a->extra_pages == b->extra_pages && a->rows == b->rows && a->at == b->at &&
           a->at_tag == b->at_tag && a->at_cache == b->at_cache;
}

static unsigned judged;

static void compare(const struct xinv_iommu *with, const struct xinv_iommu *without,
                    const struct xinv_attachment *at, size_t n, const struct xinv_request *request,
                    const char *what)
{
    static const struct xinv_policy policies[] = {{XINV_POLICY_EXACT, 0, 0},
                                                  {XINV_POLICY_LATENCY, 0, 0},
                                                  {XINV_POLICY_AT_MOST, 2, 0},
                                                  {XINV_POLICY_EXACT, 0, 3}};

    for (unsigned p = 0; p < sizeof(policies) / sizeof(policies[0]); p++) {
        ask(without, at, n, request, &policies[p], &plain);
        ask(with, at, n, request, &policies[p], &prepared);
        cr_assert_eq(prepared.ret, plain.ret, "%s on %s, policy %u: %d, not %d", what,
                     with->platform->name, p, prepared.ret, plain.ret);
        cr_assert(same_report(&prepared.report, &plain.report), "%s on %s, policy %u", what,
                  with->platform->name, p);
        cr_assert_eq(prepared.n_words, plain.n_words);
        cr_assert_eq(prepared.n_steps, plain.n_steps);
        cr_assert(!memcmp(prepared.words, plain.words, plain.n_words * sizeof(plain.words[0])));
        judged++;
    }
}

/* The kind with every combination of what a shape depends on. */
static void vary(const struct xinv_iommu *with, const struct xinv_iommu *without,
                 const struct cli_kind *kind)
{
    static const uint8_t flags[] = {0, XINV_ATT_ATS, XINV_ATT_ATS | XINV_ATT_PASID_ENABLED,
                                    XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN};
    struct xinv_attachment at[2];
    struct xinv_request request;

    cli_kind_request(kind, with, &at[0], &request);
    for (unsigned f = 0; f < sizeof(flags); f++)
        for (unsigned v = 0; v < 8; v++) {
            struct xinv_request r = request;

            at[0].flags = flags[f];
            at[0].pasid = v & 1 ? 0 : kind->pasid;
            if (v & 2)
                at[0].known &= (uint8_t)~XINV_TAG_BIT(XINV_TAG_PASID);
            if (v & 4)
                r.flags ^= XINV_REQ_LEAF_ONLY;
            compare(with, without, at, 1, &r, kind->name);
            at[1] = at[0];
            at[1].rid++;
            compare(with, without, at, 2, &r, kind->name);
        }
}

/* The kind with each of the flags that a prepared shape may lack, and from another state. */
static void vary_flags(const struct xinv_iommu *with, const struct xinv_iommu *without,
                       const struct cli_kind *kind)
{
    static const uint16_t flags[] = {
        0, XINV_REQ_GLOBAL, XINV_REQ_BEYOND, XINV_REQ_ENUMERATED, XINV_REQ_NEW_DID, XINV_REQ_RANGE};
    struct xinv_attachment at[2];
    struct xinv_request request;

    cli_kind_request(kind, with, &at[0], &request);
    at[1] = at[0];
    at[1].rid++;
    request.new_did = 6;
    for (unsigned f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
        for (uint8_t from = 0; from <= (XINV_FROM_PRESENT | XINV_FROM_NOT_PRESENT); from++) {
            struct xinv_request r = request;

            r.flags ^= flags[f];
            r.from = from;
            compare(with, without, at, 1, &r, kind->name);
            compare(with, without, at, 2, &r, kind->name);
        }
}

Test(ladder, answers_are_the_same_with_and_without)
{
    for (unsigned i = 0; working_at(i); i++) {
        struct xinv_iommu without;
        struct xinv_iommu with;

        cr_assert_eq(xinv_iommu_init(&without, working_at(i), NULL, NULL, 0), 0);
        with = without;
        xinv_iommu_prepare(&with, &ladders);
        for (unsigned k = 0; cli_kind_at(k); k++) {
            vary(&with, &without, cli_kind_at(k));
            vary_flags(&with, &without, cli_kind_at(k));
        }
    }
    cr_assert_gt(judged, 100000);
}

/* PASID 0 stands for requests without PASID; an endpoint that has PASIDs may have made entries of
 * PASID 0 all the same. */
Test(ladder, pasid_0_is_not_prepared_for_endpoints_with_pasids)
{
    struct xinv_platform platform = *xinv_platform_find("amd-vi-generic");
    struct xinv_vendor vendor = *platform.vendor;
    struct xinv_iommu without;
    struct xinv_iommu with;
    struct xinv_attachment at;
    struct xinv_request request;

    vendor.stages[XINV_STAGE_STAGE1].pasid_required = 1;
    platform.vendor = &vendor;
    cr_assert_eq(xinv_iommu_init(&without, &platform, NULL, NULL, 0), 0);
    with = without;
    xinv_iommu_prepare(&with, &ladders);
    cli_kind_request(cli_kind_find("s1-page-ats"), &with, &at, &request);
    cr_assert(at.known & XINV_TAG_BIT(XINV_TAG_PASID));
    cr_assert_eq(at.pasid, 0);
    compare(&with, &without, &at, 1, &request, "without PASIDs");
    at.flags |= XINV_ATT_PASID_ENABLED;
    compare(&with, &without, &at, 1, &request, "with PASIDs");
}

/* A table in which a page's entries are under the tag that the change gives, where it gives one. */
Test(ladder, a_new_did_is_not_prepared)
{
    static struct xinv_need_def needs[256];
    struct xinv_platform platform = *xinv_platform_find("intel-vtd-legacy");
    struct xinv_vendor vendor = *platform.vendor;
    struct xinv_iommu without;
    struct xinv_iommu with;
    struct xinv_attachment at;
    struct xinv_request request;

    for (unsigned i = 0; i < vendor.n_changes; i++)
        for (unsigned k = 0; k < vendor.changes[i].needs.count; k++) {
            unsigned need = vendor.changes[i].needs.first + k;

            needs[need] = vendor.needs[need];
            needs[need].flags |= XINV_NEED_NEW_DID;
        }
    vendor.needs = needs;
    platform.vendor = &vendor;
    cr_assert_eq(xinv_iommu_init(&without, &platform, NULL, NULL, 0), 0);
    with = without;
    xinv_iommu_prepare(&with, &ladders);
    cli_kind_request(cli_kind_find("s2-page"), &with, &at, &request);
    request.flags |= XINV_REQ_NEW_DID;
    request.new_did = 6;
    compare(&with, &without, &at, 1, &request, "under DID 6");
}

Test(ladder, there_is_room_for_every_usual_shape_of_every_platform)
{
    for (unsigned i = 0; working_at(i); i++) {
        struct xinv_iommu iommu;

        cr_assert_eq(xinv_iommu_init(&iommu, working_at(i), NULL, NULL, 0), 0);
        xinv_iommu_prepare(&iommu, &ladders);
        cr_assert_lt(ladders.n, XINV_MAX_LADDERS, "%s", iommu.platform->name);
        cr_assert_lt(ladders.n_rungs, XINV_MAX_RUNGS, "%s", iommu.platform->name);
    }
}

static bool has_device_tlb(const struct xinv_iommu *iommu)
{
    for (unsigned i = 0; i < iommu->vendor->n_commands; i++)
        if ((iommu->commands >> i & 1) && iommu->vendor->commands[i].phase == XINV_PHASE_DEVICE_TLB)
            return true;
    return false;
}

/* The tables' usual attachments: as the kinds of requests have them. */
Test(ladder, unmaps_are_answered_from_it)
{
    static const char *const kinds[] = {"s1-page", "s1-table",  "s1-page-ats", "s1-page-pasid-ats",
                                        "s2-page", "s2-ragged", "s2-page-ats", "n-s1-page-ats"};

    for (unsigned i = 0; working_at(i); i++) {
        struct xinv_iommu iommu;

        cr_assert_eq(xinv_iommu_init(&iommu, working_at(i), NULL, NULL, 0), 0);
        xinv_iommu_prepare(&iommu, &ladders);
        for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            const struct cli_kind *kind = cli_kind_find(kinds[k]);
            struct xinv_candidates found;
            struct xinv_attachment at;
            struct xinv_request request;

            cli_kind_request(kind, &iommu, &at, &request);
            if (!((at.pasid ? iommu.stages : iommu.untagged) & XINV_STAGE_BIT(at.stage)) ||
                ((at.flags & XINV_ATT_ATS) && !has_device_tlb(&iommu)) ||
                (at.pasid && at.pasid >> iommu.tag_bits[XINV_TAG_PASID]))
                continue;
            cr_assert(xinv_ladder_find(&iommu, &request, &at, false, &found), "%s on %s", kinds[k],
                      iommu.platform->name);
            cr_assert_gt(found.n, 0);
        }
    }
}
