// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The endpoints of a session. */
#include "core/iommu.h"
#include "core/mem.h"
#include "core/session_impl.h"
#include "core/virtio.h"

/*
 * The attachments of a domain are no longer what they were. What is kept of them is found by this
 * number, which none has had before: whatever is older is never found again.
 */
static void change_attachments(struct xinv_session *s, struct xinv_domain *d)
{
    d->epoch = ++s->epochs;
}

void xinv_endpoint_link(struct xinv_session *s, uint32_t endpoint, uint32_t domain)
{
    struct xinv_session_endpoint *e = &s->endpoints[endpoint];
    struct xinv_domain *d = &s->domains[domain];

    e->domain = domain;
    e->prev = XINV_NIL;
    e->next = d->endpoints;
    if (d->endpoints != XINV_NIL)
        s->endpoints[d->endpoints].prev = endpoint;
    d->endpoints = endpoint;
    d->iommus |= UINT32_C(1) << e->e.iommu;
    change_attachments(s, d);
}

void xinv_endpoint_unlink(struct xinv_session *s, uint32_t endpoint)
{
    struct xinv_session_endpoint *e = &s->endpoints[endpoint];

    change_attachments(s, &s->domains[e->domain]);
    if (e->prev != XINV_NIL)
        s->endpoints[e->prev].next = e->next;
    else
        s->domains[e->domain].endpoints = e->next;
    if (e->next != XINV_NIL)
        s->endpoints[e->next].prev = e->prev;
    e->domain = XINV_NIL;
    e->next = XINV_NIL;
    e->prev = XINV_NIL;
}

uint8_t xinv_endpoint_stage(const struct xinv_session *s, uint32_t endpoint, uint32_t domain)
{
    return s->domains[domain].bypass ? XINV_STAGE_PASSTHROUGH : s->endpoints[endpoint].e.stage;
}

uint32_t xinv_endpoint_tag(const struct xinv_session *s, uint32_t endpoint)
{
    const struct xinv_session_endpoint *e = &s->endpoints[endpoint];
    const struct xinv_iommu *iommu = s->iommus[e->e.iommu];
    uint8_t stage = xinv_endpoint_stage(s, endpoint, e->domain);

    if (iommu->vendor->stages[stage].alloc == XINV_ALLOC_DOMAIN)
        return xinv_domain_tag_at(s, e->domain, e->e.iommu, stage)->tag;
    return e->tag;
}

static void set_tag(struct xinv_attachment *at, unsigned tag, uint32_t value)
{
    at->known |= XINV_TAG_BIT(tag);
    switch (tag) {
    case XINV_TAG_ASID:
        at->asid = value;
        break;
    case XINV_TAG_DID:
        at->did = value;
        break;
    case XINV_TAG_VMID:
        at->vmid = value;
        break;
    default:
        break;
    }
}

void xinv_endpoint_attachment(const struct xinv_session *s, uint32_t endpoint, uint8_t stage,
                              uint32_t tag, struct xinv_attachment *at)
{
    const struct xinv_endpoint *e = &s->endpoints[endpoint].e;
    const struct xinv_stage_def *def = &s->iommus[e->iommu]->vendor->stages[stage];

    *at = (struct xinv_attachment){.stage = stage,
                                   .flags = e->flags,
                                   .known = XINV_TAG_BIT(XINV_TAG_RID),
                                   .quirks = e->quirks,
                                   .n_aliases = e->n_aliases,
                                   .queue_depth = e->queue_depth,
                                   .queue_id = e->queue_id,
                                   .pfsid = e->pfsid,
                                   .rid = e->rid,
                                   .aliases = e->aliases};
    for (unsigned t = XINV_TAG_ASID; t <= XINV_TAG_VMID; t++)
        if (def->const_tags & XINV_TAG_BIT(t))
            set_tag(at, t, def->const_value);
    if (def->alloc == XINV_ALLOC_DOMAIN || def->alloc == XINV_ALLOC_ENDPOINT)
        set_tag(at, def->alloc_tag, tag);
    if (def->pasid_required)
        at->known |= XINV_TAG_BIT(XINV_TAG_PASID);
}

int xinv_endpoint_check(const struct xinv_session *s, uint32_t endpoint, uint8_t stage,
                        uint32_t tag)
{
    const struct xinv_iommu *iommu = s->iommus[s->endpoints[endpoint].e.iommu];
    uint8_t changes[] = {xinv_attach_change(iommu), stage == XINV_STAGE_STAGE2
                                                        ? XINV_CHANGE_STAGE2_PTE
                                                        : XINV_CHANGE_STAGE1_PTE};
    struct xinv_attachment at;

    if (!(iommu->untagged & XINV_STAGE_BIT(stage)))
        return -XINV_E_UNSUPP;
    xinv_endpoint_attachment(s, endpoint, stage, tag, &at);
    for (unsigned i = 0; i < (stage == XINV_STAGE_PASSTHROUGH ? 1 : 2); i++)
        for (uint8_t from = XINV_FROM_PRESENT; from <= XINV_FROM_NOT_PRESENT; from++) {
            struct xinv_request r = {.change = changes[i], .from = from};
            struct xinv_out none = {0};
            int ret = xinv_translate(iommu, &at, 1, &r, NULL, NULL, &none, NULL);

            if (ret < 0)
                return ret == -XINV_E_MUST_BLOCK ? -XINV_E_UNSUPP : ret;
        }
    return 0;
}

/* Do the regions make a list that a PROBE can give? */
static bool valid_regions(const struct xinv_session *s, const struct xinv_endpoint *e)
{
    unsigned msi = 0;

    if (e->n_reserved && !e->reserved)
        return false;
    for (unsigned i = 0; i < e->n_reserved; i++) {
        if (e->reserved[i].start > e->reserved[i].end)
            return false;
        msi += e->reserved[i].msi != 0;
    }
    /* a region that is left out would be refused to MAPs without the guest's knowing why */
    return msi <= 1 && (!(s->config.features & XINV_VIRTIO_F_PROBE) ||
                        e->n_reserved * XINV_VIRTIO_REGION <= s->config.probe_size);
}

static bool valid_endpoint(const struct xinv_session *s, const struct xinv_endpoint *e)
{
    const uint8_t flags = XINV_ATT_ATS | XINV_ATT_PASID_ENABLED | XINV_ATT_PASIDS_UNKNOWN;

    return e->iommu < s->config.n_iommus &&
           (e->stage == XINV_STAGE_STAGE1 || e->stage == XINV_STAGE_STAGE2) &&
           !(e->flags & ~flags) && e->queue_depth <= 32 && (!e->n_aliases || e->aliases) &&
           valid_regions(s, e);
}

int xinv_session_add_endpoint(struct xinv_session *s, const struct xinv_endpoint *endpoint)
{
    struct xinv_session_endpoint *e;
    uint32_t tag;
    int ret;

    if (!s || !endpoint || !valid_endpoint(s, endpoint))
        return -XINV_E_INVAL;
    if (xinv_ids_find_endpoint(s, endpoint->id) != XINV_NIL)
        return -XINV_E_EXIST;
    if (s->n_endpoints == s->config.max_endpoints)
        return -XINV_E_NOMEM;
    e = &s->endpoints[s->n_endpoints];
    e->e = *endpoint;
    tag = s->iommus[endpoint->iommu]->vendor->first_free_tag;
    ret = xinv_endpoint_check(s, s->n_endpoints, endpoint->stage, tag);
    if (!ret && xinv_session_idle_passes(s))
        ret = xinv_endpoint_check(s, s->n_endpoints, XINV_STAGE_PASSTHROUGH, XINV_NO_TAG);
    if (!ret)
        ret = xinv_pool_reserve(s, endpoint);
    if (ret) {
        memset(e, 0, sizeof(*e));
        return ret;
    }
    e->domain = XINV_NIL;
    e->next = XINV_NIL;
    e->prev = XINV_NIL;
    e->tag = XINV_NO_TAG;
    xinv_ids_insert(&s->endpoint_ids, endpoint->id, s->n_endpoints++);
    return 0;
}
