// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Random requests: ranges anywhere in 64 bits, granules, leaf sizes, several attachments, every
 * kind of change, every policy, on every built-in platform, with and without E2H.
 *
 * XINV_SEED starts the sequence elsewhere; XINV_MODEL_CASES sets how many.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/kinds.h"
#include "tests/support/hardware.h"
#include "tests/support/modelrig.h"
#include "tests/support/random.h"

#ifdef __SANITIZE_ADDRESS__
#define CASES 4000
#else
#define CASES 24000
#endif
#define MOST_AT 3

/* A number of a random length in bits. */
static uint64_t number(unsigned bits)
{
    unsigned length = random_below(bits + 1);

    return length ? random_next() >> (64 - length) : 0;
}

static uint32_t tag(const struct xinv_iommu *iommu, enum xinv_tag which, uint32_t otherwise)
{
    unsigned bits = iommu->tag_bits[which];
    uint32_t most = bits >= 32 ? UINT32_MAX : (1u << bits) - 1;

    if (!bits)
        return otherwise;
    /* the extremes as often as the rest; 0 and 1 are reserved by some */
    return random_chance(30) ? most : 2 + (uint32_t)(random_next() % (most > 3 ? most - 2 : 1));
}

/* What cli_kind_request() gives an attachment, with other numbers. */
static void vary(struct xinv_attachment *at, const struct xinv_iommu *iommu, unsigned i)
{
    const struct xinv_stage_def *stage = &iommu->vendor->stages[at->stage];
    uint8_t fixed = stage->const_tags;

    at->rid = (0x310 + 8 * i) & 0xffff;
    if (at->known & XINV_TAG_BIT(XINV_TAG_ASID) && !(fixed & XINV_TAG_BIT(XINV_TAG_ASID)))
        at->asid = tag(iommu, XINV_TAG_ASID, at->asid);
    if (at->known & XINV_TAG_BIT(XINV_TAG_DID) && !(fixed & XINV_TAG_BIT(XINV_TAG_DID)))
        at->did = tag(iommu, XINV_TAG_DID, at->did);
    if (at->known & XINV_TAG_BIT(XINV_TAG_VMID) && !(fixed & XINV_TAG_BIT(XINV_TAG_VMID)))
        at->vmid = tag(iommu, XINV_TAG_VMID, at->vmid);
    if (at->known & XINV_TAG_BIT(XINV_TAG_PASID) && at->pasid)
        at->pasid = tag(iommu, XINV_TAG_PASID, at->pasid);
    at->flags = (uint8_t)((random_chance(50) ? XINV_ATT_ATS : 0) |
                          (random_chance(30) ? XINV_ATT_PASID_ENABLED : 0));
    if (at->stage == XINV_STAGE_NESTED && random_chance(20))
        at->flags |= XINV_ATT_PASIDS_UNKNOWN;
    at->queue_depth = (uint8_t)(1 + random_below(32));
}

static void range(struct xinv_request *request, const struct xinv_iommu *iommu, bool ipa)
{
    static const uint8_t granules[] = {12, 12, 12, 14, 16};
    bool smmu = iommu->tag_bits[XINV_TAG_VMID] || iommu->tag_bits[XINV_TAG_ASID];
    unsigned g = smmu ? granules[random_below(5)] : 12;
    unsigned step = g - 3;
    unsigned level = random_chance(70) ? 0 : random_below(3);
    unsigned size = g + level * step;
    uint64_t first = number(random_chance(60) ? 48 : 64) >> size << size;
    uint64_t length = number(random_chance(70) ? size + 7 : 64);

    if (!length)
        length = 1;
    request->first = first;
    request->last = first + (length - 1) < first ? UINT64_MAX : (first + length - 1);
    request->last |= (UINT64_C(1) << size) - 1;
    if (random_chance(5))
        request->last = UINT64_MAX;
    /* SMMUv3 has no more bits of an IPA: 55:52, and 55:48 in v3.0, are reserved */
    if (smmu && ipa) {
        request->first &= UINT64_C(0xffffffffffff);
        request->last &= UINT64_C(0xffffffffffff);
        if (request->first > request->last)
            request->first = 0;
    }
    request->flags |= XINV_REQ_RANGE;
    request->log2_granule = smmu ? (uint8_t)g : 0;
    request->log2_leaf_size = (uint8_t)size;
    if (random_chance(50))
        request->log2_smallest_leaf = (uint8_t)size;
    if (random_chance(50))
        request->flags |= XINV_REQ_LEAF_ONLY;
    if (random_chance(50))
        request->flags |= XINV_REQ_LEAVES_WITHIN;
    if (random_chance(20))
        request->flags |= XINV_REQ_GLOBAL;
}

static unsigned make(const struct xinv_iommu *iommu, struct xinv_attachment at[MOST_AT],
                     struct xinv_request *request, struct xinv_policy *policy)
{
    static const uint16_t limits[] = {0, 16, 64, XINV_WORTH};
    unsigned n_kinds = 0;
    unsigned n = 1 + random_below(MOST_AT);
    const struct cli_kind *kind;

    while (cli_kind_at(n_kinds))
        n_kinds++;
    do
        kind = cli_kind_at(random_below(n_kinds));
    while (kind->caches);
    for (unsigned i = 0; i < n; i++) {
        cli_kind_request(kind, iommu, &at[i], request);
        vary(&at[i], iommu, i);
    }
    if (kind->change == XINV_CHANGE_STAGE1_PTE || kind->change == XINV_CHANGE_STAGE2_PTE) {
        request->flags = 0;
        request->log2_leaf_size = request->log2_smallest_leaf = 0;
        if (kind->pages)
            range(request, iommu, kind->change == XINV_CHANGE_STAGE2_PTE);
    }
    *policy = (struct xinv_policy){.kind = (uint8_t)random_below(3),
                                   .max_commands = limits[random_below(4)]};
    /* a page at a time takes as long as it is */
    if (request->last - request->first > 0x400000 && !policy->max_commands)
        policy->max_commands = 64;
    if (policy->kind == XINV_POLICY_AT_MOST)
        policy->blocks = (uint8_t)(1 + random_below(4));
    return n;
}

static bool open_platform(struct modelrig *rig, unsigned p)
{
    const struct xinv_platform *platform = hardware_at(p);
    int e2h = xinv_feature_find(platform->vendor, "E2H");
    int hyp = xinv_feature_find(platform->vendor, "Hyp");
    struct xinv_setting setting = {.feature = (uint8_t)e2h, .value = 1};

    if (!modelrig_open(rig, platform, NULL, 0))
        return false;
    if (e2h < 0 || hyp < 0 || !rig->iommu.feature[hyp] || random_chance(50))
        return true;
    modelrig_close(rig);
    return modelrig_open(rig, platform, &setting, 1);
}

static void describe(const struct xinv_attachment *at, unsigned n,
                     const struct xinv_request *request, const struct xinv_policy *policy)
{
    printf("change %u from %u flags 0x%x 0x%" PRIx64 "..0x%" PRIx64
           " leaf %u smallest %u granule %u; policy %u blocks %u most %u\n",
           request->change, request->from, request->flags, request->first, request->last,
           request->log2_leaf_size, request->log2_smallest_leaf, request->log2_granule,
           policy->kind, policy->blocks, policy->max_commands);
    for (unsigned i = 0; i < n; i++)
        printf("  attachment: stage %u flags 0x%x known 0x%x rid 0x%x pasid %u asid %u did %u "
               "vmid %u\n",
               at[i].stage, at[i].flags, at[i].known, at[i].rid, at[i].pasid, at[i].asid, at[i].did,
               at[i].vmid);
}

Test(random, no_stale_entry_survives)
{
    unsigned long n_cases = (unsigned long)random_given("XINV_MODEL_CASES", CASES);
    unsigned long judged = 0;
    unsigned long entries = 0;
    unsigned n_platforms = 0;
    unsigned bad = 0;

    random_start_at(20240607);
    while (hardware_at(n_platforms))
        n_platforms++;
    for (unsigned p = 0; p < n_platforms; p++) {
        struct modelrig rig;

        cr_assert(open_platform(&rig, p));
        rig.most = 8;
        for (unsigned long i = 0; i < n_cases / n_platforms; i++) {
            struct xinv_attachment at[MOST_AT];
            struct xinv_request request;
            struct xinv_policy policy;
            unsigned n = make(&rig.iommu, at, &request, &policy);

            if (modelrig_judge(&rig, at, n, &request, &policy) == MODEL_CLEAN)
                continue;
            if (bad++ >= 8)
                continue;
            describe(at, n, &request, &policy);
            cr_expect_fail("%s", modelrig_text(&rig));
        }
        judged += rig.requests - rig.refused;
        entries += rig.entries;
        modelrig_close(&rig);
    }
    printf("%lu requests judged, %lu entries\n", judged, entries);
    cr_expect_eq(bad, 0);
    cr_expect_gt(judged, n_cases / 4);
}
