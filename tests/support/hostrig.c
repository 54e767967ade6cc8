// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/hostrig.h"

#include <criterion/criterion.h>

void host_open(struct hostrig *h, const char *platform, const char *feature, uint16_t value)
{
    const struct xinv_platform *p = xinv_platform_find(platform);
    struct xinv_setting set = {0, value};

    memset(h, 0, sizeof(*h));
    cr_assert(p, "%s", platform);
    if (feature)
        set.feature = (uint8_t)xinv_feature_find(p->vendor, feature);
    cr_assert_eq(xinv_iommu_init(&h->iommu, p, NULL, &set, feature != NULL), 0);
}

struct xinv_attachment host_attachment(void)
{
    return (struct xinv_attachment){
        .stage = XINV_STAGE_NESTED,
        .flags = XINV_ATT_ATS,
        .known = XINV_TAG_BIT(XINV_TAG_RID) | XINV_TAG_BIT(XINV_TAG_ASID) |
                 XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_VMID),
        .rid = HOST_SID,
        .asid = HOST_ASID,
        .did = HOST_HWPT,
        .vmid = HOST_VIOMMU,
    };
}

struct xinv_request host_unmap(uint64_t first, uint64_t last)
{
    return (struct xinv_request){.change = XINV_CHANGE_STAGE1_PTE,
                                 .flags = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY,
                                 .first = first,
                                 .last = last};
}

struct xinv_request host_invalidate(uint8_t caches, uint8_t scope)
{
    return (struct xinv_request){.flags = XINV_REQ_INVALIDATE, .caches = caches, .scope = scope};
}

int host_run(struct hostrig *h, const struct xinv_attachment *at, size_t n,
             const struct xinv_request *request, const struct xinv_policy *policy)
{
    int ret;

    memset(h->words, 0xa5, sizeof(h->words));
    memset(h->steps, 0xa5, sizeof(h->steps));
    h->out = (struct xinv_out){
        .words = h->words, .steps = h->steps, .cap_words = HOST_WORDS, .cap_steps = HOST_STEPS};
    ret = xinv_translate(&h->iommu, at, n, request, policy, NULL, &h->out, &h->report);
    cr_assert_geq(ret, 0, "%s", xinv_strerror(ret));
    h->n_calls = xinv_iommufd_calls(&h->iommu, &h->out, h->calls, HOST_CALLS);
    cr_assert_geq(h->n_calls, 0, "%s", xinv_strerror(h->n_calls));
    return h->n_calls;
}

int host_try(struct hostrig *h, const struct xinv_attachment *at, size_t n,
             const struct xinv_request *request)
{
    struct xinv_out none = {0};

    return xinv_translate(&h->iommu, at, n, request, NULL, NULL, &none, &h->report);
}

const uint64_t *host_entry(const struct hostrig *h, int call, uint32_t entry)
{
    cr_assert_lt(call, h->n_calls);
    cr_assert_lt(entry, h->calls[call].entry_num);
    return (const uint64_t *)(uintptr_t)h->calls[call].data_uptr +
           (size_t)entry * (h->calls[call].entry_len / 8);
}
