// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A guest's commands: its stage-1 translations under the host's VMID, the CDs and the ATCs of its
 * own streams. Its stream table is the caller's to read; stage 2, EL2 and all else is the host's.
 */
#include "core/filter.h"
#include "backends/smmuv3/layout.h"
#include "backends/smmuv3/smmuv3.h"

static struct xinv_pass *pass_vmid(struct xinv_guest_command *c)
{
    struct xinv_pass *pass = xinv_pass_add(c, XINV_TAG_VMID);

    pass->every = 1; /* the guest's own VMIDs mean nothing here: it has one */
    return pass;
}

static struct xinv_pass *pass_stream(struct xinv_guest_command *c)
{
    uint32_t sid = (uint32_t)XINV_TAKE(c->words, SMMUV3_SID);
    struct xinv_pass *pass = xinv_pass_add(c, XINV_TAG_RID);

    pass->value = sid;
    return pass;
}

static void guest_atc(struct xinv_guest_command *c)
{
    uint32_t ssid = (uint32_t)XINV_GET(c->words, SMMUV3_SSID);

    if (XINV_GET(c->words, SMMUV3_SSV))
        c->pasid = ssid;
    else
        (void)XINV_TAKE(c->words, SMMUV3_SSID); /* not looked at */
    pass_stream(c)->ats = 1;
}

static void guest(const struct xinv_iommu *iommu, struct xinv_guest_command *c)
{
    struct xinv_pass *pass;

    (void)iommu;
    switch (XINV_GET(c->words, SMMUV3_OPCODE)) {
    case SMMUV3_TLBI_NSNH_ALL:
        pass = pass_vmid(c);
        pass->words[0] = SMMUV3_TLBI_NH_ALL;
        pass->words[1] = 0;
        break;
    case SMMUV3_TLBI_NH_ALL:
    case SMMUV3_TLBI_NH_ASID:
    case SMMUV3_TLBI_NH_VA:
    case SMMUV3_TLBI_NH_VAA:
        (void)XINV_TAKE(c->words, SMMUV3_VMID);
        (void)pass_vmid(c);
        break;
    case SMMUV3_CFGI_CD:
        c->pasid = (uint32_t)XINV_GET(c->words, SMMUV3_SSID);
        (void)pass_stream(c);
        break;
    case SMMUV3_CFGI_CD_ALL:
        (void)pass_stream(c);
        break;
    case SMMUV3_ATC_INV:
        guest_atc(c);
        break;
    case SMMUV3_SYNC:
        c->verdict = XINV_FILTER_ANSWERED;
        break;
    case SMMUV3_CFGI_STE:
    case SMMUV3_CFGI_STE_RANGE:
        (void)XINV_TAKE(c->words, SMMUV3_SID);
        xinv_guest_refuse(c, XINV_FILTER_EMULATED);
        break;
    case SMMUV3_PREFETCH_CONFIG:
    case SMMUV3_PREFETCH_ADDR:
        (void)XINV_TAKE(c->words, SMMUV3_SID);
        xinv_guest_refuse(c, XINV_FILTER_HINT);
        break;
    default:
        break;
    }
}

static void host(const struct xinv_iommu *iommu, const struct xinv_attachment *at, uint64_t *w)
{
    (void)iommu;
    switch (XINV_GET(w, SMMUV3_OPCODE)) {
    case SMMUV3_CFGI_CD:
    case SMMUV3_CFGI_CD_ALL:
    case SMMUV3_ATC_INV:
        XINV_PUT(w, SMMUV3_SID, at->rid);
        break;
    default: /* TLBI_NH_* */
        XINV_PUT(w, SMMUV3_VMID, at->vmid);
        break;
    }
}

const struct xinv_filter_ops xinv_smmuv3_filter = {guest, host};
