// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/kinds.h"

#include <string.h>

#define RID  0x310 /* 03:02.0 */
#define TAG  5     /* the domain's ASID, VMID or DID */
#define ASID 7     /* the guest's, under nesting */

#define S1   .stage = XINV_STAGE_STAGE1
#define S2   .stage = XINV_STAGE_STAGE2
#define N    .stage = XINV_STAGE_NESTED
#define PTE1 .change = XINV_CHANGE_STAGE1_PTE
#define PTE2 .change = XINV_CHANGE_STAGE2_PTE
#define PAGE .pages = 1, .first = 0x40000000
#define LEAF .flags = XINV_REQ_LEAF_ONLY
#define NEW  .from = XINV_FROM_NOT_PRESENT
#define ATS  .at_flags = XINV_ATT_ATS

static const struct cli_kind kinds[] = {
    {"s1-page", "stage 1: a 4 KiB page unmapped, leaf only", S1, PTE1, PAGE, LEAF},
    {"s1-table", "stage 1: a page unmapped and its table freed", S1, PTE1, PAGE},
    {"s1-2m", "stage 1: a 2 MiB leaf unmapped", S1, PTE1, PAGE, LEAF, .log2_leaf = 21},
    {"s1-1g", "stage 1: a 1 GiB leaf unmapped", S1, PTE1, PAGE, LEAF, .log2_leaf = 30},
    {"s1-ragged", "stage 1: 35 pages from an odd address unmapped", S1, PTE1, LEAF, .pages = 35,
     .first = 0x40003000},
    {"s1-global", "stage 1: a page unmapped that may be global", S1, PTE1, PAGE,
     .flags = XINV_REQ_LEAF_ONLY | XINV_REQ_GLOBAL},
    {"s1-all", "stage 1: everything unmapped, tables freed", S1, PTE1},
    {"s1-map", "stage 1: a page mapped", S1, PTE1, PAGE, NEW},
    {"s1-page-ats", "stage 1, ATS: a page unmapped", S1, PTE1, PAGE, LEAF, ATS},
    {"s1-page-pasid-ats", "stage 1, PASID, ATS: a page unmapped", S1, PTE1, PAGE, LEAF, ATS,
     .pasid = 5},
    {"s2-page", "stage 2: a 4 KiB page unmapped, leaf only", S2, PTE2, PAGE, LEAF},
    {"s2-table", "stage 2: a page unmapped and its table freed", S2, PTE2, PAGE},
    {"s2-2m", "stage 2: a 2 MiB leaf unmapped", S2, PTE2, PAGE, LEAF, .log2_leaf = 21},
    {"s2-1g", "stage 2: a 1 GiB leaf unmapped", S2, PTE2, PAGE, LEAF, .log2_leaf = 30},
    {"s2-ragged", "stage 2: 35 pages from an odd address unmapped", S2, PTE2, LEAF, .pages = 35,
     .first = 0x40003000},
    {"s2-all", "stage 2: everything unmapped, tables freed", S2, PTE2},
    {"s2-map", "stage 2: a page mapped", S2, PTE2, PAGE, NEW},
    {"s2-page-ats", "stage 2, ATS: a page unmapped", S2, PTE2, PAGE, LEAF, ATS},
    {"s2-all-ats", "stage 2, ATS: everything unmapped, tables freed", S2, PTE2, ATS},
    {"n-s1-page", "nested: the guest unmaps a page", N, PTE1, PAGE, LEAF, .pasid = 5},
    {"n-s1-page-ats", "nested, ATS: the guest unmaps a page", N, PTE1, PAGE, LEAF, ATS, .pasid = 5},
    {"n-s1-no-asid-ats", "nested, ATS: the guest unmaps a page, its ASID is not known", N, PTE1,
     PAGE, LEAF, ATS, .pasid = 5, .no_asid = 1},
    {"n-s2-page", "nested: the host unmaps a stage-2 page", N, PTE2, PAGE, LEAF},
    {"n-s2-page-ats", "nested, ATS: the host unmaps a stage-2 page, live PASIDs known", N, PTE2,
     PAGE, LEAF, ATS, .pasid = 5},
    {"n-s2-page-ats-open", "nested, ATS: the host unmaps a stage-2 page, live PASIDs not known", N,
     PTE2, PAGE, LEAF, .at_flags = XINV_ATT_ATS | XINV_ATT_PASIDS_UNKNOWN},
    {"n-s2-map", "nested: the host maps a stage-2 page", N, PTE2, PAGE, NEW},
    {"pasid-remove", "a PASID entry removed", S1, .change = XINV_CHANGE_PASID_ENTRY, .pasid = 5},
    {"pasid-remove-ats", "ATS: a PASID entry removed", S1, .change = XINV_CHANGE_PASID_ENTRY, ATS,
     .pasid = 5},
    {"pasid-add", "a PASID entry made present", S1, .change = XINV_CHANGE_PASID_ENTRY, NEW,
     .pasid = 5},
    {"pasid-table-ats", "ATS: a PASID table replaced", S1, .change = XINV_CHANGE_PASID_TABLE, ATS,
     .pasid = 5},
    {"dev-s1-remove", "stage 1: a device entry removed, one live PASID", S1,
     .change = XINV_CHANGE_DEVICE_ENTRY, .pasid = 5},
    {"dev-s2-remove", "stage 2: a device entry removed", S2, .change = XINV_CHANGE_DEVICE_ENTRY},
    {"dev-s2-remove-ats", "stage 2, ATS: a device entry removed", S2,
     .change = XINV_CHANGE_DEVICE_ENTRY, ATS},
    {"dev-s2-add", "stage 2: a device entry made present", S2, .change = XINV_CHANGE_DEVICE_ENTRY,
     NEW},
    {"dev-n-remove-ats", "nested, ATS: a device entry removed", N,
     .change = XINV_CHANGE_DEVICE_ENTRY, ATS, .pasid = 5},
    {"tag-s1", "stage 1: the domain's tag released", S1, .change = XINV_CHANGE_TAG_RELEASE},
    {"tag-s2", "stage 2: the domain's tag released", S2, .change = XINV_CHANGE_TAG_RELEASE},
    {"everything", "reset: everything of the IOMMU", S2, .change = XINV_CHANGE_EVERYTHING},
    {"everything-ats", "ATS: everything of the IOMMU", S2, .change = XINV_CHANGE_EVERYTHING, ATS},
    {"irq-endpoint", "explicit: interrupt entries of an endpoint", S2, .caches = XINV_INV_INTERRUPT,
     .scope = XINV_SCOPE_ENDPOINT},
    {"atc-endpoint", "explicit: the device TLB of an endpoint with PASIDs", S1,
     .caches = XINV_INV_DEVICE_TLB, .scope = XINV_SCOPE_ENDPOINT,
     .at_flags = XINV_ATT_ATS | XINV_ATT_PASID_ENABLED, .pasid = 5},
    {"pasid-all", "explicit: every PASID entry of an endpoint", S1, .caches = XINV_INV_PASID_CONFIG,
     .scope = XINV_SCOPE_ENDPOINT},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct cli_kind *cli_kind_at(unsigned index)
{
    return index < N_KINDS ? &kinds[index] : NULL;
}

const struct cli_kind *cli_kind_find(const char *name)
{
    for (unsigned i = 0; i < N_KINDS; i++)
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static void set_tag(struct xinv_attachment *at, unsigned tag, uint32_t value)
{
    at->known |= XINV_TAG_BIT(tag);
    if (tag == XINV_TAG_ASID)
        at->asid = value;
    else if (tag == XINV_TAG_DID)
        at->did = value;
    else if (tag == XINV_TAG_VMID)
        at->vmid = value;
}

void cli_kind_request(const struct cli_kind *kind, const struct xinv_iommu *iommu,
                      struct xinv_attachment *at, struct xinv_request *request)
{
    const struct xinv_stage_def *stage = &iommu->vendor->stages[kind->stage];

    *at = (struct xinv_attachment){.stage = kind->stage,
                                   .flags = kind->at_flags,
                                   .known = XINV_TAG_BIT(XINV_TAG_RID),
                                   .queue_depth = 32,
                                   .rid = RID};
    for (unsigned t = XINV_TAG_ASID; t <= XINV_TAG_VMID; t++)
        if (stage->const_tags & XINV_TAG_BIT(t))
            set_tag(at, t, stage->const_value);
    if (stage->alloc == XINV_ALLOC_DOMAIN || stage->alloc == XINV_ALLOC_ENDPOINT)
        set_tag(at, stage->alloc_tag, TAG);
    if (kind->stage == XINV_STAGE_NESTED && iommu->tag_bits[XINV_TAG_ASID] && !kind->no_asid)
        set_tag(at, XINV_TAG_ASID, ASID);
    if (kind->pasid || stage->pasid_required)
        at->known |= XINV_TAG_BIT(XINV_TAG_PASID);
    at->pasid = kind->pasid;

    *request = (struct xinv_request){.change = kind->change,
                                     .from = kind->from,
                                     .caches = kind->caches,
                                     .scope = kind->scope,
                                     .log2_leaf_size = kind->log2_leaf,
                                     .log2_smallest_leaf = kind->log2_leaf,
                                     .flags = kind->flags};
    if (kind->caches)
        request->flags |= XINV_REQ_INVALIDATE;
    if (!kind->pages)
        return;
    request->flags |= XINV_REQ_RANGE | XINV_REQ_LEAVES_WITHIN;
    request->first = kind->first;
    request->last =
        kind->first + ((uint64_t)kind->pages << (kind->log2_leaf ? kind->log2_leaf : 12)) - 1;
}
