// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the words of a command remove: the op of the table's row, and the tags' values. */
#include "core/read.h"
#include "backends/amdvi/amdvi.h"
#include "backends/amdvi/layout.h"

/* The largest block of addresses that a command means as one; above, it is read as everything. */
#define LOG2_LARGEST 52

/*
 * The address and its size (2.4.3). Blocks above 2^52 bytes are larger than any host address, so
 * that hardware may take them for everything.
 *
 * returns: whether it is everything by its encoding
 */
static bool read_address(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    uint64_t address = XINV_GET(w, AMDVI_ADDRESS);
    unsigned log2_bytes = 12;

    if (XINV_GET(w, AMDVI_S))
        log2_bytes = xinv_read_sized(address, set);
    else
        xinv_read_block(address, 12, set);
    if (log2_bytes > LOG2_LARGEST && log2_bytes < 64)
        form->loose = XINV_TAG_BIT(XINV_TAG_ADDRESS) | XINV_TAG_BIT(XINV_TAG_IPA);
    return log2_bytes == 64;
}

/* PDE = 0 keeps page-directory entries, so that even every address is not all that there is. */
static void read_pages(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    bool all = read_address(w, form, set);
    bool guest = XINV_GET(w, AMDVI_GN);

    set->did = (uint32_t)XINV_GET(w, AMDVI_PAGES_DOMAIN);
    if (guest)
        set->pasid = (uint32_t)XINV_GET(w, AMDVI_PAGES_PASID);
    if (XINV_GET(w, AMDVI_PAGES_PDE) && all) {
        set->first = 0;
        set->last = 0;
        form->op = guest ? XINV_AMDVI_OP_PAGES_GUEST_ALL : XINV_AMDVI_OP_PAGES_HOST_ALL;
        return;
    }
    form->leaf = !XINV_GET(w, AMDVI_PAGES_PDE);
    form->op = guest ? XINV_AMDVI_OP_PAGES_GUEST : XINV_AMDVI_OP_PAGES_HOST;
}

static void read_iotlb(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    bool all = read_address(w, form, set);
    bool guest = XINV_GET(w, AMDVI_GN);

    set->rid = (uint32_t)XINV_GET(w, AMDVI_DEVICE_ID);
    if (guest)
        set->pasid =
            (uint32_t)(XINV_GET(w, AMDVI_IOTLB_PASID_7_0) | XINV_GET(w, AMDVI_IOTLB_PASID_15_8) |
                       XINV_GET(w, AMDVI_IOTLB_PASID_19_16));
    if (all) {
        set->first = 0;
        set->last = 0;
        form->op = guest ? XINV_AMDVI_OP_IOTLB_PASID_ALL : XINV_AMDVI_OP_IOTLB_ALL;
        return;
    }
    form->op = guest ? XINV_AMDVI_OP_IOTLB_PASID : XINV_AMDVI_OP_IOTLB;
}

void xinv_amdvi_read(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                     struct xinv_removal_set *set)
{
    (void)iommu;
    switch (XINV_GET(w, AMDVI_OPCODE)) {
    case AMDVI_INVALIDATE_DEVTAB_ENTRY:
        form->op = XINV_AMDVI_OP_DEVTAB_ENTRY;
        set->rid = (uint32_t)XINV_GET(w, AMDVI_DEVICE_ID);
        break;
    case AMDVI_INVALIDATE_INTERRUPT_TABLE:
        form->op = XINV_AMDVI_OP_INTERRUPT_TABLE;
        set->rid = (uint32_t)XINV_GET(w, AMDVI_DEVICE_ID);
        break;
    case AMDVI_INVALIDATE_IOMMU_PAGES:
        read_pages(w, form, set);
        break;
    case AMDVI_INVALIDATE_IOTLB_PAGES:
        read_iotlb(w, form, set);
        break;
    case AMDVI_INVALIDATE_IOMMU_ALL:
        form->op = XINV_AMDVI_OP_IOMMU_ALL;
        break;
    case AMDVI_PREFETCH_IOMMU_PAGES:
        form->op = XINV_GET(w, AMDVI_PREFETCH_INVAL) ? XINV_FORM_UNKNOWN : XINV_FORM_NOTHING;
        break;
    case AMDVI_RESET_VMMIO:
        form->op = XINV_FORM_UNKNOWN;
        break;
    default: /* COMPLETION_WAIT, COMPLETE_PPR_REQUEST, INSERT_GUEST_EVENT */
        form->op = XINV_FORM_NOTHING;
        break;
    }
}
