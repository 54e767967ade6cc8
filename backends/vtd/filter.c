// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's descriptors: its first-stage translations under the host's nested DIDs, and the
 * Device-TLBs of its own functions. Its context, PASID and interrupt tables are the caller's to
 * read.
 */
#include "core/filter.h"
#include "backends/vtd/layout.h"
#include "backends/vtd/vtd.h"
#include "schema/generated/vtd_features.h"

/*
 * A nested DID has first-stage and nested entries, which a page-selective iotlb takes at any
 * address (6.5.2.3), and second-stage entries by addresses that are not the guest's: the whole DID
 * it is.
 */
static void guest_iotlb(struct xinv_guest_command *c)
{
    uint32_t did = (uint32_t)XINV_TAKE(c->words, VTD_DID);
    struct xinv_pass *pass = xinv_pass_add(c, XINV_TAG_DID);

    pass->every = XINV_TAKE(pass->words, VTD_G) == VTD_IOTLB_GLOBAL;
    pass->value = did;
    XINV_PUT(pass->words, VTD_G, VTD_IOTLB_DOMAIN);
    pass->words[1] = 0;
}

static void guest_p_iotlb(struct xinv_guest_command *c)
{
    uint32_t did = (uint32_t)XINV_TAKE(c->words, VTD_DID);

    c->pasid = (uint32_t)XINV_GET(c->words, VTD_PASID);
    xinv_pass_add(c, XINV_TAG_DID)->value = did;
}

/* The queue's depth and the function that it belongs to are the host's as well. */
static void pass_function(struct xinv_guest_command *c, uint32_t sid)
{
    struct xinv_pass *pass;

    (void)XINV_TAKE(c->words, VTD_PFSID_LO);
    (void)XINV_TAKE(c->words, VTD_PFSID_HI);
    pass = xinv_pass_add(c, XINV_TAG_RID);
    pass->value = sid;
    pass->ats = 1;
}

static void guest_dev_tlb(struct xinv_guest_command *c)
{
    uint32_t sid = (uint32_t)XINV_TAKE(c->words, VTD_DEV_SID);

    (void)XINV_TAKE(c->words, VTD_DEV_MIP);
    pass_function(c, sid);
}

static void guest_p_dev_tlb(struct xinv_guest_command *c)
{
    uint32_t sid = (uint32_t)XINV_TAKE(c->words, VTD_PDEV_SID);

    (void)XINV_TAKE(c->words, VTD_PDEV_MIP);
    if (XINV_GET(c->words, VTD_PDEV_G))
        (void)XINV_TAKE(c->words, VTD_PASID); /* not looked at */
    c->pasid = (uint32_t)XINV_GET(c->words, VTD_PASID);
    pass_function(c, sid);
}

static void guest(const struct xinv_iommu *iommu, struct xinv_guest_command *c)
{
    (void)iommu;
    switch (c->words[0] & VTD_TYPE_MASK) {
    case VTD_IOTLB:
        guest_iotlb(c);
        break;
    case VTD_P_IOTLB:
        guest_p_iotlb(c);
        break;
    case VTD_DEV_TLB:
        guest_dev_tlb(c);
        break;
    case VTD_P_DEV_TLB:
        guest_p_dev_tlb(c);
        break;
    case VTD_WAIT:
        c->verdict = XINV_FILTER_ANSWERED;
        break;
    case VTD_CC:
    case VTD_PC:
    case VTD_IEC:
        xinv_guest_refuse(c, XINV_FILTER_EMULATED);
        break;
    default:
        break;
    }
}

static void put_pfsid(const struct xinv_iommu *iommu, const struct xinv_attachment *at, uint64_t *w)
{
    if (!iommu->feature[XINV_VTD_F_DIT])
        return; /* reserved without ECAP.DIT */
    XINV_PUT(w, VTD_PFSID_LO, at->pfsid);
    XINV_PUT(w, VTD_PFSID_HI, at->pfsid);
}

static void host(const struct xinv_iommu *iommu, const struct xinv_attachment *at, uint64_t *w)
{
    switch (w[0] & VTD_TYPE_MASK) {
    case VTD_DEV_TLB:
        XINV_PUT(w, VTD_DEV_SID, at->rid);
        XINV_PUT(w, VTD_DEV_MIP, at->queue_depth); /* 32 is 0 */
        put_pfsid(iommu, at, w);
        break;
    case VTD_P_DEV_TLB:
        XINV_PUT(w, VTD_PDEV_SID, at->rid);
        XINV_PUT(w, VTD_PDEV_MIP, at->queue_depth);
        put_pfsid(iommu, at, w);
        break;
    default: /* iotlb, p_iotlb */
        XINV_PUT(w, VTD_DID, at->did);
        break;
    }
}

const struct xinv_filter_ops xinv_vtd_filter = {guest, host};
