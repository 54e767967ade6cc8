// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/smmuv3/layout.h"
#include "backends/smmuv3/smmuv3.h"
#include "core/layout.h"
#include "schema/generated/smmuv3_features.h"

#define ATC_SIZE_ALL 52

static uint8_t command_words(const struct xinv_iommu *iommu)
{
    (void)iommu;
    return 2;
}

static void begin(uint64_t *w, unsigned opcode)
{
    w[0] = opcode;
    w[1] = 0;
}

/* More than one granule is said by the range form. TG with NUM, SCALE and TTL all 0 is reserved
 * (4.4.1.1), so one granule is the plain form, which hits every entry that holds the address. */
static void put_range(const struct xinv_block *block, unsigned log2_granule, uint64_t *w)
{
    if (!block->num && !block->scale)
        return;
    XINV_PUT(w, SMMUV3_NUM, block->num);
    XINV_PUT(w, SMMUV3_SCALE, block->scale);
    XINV_PUT(w, SMMUV3_TG, (log2_granule - 10u) / 2);
}

static void put_va(const struct xinv_block *block, unsigned log2_granule, uint64_t *w)
{
    XINV_PUT(w, SMMUV3_VA, block->first);
    put_range(block, log2_granule, w);
}

static void put_ipa(const struct xinv_block *block, unsigned log2_granule, uint64_t *w)
{
    XINV_PUT(w, SMMUV3_IPA, block->first);
    put_range(block, log2_granule, w);
}

/*
 * Leaf and level hint of an address TLBI. A hint is only given where it cannot miss anything: when
 * the largest leaf that was removed is the smallest that the granule has. It needs TG (4.4.1.1).
 */
static void put_leaf(const struct xinv_operands *op, uint64_t *w)
{
    XINV_PUT(w, SMMUV3_LEAF, op->leaf);
    if (!op->scaled || !op->leaf || op->log2_leaf != op->log2_granule)
        return;
    XINV_PUT(w, SMMUV3_TTL, 3);
    XINV_PUT(w, SMMUV3_TG, (op->log2_granule - 10u) / 2);
}

static void put_atc_block(const struct xinv_block *block, uint64_t *w)
{
    XINV_PUT(w, SMMUV3_ATC_SIZE, block->order);
    XINV_PUT(w, SMMUV3_VA, block->first);
}

static void put_atc(const struct xinv_operands *op, bool pasid, bool all, uint64_t *w)
{
    begin(w, SMMUV3_ATC_INV);
    XINV_PUT(w, SMMUV3_SID, op->rid);
    if (pasid) {
        XINV_PUT(w, SMMUV3_SSV, 1);
        XINV_PUT(w, SMMUV3_SSID, op->pasid);
    }
    if (all)
        XINV_PUT(w, SMMUV3_ATC_SIZE, ATC_SIZE_ALL);
    else
        put_atc_block(&op->block, w);
}

static void encode(const struct xinv_iommu *iommu, uint8_t form, const struct xinv_operands *op,
                   uint64_t *w)
{
    (void)iommu;
    switch (form) {
    case XINV_SMMUV3_OP_CFGI_STE:
        begin(w, SMMUV3_CFGI_STE);
        XINV_PUT(w, SMMUV3_SID, op->rid);
        XINV_PUT(w, SMMUV3_LEAF, op->leaf);
        break;
    case XINV_SMMUV3_OP_CFGI_ALL:
        begin(w, SMMUV3_CFGI_STE_RANGE);
        XINV_PUT(w, SMMUV3_RANGE, 31);
        break;
    case XINV_SMMUV3_OP_CFGI_CD:
        begin(w, SMMUV3_CFGI_CD);
        XINV_PUT(w, SMMUV3_SID, op->rid);
        XINV_PUT(w, SMMUV3_SSID, op->pasid);
        XINV_PUT(w, SMMUV3_LEAF, op->leaf);
        break;
    case XINV_SMMUV3_OP_CFGI_CD_ALL:
        begin(w, SMMUV3_CFGI_CD_ALL);
        XINV_PUT(w, SMMUV3_SID, op->rid);
        break;
    case XINV_SMMUV3_OP_TLBI_NH_VA:
        begin(w, SMMUV3_TLBI_NH_VA);
        XINV_PUT(w, SMMUV3_VMID, op->vmid);
        XINV_PUT(w, SMMUV3_ASID, op->asid);
        put_leaf(op, w);
        put_va(&op->block, op->log2_granule, w);
        break;
    case XINV_SMMUV3_OP_TLBI_NH_VAA:
        begin(w, SMMUV3_TLBI_NH_VAA);
        XINV_PUT(w, SMMUV3_VMID, op->vmid);
        put_leaf(op, w);
        put_va(&op->block, op->log2_granule, w);
        break;
    case XINV_SMMUV3_OP_TLBI_NH_ASID:
        begin(w, SMMUV3_TLBI_NH_ASID);
        XINV_PUT(w, SMMUV3_VMID, op->vmid);
        XINV_PUT(w, SMMUV3_ASID, op->asid);
        break;
    case XINV_SMMUV3_OP_TLBI_NH_ALL:
        begin(w, SMMUV3_TLBI_NH_ALL);
        XINV_PUT(w, SMMUV3_VMID, op->vmid);
        break;
    case XINV_SMMUV3_OP_TLBI_EL2_VA:
        begin(w, SMMUV3_TLBI_EL2_VA);
        XINV_PUT(w, SMMUV3_ASID, op->asid);
        put_leaf(op, w);
        put_va(&op->block, op->log2_granule, w);
        break;
    case XINV_SMMUV3_OP_TLBI_EL2_ASID:
        begin(w, SMMUV3_TLBI_EL2_ASID);
        XINV_PUT(w, SMMUV3_ASID, op->asid);
        break;
    case XINV_SMMUV3_OP_TLBI_EL2_VAA:
        begin(w, SMMUV3_TLBI_EL2_VAA);
        put_leaf(op, w);
        put_va(&op->block, op->log2_granule, w);
        break;
    case XINV_SMMUV3_OP_TLBI_EL2_ALL:
        begin(w, SMMUV3_TLBI_EL2_ALL);
        break;
    case XINV_SMMUV3_OP_TLBI_S2_IPA:
        begin(w, SMMUV3_TLBI_S2_IPA);
        XINV_PUT(w, SMMUV3_VMID, op->vmid);
        put_leaf(op, w);
        put_ipa(&op->block, op->log2_granule, w);
        break;
    case XINV_SMMUV3_OP_TLBI_S12_VMALL:
        begin(w, SMMUV3_TLBI_S12_VMALL);
        XINV_PUT(w, SMMUV3_VMID, op->vmid);
        break;
    case XINV_SMMUV3_OP_TLBI_NSNH_ALL:
        begin(w, SMMUV3_TLBI_NSNH_ALL);
        break;
    case XINV_SMMUV3_OP_ATC_INV:
        put_atc(op, false, false, w);
        break;
    case XINV_SMMUV3_OP_ATC_INV_ALL:
        put_atc(op, false, true, w);
        break;
    case XINV_SMMUV3_OP_ATC_INV_PASID:
        put_atc(op, true, false, w);
        break;
    default: /* XINV_SMMUV3_OP_ATC_INV_PASID_ALL */
        put_atc(op, true, true, w);
        break;
    }
}

/* CS = 0: completion is seen in CMDQ_CONS alone (4.7.3). */
static void fence(const struct xinv_iommu *iommu, uint64_t *w)
{
    (void)iommu;
    begin(w, SMMUV3_SYNC);
}

static int complete(const struct xinv_iommu *iommu, const struct xinv_completion *c, uint64_t *w)
{
    begin(w, SMMUV3_SYNC);
    if (c->drain)
        return -XINV_E_INVAL;
    if (!c->store && !c->interrupt)
        return 0;
    if (iommu->feature[XINV_SMMUV3_F_CMDQV_GUEST])
        return -XINV_E_INVAL; /* a guest's VCMDQ takes CS = 0 only */
    XINV_PUT(w, SMMUV3_CS, 1);
    if (!c->store)
        return 0; /* MSIAddress 0: the wired interrupt */
    /* MSIAddress 55:2; 0 would mean no store at all, and bits above the output address size are cut
     */
    if (!iommu->feature[XINV_SMMUV3_F_MSI] || !c->address || (c->address & 3) ||
        c->address > xinv_smmuv3_output_top(iommu->feature[XINV_SMMUV3_F_OAS]) || c->data >> 32)
        return -XINV_E_INVAL;
    XINV_PUT(w, SMMUV3_MSH, 3);       /* inner shareable */
    XINV_PUT(w, SMMUV3_MSIATTR, 0xf); /* inner and outer write-back */
    XINV_PUT(w, SMMUV3_MSIDATA, c->data);
    XINV_PUT(w, SMMUV3_MSIADDR, c->address);
    return 0;
}

static const char *const op_names[XINV_SMMUV3_NOPS] = {
    [XINV_SMMUV3_OP_CFGI_STE] = "cfgi_ste",
    [XINV_SMMUV3_OP_CFGI_ALL] = "cfgi_all",
    [XINV_SMMUV3_OP_CFGI_CD] = "cfgi_cd",
    [XINV_SMMUV3_OP_CFGI_CD_ALL] = "cfgi_cd_all",
    [XINV_SMMUV3_OP_TLBI_NH_VA] = "tlbi_nh_va",
    [XINV_SMMUV3_OP_TLBI_NH_VAA] = "tlbi_nh_vaa",
    [XINV_SMMUV3_OP_TLBI_NH_ASID] = "tlbi_nh_asid",
    [XINV_SMMUV3_OP_TLBI_NH_ALL] = "tlbi_nh_all",
    [XINV_SMMUV3_OP_TLBI_EL2_VA] = "tlbi_el2_va",
    [XINV_SMMUV3_OP_TLBI_EL2_ASID] = "tlbi_el2_asid",
    [XINV_SMMUV3_OP_TLBI_EL2_VAA] = "tlbi_el2_vaa",
    [XINV_SMMUV3_OP_TLBI_EL2_ALL] = "tlbi_el2_all",
    [XINV_SMMUV3_OP_TLBI_S2_IPA] = "tlbi_s2_ipa",
    [XINV_SMMUV3_OP_TLBI_S12_VMALL] = "tlbi_s12_vmall",
    [XINV_SMMUV3_OP_TLBI_NSNH_ALL] = "tlbi_nsnh_all",
    [XINV_SMMUV3_OP_ATC_INV] = "atc_inv",
    [XINV_SMMUV3_OP_ATC_INV_ALL] = "atc_inv_all",
    [XINV_SMMUV3_OP_ATC_INV_PASID] = "atc_inv_pasid",
    [XINV_SMMUV3_OP_ATC_INV_PASID_ALL] = "atc_inv_pasid_all",
};

const struct xinv_backend xinv_backend_smmuv3 = {
    .name = "smmuv3",
    .op_names = op_names,
    .n_ops = XINV_SMMUV3_NOPS,
    .words = command_words,
    .encode = encode,
    .read = xinv_smmuv3_read,
    .fence = fence,
    .complete = complete,
    .store = {1, 0, 32},
    .codec = &xinv_smmuv3_codec,
    .filter = &xinv_smmuv3_filter,
};
