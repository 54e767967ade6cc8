// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a descriptor removes: the op of the table's row, and the tags' values. */
#include "core/read.h"
#include "backends/vtd/layout.h"
#include "backends/vtd/vtd.h"
#include "schema/generated/vtd_features.h"

static void read_did(const uint64_t *w, struct xinv_removal_set *set)
{
    set->did = (uint32_t)XINV_GET(w, VTD_DID);
}

static void read_pasid(const uint64_t *w, struct xinv_removal_set *set)
{
    set->pasid = (uint32_t)XINV_GET(w, VTD_PASID);
}

/* 2^AM pages at the address rounded down (6.5.2.3); IH = 1 keeps paging-structure entries. */
static void read_pages(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    form->leaf = (uint8_t)XINV_GET(w, VTD_IH);
    xinv_read_block(XINV_GET(w, VTD_ADDR), 12 + (unsigned)XINV_GET(w, VTD_AM), set);
}

/* FM masks bits of the function number: 0 none, 1 bit 2, 2 bits 2:1, 3 bits 2:0 (6.5.2.1). */
static void read_cc(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                    struct xinv_removal_set *set)
{
    static const uint8_t masked[4] = {0, 4, 6, 7};

    switch (XINV_GET(w, VTD_G)) {
    case VTD_CC_GLOBAL:
        form->op = XINV_VTD_OP_CC_GLOBAL;
        break;
    case VTD_CC_DOMAIN:
        form->op = XINV_VTD_OP_CC_DOMAIN;
        read_did(w, set);
        break;
    default: /* VTD_CC_DEVICE */
        form->op = XINV_VTD_OP_CC_DEVICE;
        if (!iommu->feature[XINV_VTD_F_TTM]) /* ignored in scalable mode */
            read_did(w, set);
        set->rid_ignored = masked[XINV_GET(w, VTD_CC_FM)];
        set->rid = (uint32_t)XINV_GET(w, VTD_CC_SID) & ~set->rid_ignored;
        break;
    }
}

static void read_iotlb(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    switch (XINV_GET(w, VTD_G)) {
    case VTD_IOTLB_GLOBAL:
        form->op = XINV_VTD_OP_IOTLB_GLOBAL;
        break;
    case VTD_IOTLB_DOMAIN:
        form->op = XINV_VTD_OP_IOTLB_DOMAIN;
        read_did(w, set);
        break;
    default: /* VTD_IOTLB_PAGE */
        form->op = XINV_VTD_OP_IOTLB_PAGE;
        read_did(w, set);
        read_pages(w, form, set);
        break;
    }
}

static void read_p_iotlb(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    read_did(w, set);
    read_pasid(w, set);
    form->op = XINV_VTD_OP_P_IOTLB_PASID;
    if (XINV_GET(w, VTD_G) == VTD_P_IOTLB_PAGE) {
        form->op = XINV_VTD_OP_P_IOTLB_PAGE;
        read_pages(w, form, set);
    }
}

static void read_pc(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    switch (XINV_GET(w, VTD_G)) {
    case VTD_PC_GLOBAL:
        form->op = XINV_VTD_OP_PC_GLOBAL;
        break;
    case VTD_PC_DOMAIN:
        form->op = XINV_VTD_OP_PC_DOMAIN;
        read_did(w, set);
        break;
    default: /* VTD_PC_PASID */
        form->op = XINV_VTD_OP_PC_PASID;
        read_did(w, set);
        read_pasid(w, set);
        break;
    }
}

/* Is it the whole address space? Otherwise first..last are set. */
static bool read_region(const uint64_t *w, uint64_t sized, struct xinv_removal_set *set)
{
    uint64_t address = XINV_GET(w, VTD_ADDR);
    struct xinv_removal_set region = {0};

    if (!sized) {
        xinv_read_block(address, 12, set);
        return false;
    }
    if (xinv_read_sized(address, &region) == 64)
        return true;
    set->first = region.first;
    set->last = region.last;
    return false;
}

static void read_dev_tlb(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    bool all = read_region(w, XINV_GET(w, VTD_DEV_S), set);

    set->rid = (uint32_t)XINV_GET(w, VTD_DEV_SID);
    form->op = all ? XINV_VTD_OP_DEV_TLB_ALL : XINV_VTD_OP_DEV_TLB_PAGE;
}

static void read_p_dev_tlb(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    static const uint8_t ops[2][2] = {
        {XINV_VTD_OP_P_DEV_TLB_PAGE, XINV_VTD_OP_P_DEV_TLB_PAGE_ALL_PASIDS},
        {XINV_VTD_OP_P_DEV_TLB_ALL, XINV_VTD_OP_P_DEV_TLB_ALL_PASIDS},
    };
    bool all = read_region(w, XINV_GET(w, VTD_PDEV_S), set);
    bool every_pasid = XINV_GET(w, VTD_PDEV_G);

    set->rid = (uint32_t)XINV_GET(w, VTD_PDEV_SID);
    if (!every_pasid)
        read_pasid(w, set);
    form->op = ops[all][every_pasid];
}

/* G = 0 is global; otherwise 2^IM entries from an aligned index (6.5.2.7). */
static void read_iec(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    unsigned im = (unsigned)XINV_GET(w, VTD_IEC_IM);

    form->op = XINV_VTD_OP_IEC_GLOBAL;
    if (!XINV_GET(w, VTD_IEC_G))
        return;
    form->narrow = XINV_TAG_BIT(XINV_TAG_INDEX);
    set->index_ignored = im >= 16 ? 0xffff : (UINT32_C(1) << im) - 1;
    set->index = (uint32_t)XINV_GET(w, VTD_IEC_IIDX) & ~set->index_ignored;
}

void xinv_vtd_read(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                   struct xinv_removal_set *set)
{
    switch (w[0] & VTD_TYPE_MASK) {
    case VTD_CC:
        read_cc(iommu, w, form, set);
        break;
    case VTD_IOTLB:
        read_iotlb(w, form, set);
        break;
    case VTD_DEV_TLB:
        read_dev_tlb(w, form, set);
        break;
    case VTD_IEC:
        read_iec(w, form, set);
        break;
    case VTD_P_IOTLB:
        read_p_iotlb(w, form, set);
        break;
    case VTD_PC:
        read_pc(w, form, set);
        break;
    case VTD_P_DEV_TLB:
        read_p_dev_tlb(w, form, set);
        break;
    default: /* VTD_WAIT, VTD_PAGE_RESP */
        form->op = XINV_FORM_NOTHING;
        break;
    }
}

/* CIRG and G of a context-cache descriptor are the same numbers (11.4.6.1). */
int xinv_vtd_queued_ccmd(const struct xinv_iommu *iommu, uint64_t value, const uint64_t *addresses,
                         uint64_t *words)
{
    (void)iommu;
    (void)addresses;
    if (!XINV_GET(&value, VTD_CCMD_ICC))
        return 0;
    words[0] = VTD_CC;
    XINV_PUT(words, VTD_G, XINV_GET(&value, VTD_CCMD_CIRG));
    XINV_PUT(words, VTD_DID, XINV_GET(&value, VTD_CCMD_DID));
    XINV_PUT(words, VTD_CC_SID, XINV_GET(&value, VTD_CCMD_SID));
    XINV_PUT(words, VTD_CC_FM, XINV_GET(&value, VTD_CCMD_FM));
    return 1;
}

/* So are IIRG and G of an IOTLB descriptor, and IVA_REG is its qw1 (11.4.6.2). */
int xinv_vtd_queued_iotlb(const struct xinv_iommu *iommu, uint64_t value, const uint64_t *addresses,
                          uint64_t *words)
{
    uint64_t granularity = XINV_GET(&value, VTD_REG_IIRG);

    if (!XINV_GET(&value, VTD_REG_IVT))
        return 0;
    words[0] = VTD_IOTLB;
    XINV_PUT(words, VTD_G, granularity);
    XINV_PUT(words, VTD_DID, XINV_GET(&value, VTD_REG_DID));
    if (granularity != VTD_IOTLB_PAGE)
        return 1;
    if (!addresses)
        return -XINV_E_INVAL;
    if (XINV_GET(addresses, VTD_IVA_AM) > iommu->feature[XINV_VTD_F_MAMV])
        return -XINV_E_TAG;
    words[1] = *addresses;
    return 1;
}
