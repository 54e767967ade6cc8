// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/amdvi/amdvi.h"
#include "backends/amdvi/layout.h"
#include "core/bits.h"
#include "core/layout.h"
#include "schema/generated/amdvi_features.h"

static uint8_t command_words(const struct xinv_iommu *iommu)
{
    (void)iommu;
    return 2;
}

static void begin(uint64_t *w, unsigned opcode)
{
    w[0] = 0;
    w[1] = 0;
    XINV_PUT(w, AMDVI_OPCODE, opcode);
}

/* Every address: ones up to bit 62 and a zero in bit 63 (2.4.3). */
static const struct xinv_block whole_space = {.order = 52, .last = UINT64_MAX};

static void put_address(const struct xinv_block *block, uint64_t *w)
{
    XINV_PUT(w, AMDVI_S, block->order != 0);
    XINV_PUT(w, AMDVI_ADDRESS, xinv_sized_address(block->first, block->order));
}

static void put_pages(const struct xinv_block *block, bool guest, const struct xinv_operands *op,
                      uint64_t *w)
{
    begin(w, AMDVI_INVALIDATE_IOMMU_PAGES);
    XINV_PUT(w, AMDVI_PAGES_DOMAIN, op->did);
    if (guest) {
        XINV_PUT(w, AMDVI_PAGES_PASID, op->pasid);
        XINV_PUT(w, AMDVI_GN, 1);
    }
    XINV_PUT(w, AMDVI_PAGES_PDE, !op->leaf);
    put_address(block, w);
}

static void put_iotlb(const struct xinv_block *block, bool guest, const struct xinv_operands *op,
                      uint64_t *w)
{
    /* no depth is 32 outstanding invalidations (PCIe ATS 10.5.1.2); no queue of its own is the
     * device's */
    begin(w, AMDVI_INVALIDATE_IOTLB_PAGES);
    XINV_PUT(w, AMDVI_DEVICE_ID, op->rid);
    XINV_PUT(w, AMDVI_IOTLB_MAXPEND, op->at->queue_depth ? op->at->queue_depth : 32);
    XINV_PUT(w, AMDVI_IOTLB_QUEUE_ID, op->at->queue_id ? op->at->queue_id : op->rid);
    if (guest) {
        XINV_PUT(w, AMDVI_IOTLB_PASID_7_0, op->pasid);
        XINV_PUT(w, AMDVI_IOTLB_PASID_15_8, op->pasid);
        XINV_PUT(w, AMDVI_IOTLB_PASID_19_16, op->pasid);
        XINV_PUT(w, AMDVI_GN, 1);
    }
    put_address(block, w);
}

static void encode(const struct xinv_iommu *iommu, uint8_t form, const struct xinv_operands *op,
                   uint64_t *w)
{
    (void)iommu;
    switch (form) {
    case XINV_AMDVI_OP_DEVTAB_ENTRY:
        begin(w, AMDVI_INVALIDATE_DEVTAB_ENTRY);
        XINV_PUT(w, AMDVI_DEVICE_ID, op->rid);
        break;
    case XINV_AMDVI_OP_INTERRUPT_TABLE:
        begin(w, AMDVI_INVALIDATE_INTERRUPT_TABLE);
        XINV_PUT(w, AMDVI_DEVICE_ID, op->rid);
        break;
    case XINV_AMDVI_OP_PAGES_HOST:
        put_pages(&op->block, false, op, w);
        break;
    case XINV_AMDVI_OP_PAGES_HOST_ALL:
        put_pages(&whole_space, false, op, w);
        break;
    case XINV_AMDVI_OP_PAGES_GUEST:
        put_pages(&op->block, true, op, w);
        break;
    case XINV_AMDVI_OP_PAGES_GUEST_ALL:
        put_pages(&whole_space, true, op, w);
        break;
    case XINV_AMDVI_OP_IOTLB:
        put_iotlb(&op->block, false, op, w);
        break;
    case XINV_AMDVI_OP_IOTLB_ALL:
        put_iotlb(&whole_space, false, op, w);
        break;
    case XINV_AMDVI_OP_IOTLB_PASID:
        put_iotlb(&op->block, true, op, w);
        break;
    case XINV_AMDVI_OP_IOTLB_PASID_ALL:
        put_iotlb(&whole_space, true, op, w);
        break;
    default: /* XINV_AMDVI_OP_IOMMU_ALL */
        begin(w, AMDVI_INVALIDATE_IOMMU_ALL);
        break;
    }
}

/* Only F keeps later commands of the queue from starting (2.4.1). */
static void fence(const struct xinv_iommu *iommu, uint64_t *w)
{
    (void)iommu;
    begin(w, AMDVI_COMPLETION_WAIT);
    XINV_PUT(w, AMDVI_WAIT_F, 1);
}

static int complete(const struct xinv_iommu *iommu, const struct xinv_completion *c, uint64_t *w)
{
    (void)iommu;
    if (c->drain || (c->store && ((c->address & 7) || c->address >> 52)))
        return -XINV_E_INVAL;
    begin(w, AMDVI_COMPLETION_WAIT);
    XINV_PUT(w, AMDVI_WAIT_I, c->interrupt);
    XINV_PUT(w, AMDVI_WAIT_F, c->fence);
    if (c->store) {
        XINV_PUT(w, AMDVI_WAIT_S, 1);
        XINV_PUT(w, AMDVI_WAIT_ADDRESS, c->address);
        XINV_PUT(w, AMDVI_WAIT_DATA, c->data);
    }
    return 0;
}

static const char *const op_names[XINV_AMDVI_NOPS] = {
    [XINV_AMDVI_OP_DEVTAB_ENTRY] = "devtab_entry",
    [XINV_AMDVI_OP_INTERRUPT_TABLE] = "interrupt_table",
    [XINV_AMDVI_OP_IOMMU_ALL] = "iommu_all",
    [XINV_AMDVI_OP_PAGES_HOST] = "pages_host",
    [XINV_AMDVI_OP_PAGES_HOST_ALL] = "pages_host_all",
    [XINV_AMDVI_OP_PAGES_GUEST] = "pages_guest",
    [XINV_AMDVI_OP_PAGES_GUEST_ALL] = "pages_guest_all",
    [XINV_AMDVI_OP_IOTLB] = "iotlb",
    [XINV_AMDVI_OP_IOTLB_ALL] = "iotlb_all",
    [XINV_AMDVI_OP_IOTLB_PASID] = "iotlb_pasid",
    [XINV_AMDVI_OP_IOTLB_PASID_ALL] = "iotlb_pasid_all",
};

const struct xinv_backend xinv_backend_amdvi = {
    .name = "amdvi",
    .op_names = op_names,
    .n_ops = XINV_AMDVI_NOPS,
    .words = command_words,
    .encode = encode,
    .read = xinv_amdvi_read,
    .fence = fence,
    .complete = complete,
    .store = {0, 1, 0},
    .codec = &xinv_amdvi_codec,
    .filter = &xinv_amdvi_filter,
};
