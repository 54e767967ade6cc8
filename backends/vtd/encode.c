// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/vtd/layout.h"
#include "backends/vtd/vtd.h"
#include "core/bits.h"
#include "core/layout.h"
#include "schema/generated/vtd_features.h"

static uint8_t command_words(const struct xinv_iommu *iommu)
{
    return iommu->feature[XINV_VTD_F_QUEUE_WIDTH] == 256 ? 4 : 2;
}

/* Without ECAP.QI there is no queue for the words (11.4.3): register-based invalidation is not
 * spoken here. IQA_REG.DW = 1 needs ECAP.SMTS; scalable mode needs 256-bit descriptors (11.4.9.4);
 * legacy mode takes both widths. */
static int check(const struct xinv_iommu *iommu)
{
    uint16_t width = iommu->feature[XINV_VTD_F_QUEUE_WIDTH];
    uint16_t smts = iommu->feature[XINV_VTD_F_SMTS];
    uint16_t ttm = iommu->feature[XINV_VTD_F_TTM];

    if (!iommu->feature[XINV_VTD_F_QI])
        return -XINV_E_UNSUPP;
    if ((width != 128 && width != 256) || ttm > 1)
        return -XINV_E_TABLE;
    if ((width == 256 || ttm) && !smts)
        return -XINV_E_TABLE;
    return ttm && width != 256 ? -XINV_E_TABLE : 0;
}

static void begin(const struct xinv_iommu *iommu, uint64_t *w, unsigned type)
{
    w[0] = type;
    w[1] = 0;
    if (iommu->words == 4) {
        w[2] = 0;
        w[3] = 0;
    }
}

static void put_pages(const struct xinv_block *block, uint64_t *w)
{
    XINV_PUT(w, VTD_AM, block->order);
    XINV_PUT(w, VTD_ADDR, block->first);
}

static void put_iotlb(const struct xinv_iommu *iommu, unsigned granularity,
                      const struct xinv_operands *op, uint64_t *w)
{
    begin(iommu, w, VTD_IOTLB);
    XINV_PUT(w, VTD_G, granularity);
    XINV_PUT(w, VTD_IOTLB_DW, iommu->feature[XINV_VTD_F_DWD]);
    XINV_PUT(w, VTD_IOTLB_DR, iommu->feature[XINV_VTD_F_DRD]);
    if (granularity != VTD_IOTLB_GLOBAL)
        XINV_PUT(w, VTD_DID, op->did);
    if (granularity != VTD_IOTLB_PAGE)
        return;
    XINV_PUT(w, VTD_IH, op->leaf);
    put_pages(&op->block, w);
}

static void put_p_iotlb(const struct xinv_iommu *iommu, unsigned granularity,
                        const struct xinv_operands *op, uint64_t *w)
{
    begin(iommu, w, VTD_P_IOTLB);
    XINV_PUT(w, VTD_G, granularity);
    XINV_PUT(w, VTD_DID, op->did);
    XINV_PUT(w, VTD_PASID, op->pasid);
    if (granularity != VTD_P_IOTLB_PAGE)
        return;
    XINV_PUT(w, VTD_IH, op->leaf);
    put_pages(&op->block, w);
}

static const struct xinv_block whole_space = {.order = 52, .last = UINT64_MAX};

static void put_region(const struct xinv_block *block, uint64_t *w)
{
    XINV_PUT(w, VTD_DEV_S, block->order != 0);
    XINV_PUT(w, VTD_ADDR, xinv_sized_address(block->first, block->order));
}

static void put_p_region(const struct xinv_block *block, uint64_t *w)
{
    XINV_PUT(w, VTD_PDEV_S, block->order != 0);
    XINV_PUT(w, VTD_ADDR, xinv_sized_address(block->first, block->order));
}

static void put_pfsid(const struct xinv_iommu *iommu, const struct xinv_operands *op, uint64_t *w)
{
    if (!iommu->feature[XINV_VTD_F_DIT])
        return; /* reserved without ECAP.DIT */
    XINV_PUT(w, VTD_PFSID_LO, op->at->pfsid);
    XINV_PUT(w, VTD_PFSID_HI, op->at->pfsid);
}

static void put_dev_tlb(const struct xinv_iommu *iommu, const struct xinv_block *block,
                        const struct xinv_operands *op, uint64_t *w)
{
    begin(iommu, w, VTD_DEV_TLB);
    XINV_PUT(w, VTD_DEV_MIP, op->at->queue_depth); /* a depth of 32 is encoded as 0: five bits */
    XINV_PUT(w, VTD_DEV_SID, op->rid);
    put_pfsid(iommu, op, w);
    put_region(block, w);
}

static void put_p_dev_tlb(const struct xinv_iommu *iommu, const struct xinv_block *block,
                          bool all_pasids, const struct xinv_operands *op, uint64_t *w)
{
    begin(iommu, w, VTD_P_DEV_TLB);
    XINV_PUT(w, VTD_PDEV_MIP, op->at->queue_depth);
    XINV_PUT(w, VTD_PDEV_SID, op->rid);
    put_pfsid(iommu, op, w);
    if (!all_pasids)
        XINV_PUT(w, VTD_PASID, op->pasid);
    XINV_PUT(w, VTD_PDEV_G, all_pasids);
    put_p_region(block, w);
}

static void put_cc(const struct xinv_iommu *iommu, unsigned granularity,
                   const struct xinv_operands *op, uint64_t *w)
{
    begin(iommu, w, VTD_CC);
    XINV_PUT(w, VTD_G, granularity);
    if (granularity != VTD_CC_GLOBAL)
        XINV_PUT(w, VTD_DID, op->did);
    if (granularity == VTD_CC_DEVICE)
        XINV_PUT(w, VTD_CC_SID, op->rid);
}

static void put_pc(const struct xinv_iommu *iommu, unsigned granularity,
                   const struct xinv_operands *op, uint64_t *w)
{
    begin(iommu, w, VTD_PC);
    XINV_PUT(w, VTD_G, granularity);
    if (granularity != VTD_PC_GLOBAL)
        XINV_PUT(w, VTD_DID, op->did);
    if (granularity == VTD_PC_PASID)
        XINV_PUT(w, VTD_PASID, op->pasid);
}

static void encode(const struct xinv_iommu *iommu, uint8_t form, const struct xinv_operands *op,
                   uint64_t *w)
{
    switch (form) {
    case XINV_VTD_OP_CC_DEVICE:
        put_cc(iommu, VTD_CC_DEVICE, op, w);
        break;
    case XINV_VTD_OP_CC_DOMAIN:
        put_cc(iommu, VTD_CC_DOMAIN, op, w);
        break;
    case XINV_VTD_OP_CC_GLOBAL:
        put_cc(iommu, VTD_CC_GLOBAL, op, w);
        break;
    case XINV_VTD_OP_PC_PASID:
        put_pc(iommu, VTD_PC_PASID, op, w);
        break;
    case XINV_VTD_OP_PC_DOMAIN:
        put_pc(iommu, VTD_PC_DOMAIN, op, w);
        break;
    case XINV_VTD_OP_PC_GLOBAL:
        put_pc(iommu, VTD_PC_GLOBAL, op, w);
        break;
    case XINV_VTD_OP_P_IOTLB_PAGE:
        put_p_iotlb(iommu, VTD_P_IOTLB_PAGE, op, w);
        break;
    case XINV_VTD_OP_P_IOTLB_PASID:
        put_p_iotlb(iommu, VTD_P_IOTLB_PASID, op, w);
        break;
    case XINV_VTD_OP_IOTLB_PAGE:
        put_iotlb(iommu, VTD_IOTLB_PAGE, op, w);
        break;
    case XINV_VTD_OP_IOTLB_DOMAIN:
        put_iotlb(iommu, VTD_IOTLB_DOMAIN, op, w);
        break;
    case XINV_VTD_OP_IOTLB_GLOBAL:
        put_iotlb(iommu, VTD_IOTLB_GLOBAL, op, w);
        break;
    case XINV_VTD_OP_DEV_TLB_PAGE:
        put_dev_tlb(iommu, &op->block, op, w);
        break;
    case XINV_VTD_OP_DEV_TLB_ALL:
        put_dev_tlb(iommu, &whole_space, op, w);
        break;
    case XINV_VTD_OP_P_DEV_TLB_PAGE:
        put_p_dev_tlb(iommu, &op->block, false, op, w);
        break;
    case XINV_VTD_OP_P_DEV_TLB_ALL:
        put_p_dev_tlb(iommu, &whole_space, false, op, w);
        break;
    case XINV_VTD_OP_P_DEV_TLB_PAGE_ALL_PASIDS:
        put_p_dev_tlb(iommu, &op->block, true, op, w);
        break;
    case XINV_VTD_OP_P_DEV_TLB_ALL_PASIDS:
        put_p_dev_tlb(iommu, &whole_space, true, op, w);
        break;
    default: /* XINV_VTD_OP_IEC_GLOBAL; G = 0 is global (6.5.2.7) */
        begin(iommu, w, VTD_IEC);
        break;
    }
}

static void put_wait(const struct xinv_iommu *iommu, const struct xinv_completion *c, uint64_t *w)
{
    begin(iommu, w, VTD_WAIT);
    XINV_PUT(w, VTD_WAIT_IF, c->interrupt);
    XINV_PUT(w, VTD_WAIT_SW, c->store);
    XINV_PUT(w, VTD_WAIT_FN, c->fence);
    XINV_PUT(w, VTD_WAIT_PD, c->drain);
    if (!c->store)
        return;
    XINV_PUT(w, VTD_WAIT_DATA, c->data);
    XINV_PUT(w, VTD_WAIT_ADDR, c->address);
}

/* FN alone is a fence within the queue (7.10). */
static void fence(const struct xinv_iommu *iommu, uint64_t *w)
{
    static const struct xinv_completion fn = {.fence = 1};

    put_wait(iommu, &fn, w);
}

static int complete(const struct xinv_iommu *iommu, const struct xinv_completion *c, uint64_t *w)
{
    if (c->store && ((c->address & 3) || c->data >> 32))
        return -XINV_E_INVAL;
    if (c->drain && !iommu->feature[XINV_VTD_F_PDS])
        return -XINV_E_INVAL;
    put_wait(iommu, c, w);
    return 0;
}

/* GCMD_REG.WBF, bit 27, at 18h; GSTS_REG.WBFS, bit 27, at 1Ch (6.8). */
static void register_step(const struct xinv_iommu *iommu, uint8_t op, struct xinv_step *step)
{
    (void)iommu;
    (void)op;
    step->reg = 0x18;
    step->poll_reg = 0x1c;
    step->bits = UINT32_C(1) << 27;
}

static const char *const op_names[XINV_VTD_NOPS] = {
    [XINV_VTD_OP_WRITE_BUFFER_FLUSH] = "write_buffer_flush",
    [XINV_VTD_OP_CC_DEVICE] = "cc_device",
    [XINV_VTD_OP_CC_DOMAIN] = "cc_domain",
    [XINV_VTD_OP_CC_GLOBAL] = "cc_global",
    [XINV_VTD_OP_PC_PASID] = "pc_pasid",
    [XINV_VTD_OP_PC_DOMAIN] = "pc_domain",
    [XINV_VTD_OP_PC_GLOBAL] = "pc_global",
    [XINV_VTD_OP_P_IOTLB_PAGE] = "p_iotlb_page",
    [XINV_VTD_OP_P_IOTLB_PASID] = "p_iotlb_pasid",
    [XINV_VTD_OP_IOTLB_PAGE] = "iotlb_page",
    [XINV_VTD_OP_IOTLB_DOMAIN] = "iotlb_domain",
    [XINV_VTD_OP_IOTLB_GLOBAL] = "iotlb_global",
    [XINV_VTD_OP_DEV_TLB_PAGE] = "dev_tlb_page",
    [XINV_VTD_OP_DEV_TLB_ALL] = "dev_tlb_all",
    [XINV_VTD_OP_P_DEV_TLB_PAGE] = "p_dev_tlb_page",
    [XINV_VTD_OP_P_DEV_TLB_ALL] = "p_dev_tlb_all",
    [XINV_VTD_OP_P_DEV_TLB_PAGE_ALL_PASIDS] = "p_dev_tlb_page_all_pasids",
    [XINV_VTD_OP_P_DEV_TLB_ALL_PASIDS] = "p_dev_tlb_all_pasids",
    [XINV_VTD_OP_IEC_GLOBAL] = "iec_global",
};

const struct xinv_backend xinv_backend_vtd = {
    .name = "vtd",
    .op_names = op_names,
    .n_ops = XINV_VTD_NOPS,
    .words = command_words,
    .check = check,
    .encode = encode,
    .read = xinv_vtd_read,
    .fence = fence,
    .complete = complete,
    .store = {1, 0, 32},
    .step = register_step,
    .codec = &xinv_vtd_codec,
    .filter = &xinv_vtd_filter,
};
