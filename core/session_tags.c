// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The host tags of a session: pools of numbers, fixed ones, and those that are not clean yet. */
#include "core/iommu.h"
#include "core/session_impl.h"

uint32_t xinv_pool_of(const struct xinv_iommu *iommu, uint8_t stage)
{
    return iommu->vendor->stages[stage].alloc_tag == XINV_TAG_ASID ? 0 : 1;
}

static uint64_t *pool_words(const struct xinv_session *s, uint32_t iommu, uint32_t pool)
{
    return s->pools + (size_t)(iommu * XINV_POOLS + pool) * (s->pool_tags / 64);
}

/* How many numbers a pool has on this IOMMU: as many as the field's width allows. */
static uint32_t pool_size(const struct xinv_session *s, uint32_t iommu, uint32_t pool)
{
    const struct xinv_iommu *u = s->iommus[iommu];
    uint8_t bits = 0;

    if (pool == 0) {
        bits = u->tag_bits[XINV_TAG_ASID];
    } else {
        bits = u->tag_bits[XINV_TAG_VMID];
        if (u->tag_bits[XINV_TAG_DID] > bits)
            bits = u->tag_bits[XINV_TAG_DID];
    }
    if (bits >= 32)
        return s->pool_tags;
    /* numbers count from first_free_tag */
    if ((UINT32_C(1) << bits) <= u->vendor->first_free_tag)
        return 0;
    if ((UINT32_C(1) << bits) - u->vendor->first_free_tag < s->pool_tags)
        return (UINT32_C(1) << bits) - u->vendor->first_free_tag;
    return s->pool_tags;
}

uint32_t xinv_pool_take(struct xinv_session *s, uint32_t iommu, uint32_t pool)
{
    uint64_t *words = pool_words(s, iommu, pool);
    uint32_t n = pool_size(s, iommu, pool);

    for (uint32_t w = 0; w * 64 < n; w++) {
        uint32_t i;

        if (words[w] == UINT64_MAX)
            continue;
        i = w * 64 + (uint32_t)__builtin_ctzll(~words[w]);
        if (i >= n)
            break;
        words[w] |= UINT64_C(1) << (i % 64);
        return i + s->iommus[iommu]->vendor->first_free_tag;
    }
    return XINV_NO_TAG;
}

void xinv_pool_give(struct xinv_session *s, uint32_t iommu, uint32_t pool, uint32_t tag)
{
    uint32_t i = tag - s->iommus[iommu]->vendor->first_free_tag;

    pool_words(s, iommu, pool)[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void xinv_pool_quarantine(struct xinv_session *s, const struct xinv_quarantined *tag)
{
    s->quarantine[s->n_quarantined++] = *tag;
}

bool xinv_pool_quarantined(const struct xinv_session *s, uint32_t iommu, uint32_t pool,
                           uint32_t tag)
{
    for (uint32_t i = 0; i < s->n_quarantined; i++)
        if (s->quarantine[i].iommu == iommu && s->quarantine[i].pool == pool &&
            s->quarantine[i].tag == tag)
            return true;
    return false;
}

void xinv_session_complete(struct xinv_session *s, uint64_t token)
{
    uint32_t kept = 0;

    /* what a batch holds has not even been sent */
    if (s->batch.open && token >= s->token)
        token = s->token - 1;
    for (uint32_t i = 0; i < s->n_quarantined; i++) {
        struct xinv_quarantined *q = &s->quarantine[i];

        if (q->token > token)
            s->quarantine[kept++] = *q;
        else if (q->pooled)
            xinv_pool_give(s, q->iommu, q->pool, q->tag);
    }
    for (uint32_t i = kept; i < s->n_quarantined; i++)
        s->quarantine[i] = (struct xinv_quarantined){0};
    s->n_quarantined = kept;
}

struct xinv_domain_tag *xinv_domain_tag_at(const struct xinv_session *s, uint32_t domain,
                                           uint32_t iommu, uint8_t stage)
{
    return &s->domain_tags[((size_t)domain * s->config.n_iommus + iommu) * XINV_TABLE_STAGES +
                           (stage == XINV_STAGE_STAGE2)];
}

/* Does an endpoint that is there already have this fixed tag on the same IOMMU? */
static bool fixed_already(const struct xinv_session *s, const struct xinv_endpoint *endpoint)
{
    uint32_t pool = xinv_pool_of(s->iommus[endpoint->iommu], endpoint->stage);

    for (uint32_t i = 0; i < s->n_endpoints; i++) {
        const struct xinv_endpoint *e = &s->endpoints[i].e;

        if (e->iommu == endpoint->iommu && e->fixed_tag == endpoint->fixed_tag &&
            xinv_pool_of(s->iommus[e->iommu], e->stage) == pool)
            return true;
    }
    return false;
}

int xinv_pool_reserve(struct xinv_session *s, const struct xinv_endpoint *endpoint)
{
    const struct xinv_iommu *iommu = s->iommus[endpoint->iommu];
    const struct xinv_stage_def *def = &iommu->vendor->stages[endpoint->stage];
    uint8_t bits = iommu->tag_bits[def->alloc_tag];
    uint64_t *words = pool_words(s, endpoint->iommu, xinv_pool_of(iommu, endpoint->stage));
    uint32_t i = endpoint->fixed_tag - iommu->vendor->first_free_tag;

    if (!endpoint->fixed_tag)
        return 0;
    if (endpoint->fixed_tag < iommu->vendor->first_free_tag ||
        (bits < 32 && endpoint->fixed_tag >> bits))
        return -XINV_E_TAG;
    if (i >= s->pool_tags || fixed_already(s, endpoint))
        return 0;
    if (words[i / 64] >> (i % 64) & 1)
        return -XINV_E_EXIST;
    words[i / 64] |= UINT64_C(1) << (i % 64);
    return 0;
}
