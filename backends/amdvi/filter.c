// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's commands: its translations under the host's DomainIDs, the IOTLBs and page requests of
 * its own devices. Its device and interrupt tables are the caller's to read.
 */
#include "core/filter.h"
#include "backends/amdvi/amdvi.h"
#include "backends/amdvi/layout.h"

static void guest_pages(struct xinv_guest_command *c)
{
    uint32_t domain = (uint32_t)XINV_TAKE(c->words, AMDVI_PAGES_DOMAIN);

    if (!XINV_GET(c->words, AMDVI_GN))
        (void)XINV_TAKE(c->words, AMDVI_PAGES_PASID); /* not looked at */
    c->pasid = (uint32_t)XINV_GET(c->words, AMDVI_PAGES_PASID);
    xinv_pass_add(c, XINV_TAG_DID)->value = domain;
}

static struct xinv_pass *pass_device(struct xinv_guest_command *c)
{
    uint32_t device = (uint32_t)XINV_TAKE(c->words, AMDVI_DEVICE_ID);
    struct xinv_pass *pass = xinv_pass_add(c, XINV_TAG_RID);

    pass->value = device;
    return pass;
}

/* The queue and its depth are the host's as well. */
static void guest_iotlb(struct xinv_guest_command *c)
{
    uint64_t *w = c->words;

    if (!XINV_GET(w, AMDVI_GN)) {
        (void)XINV_TAKE(w, AMDVI_IOTLB_PASID_7_0);
        (void)XINV_TAKE(w, AMDVI_IOTLB_PASID_15_8);
        (void)XINV_TAKE(w, AMDVI_IOTLB_PASID_19_16);
    }
    c->pasid = (uint32_t)(XINV_GET(w, AMDVI_IOTLB_PASID_7_0) | XINV_GET(w, AMDVI_IOTLB_PASID_15_8) |
                          XINV_GET(w, AMDVI_IOTLB_PASID_19_16));
    (void)XINV_TAKE(w, AMDVI_IOTLB_QUEUE_ID);
    (void)XINV_TAKE(w, AMDVI_IOTLB_MAXPEND);
    pass_device(c)->ats = 1;
}

static void guest_ppr(struct xinv_guest_command *c)
{
    if (!XINV_GET(c->words, AMDVI_GN))
        (void)XINV_TAKE(c->words, AMDVI_PPR_PASID);
    c->pasid = (uint32_t)XINV_GET(c->words, AMDVI_PPR_PASID);
    (void)pass_device(c);
}

/* Never as it is: the entries of the guest's devices, and each of its DomainIDs whole. */
static void guest_all(struct xinv_guest_command *c)
{
    struct xinv_pass *pass = xinv_pass_add(c, XINV_TAG_RID);

    pass->every = 1;
    pass->words[0] = 0;
    XINV_PUT(pass->words, AMDVI_OPCODE, AMDVI_INVALIDATE_DEVTAB_ENTRY);
    pass = xinv_pass_add(c, XINV_TAG_DID);
    pass->every = 1;
    pass->words[0] = 0;
    XINV_PUT(pass->words, AMDVI_OPCODE, AMDVI_INVALIDATE_IOMMU_PAGES);
    XINV_PUT(pass->words, AMDVI_S, 1);
    XINV_PUT(pass->words, AMDVI_PAGES_PDE, 1);
    XINV_PUT(pass->words, AMDVI_ADDRESS, INT64_MAX); /* every address (2.4.3) */
}

static void guest(const struct xinv_iommu *iommu, struct xinv_guest_command *c)
{
    (void)iommu;
    switch (XINV_GET(c->words, AMDVI_OPCODE)) {
    case AMDVI_INVALIDATE_IOMMU_PAGES:
        guest_pages(c);
        break;
    case AMDVI_INVALIDATE_IOTLB_PAGES:
        guest_iotlb(c);
        break;
    case AMDVI_COMPLETE_PPR_REQUEST:
        guest_ppr(c);
        break;
    case AMDVI_INVALIDATE_IOMMU_ALL:
        guest_all(c);
        break;
    case AMDVI_COMPLETION_WAIT:
        c->verdict = XINV_FILTER_ANSWERED;
        break;
    case AMDVI_INVALIDATE_DEVTAB_ENTRY:
    case AMDVI_INVALIDATE_INTERRUPT_TABLE:
        xinv_guest_refuse(c, XINV_FILTER_EMULATED);
        break;
    case AMDVI_PREFETCH_IOMMU_PAGES:
        xinv_guest_refuse(c, XINV_GET(c->words, AMDVI_PREFETCH_INVAL) ? XINV_FILTER_UNLISTED
                                                                      : XINV_FILTER_HINT);
        break;
    default:
        break;
    }
}

static void host(const struct xinv_iommu *iommu, const struct xinv_attachment *at, uint64_t *w)
{
    (void)iommu;
    switch (XINV_GET(w, AMDVI_OPCODE)) {
    case AMDVI_INVALIDATE_IOMMU_PAGES:
        XINV_PUT(w, AMDVI_PAGES_DOMAIN, at->did);
        break;
    case AMDVI_INVALIDATE_IOTLB_PAGES:
        /* as for the host's own: no depth is 32, no queue of its own is the device's */
        XINV_PUT(w, AMDVI_DEVICE_ID, at->rid);
        XINV_PUT(w, AMDVI_IOTLB_MAXPEND, at->queue_depth ? at->queue_depth : 32);
        XINV_PUT(w, AMDVI_IOTLB_QUEUE_ID, at->queue_id ? at->queue_id : at->rid);
        break;
    default: /* INVALIDATE_DEVTAB_ENTRY, COMPLETE_PPR_REQUEST */
        XINV_PUT(w, AMDVI_DEVICE_ID, at->rid);
        break;
    }
}

const struct xinv_filter_ops xinv_amdvi_filter = {guest, host};
