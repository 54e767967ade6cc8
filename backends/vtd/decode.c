// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every invalidation descriptor by its fields, and the registers that do the same without a queue.
 */
#include "backends/vtd/layout.h"
#include "backends/vtd/vtd.h"
#include "core/frequent.h"
#include "schema/generated/vtd_features.h"

/* ---- Values ---- */

/* bits above the width of CAP.ND are ignored (11.4.2) */
static const struct xinv_field_check did = {
    .limit = XINV_LIMIT_TAG, .of = XINV_TAG_DID, .limit_hardware = XINV_HW_NO_ERROR};
static const struct xinv_field_check pasid = {.limit = XINV_LIMIT_TAG, .of = XINV_TAG_PASID};
/* reserved without ECAP.DIT (6.5.2.5) */
static const struct xinv_field_check pfsid = {
    .gated = 1, .feature = XINV_VTD_F_DIT, .gate_hardware = XINV_HW_IQE_RESERVED};
static const struct xinv_field_check pd = {
    .gated = 1, .feature = XINV_VTD_F_PDS, .gate_hardware = XINV_HW_IQE_RESERVED};
static const struct xinv_field_check im = {
    .limit = XINV_LIMIT_FEATURE, .of = XINV_VTD_F_MHMV, .limit_hardware = XINV_HW_IQE};
static const struct xinv_field_check iva_am = {
    .limit = XINV_LIMIT_FEATURE, .of = XINV_VTD_F_MAMV, .limit_hardware = XINV_HW_REFUSED};
/* granularities: the numbers differ from type to type */
static const struct xinv_field_check g_not_0 = {
    .rule = "0 is reserved", .values = 0xe, .limit_hardware = XINV_HW_IQE_RESERVED};
static const struct xinv_field_check g_2_3 = {
    .rule = "0 and 1 are reserved", .values = 0xc, .limit_hardware = XINV_HW_IQE_RESERVED};
static const struct xinv_field_check g_not_2 = {
    .rule = "2 is reserved", .values = 0xb, .limit_hardware = XINV_HW_IQE_RESERVED};
static const struct xinv_field_check requested = {
    .rule = "0 is reserved", .values = 0xe, .limit_hardware = XINV_HW_REFUSED};

/* ---- Rules between fields ---- */

/* CAP.PSI and CAP.MAMV bind the page-selective iotlb alone (6.5.2.3). */
static void check_iotlb(const struct xinv_iommu *iommu, const uint64_t *words,
                        struct xinv_fault *fault)
{
    if (xinv_get(words, VTD_G) != VTD_IOTLB_PAGE)
        return;
    if (!iommu->feature[XINV_VTD_F_PSI])
        xinv_fault_need(fault, "G", (struct xinv_cond){XINV_VTD_F_PSI, XINV_COND_NE, 0},
                        XINV_HW_IQE);
    else if (xinv_get(words, VTD_AM) > iommu->feature[XINV_VTD_F_MAMV])
        xinv_fault_limit(fault, "AM", iommu->feature[XINV_VTD_F_MAMV], XINV_HW_IQE);
}

/* The size is in the address: the first zero bit at or above bit 12 (PCIe ATS 10.3.1). */
static void check_size(uint64_t sized, const uint64_t *words, struct xinv_fault *fault)
{
    if (sized && words[1] >> 12 == UINT64_MAX >> 12)
        xinv_fault_rule(fault, "ADDR", "all ones, which have no size", XINV_HW_UNSPECIFIED);
}

static void check_dev_tlb(const struct xinv_iommu *iommu, const uint64_t *words,
                          struct xinv_fault *fault)
{
    (void)iommu;
    check_size(xinv_get(words, VTD_DEV_S), words, fault);
}

static void check_p_dev_tlb(const struct xinv_iommu *iommu, const uint64_t *words,
                            struct xinv_fault *fault)
{
    (void)iommu;
    check_size(xinv_get(words, VTD_PDEV_S), words, fault);
}

/* ---- Fields ---- */

/* the two parts of a PFSID share one string: see core/layout.c */
static const char pfsid_name[] = "PFSID";

#define PAGES XINV_FIELD("AM", VTD_AM), XINV_FIELD("IH", VTD_IH), XINV_FIELD("ADDR", VTD_ADDR)
#define PFSID \
    XINV_CHECKED(pfsid_name, pfsid, VTD_PFSID_LO), XINV_CHECKED(pfsid_name, pfsid, VTD_PFSID_HI)
#define DID   XINV_CHECKED("DID", did, VTD_DID)
#define PASID XINV_CHECKED("PASID", pasid, VTD_PASID)

static const struct xinv_layout_field cc[] = {XINV_CHECKED("G", g_not_0, VTD_G), DID,
                                              XINV_FIELD("SID", VTD_CC_SID),
                                              XINV_FIELD("FM", VTD_CC_FM)};
static const struct xinv_layout_field iotlb[] = {XINV_CHECKED("G", g_not_0, VTD_G),
                                                 XINV_FIELD("DW", VTD_IOTLB_DW),
                                                 XINV_FIELD("DR", VTD_IOTLB_DR), DID, PAGES};
static const struct xinv_layout_field dev_tlb[] = {
    XINV_FIELD("MIP", VTD_DEV_MIP), XINV_FIELD("SID", VTD_DEV_SID), PFSID,
    XINV_FIELD("S", VTD_DEV_S), XINV_FIELD("ADDR", VTD_ADDR)};
static const struct xinv_layout_field iec[] = {XINV_FIELD("G", VTD_IEC_G),
                                               XINV_CHECKED("IM", im, VTD_IEC_IM),
                                               XINV_FIELD("IIDX", VTD_IEC_IIDX)};
static const struct xinv_layout_field wait[] = {XINV_FIELD("IF", VTD_WAIT_IF),
                                                XINV_FIELD("SW", VTD_WAIT_SW),
                                                XINV_FIELD("FN", VTD_WAIT_FN),
                                                XINV_CHECKED("PD", pd, VTD_WAIT_PD),
                                                XINV_FIELD("status_data", VTD_WAIT_DATA),
                                                XINV_FIELD("status_address", VTD_WAIT_ADDR)};
static const struct xinv_layout_field p_iotlb[] = {XINV_CHECKED("G", g_2_3, VTD_G), DID, PASID,
                                                   PAGES};
static const struct xinv_layout_field pc[] = {XINV_CHECKED("G", g_not_2, VTD_G), DID, PASID};
static const struct xinv_layout_field p_dev_tlb[] = {XINV_FIELD("MIP", VTD_PDEV_MIP),
                                                     XINV_FIELD("SID", VTD_PDEV_SID),
                                                     PASID,
                                                     PFSID,
                                                     XINV_FIELD("G", VTD_PDEV_G),
                                                     XINV_FIELD("S", VTD_PDEV_S),
                                                     XINV_FIELD("ADDR", VTD_ADDR)};
static const struct xinv_layout_field page_resp[] = {
    XINV_FIELD("PP", VTD_PRESP_PP),     XINV_FIELD("code", VTD_PRESP_CODE),
    XINV_FIELD("RID", VTD_PRESP_RID),   PASID,
    XINV_FIELD("LPIG", VTD_PRESP_LPIG), XINV_FIELD("PRGI", VTD_PRESP_PRGI)};

static const struct xinv_layout_field ccmd[] = {XINV_CHECKED("DID", did, VTD_CCMD_DID),
                                                XINV_FIELD("SID", VTD_CCMD_SID),
                                                XINV_FIELD("FM", VTD_CCMD_FM),
                                                XINV_FIELD("CAIG", VTD_CCMD_CAIG),
                                                XINV_CHECKED("CIRG", requested, VTD_CCMD_CIRG),
                                                XINV_FIELD("ICC", VTD_CCMD_ICC)};
static const struct xinv_layout_field iva[] = {XINV_CHECKED("AM", iva_am, VTD_IVA_AM),
                                               XINV_FIELD("IH", VTD_IVA_IH),
                                               XINV_FIELD("ADDR", VTD_IVA_ADDR)};
static const struct xinv_layout_field iotlb_reg[] = {XINV_CHECKED("DID", did, VTD_REG_DID),
                                                     XINV_FIELD("DW", VTD_REG_DW),
                                                     XINV_FIELD("DR", VTD_REG_DR),
                                                     XINV_FIELD("IAIG", VTD_REG_IAIG),
                                                     XINV_CHECKED("IIRG", requested, VTD_REG_IIRG),
                                                     XINV_FIELD("IVT", VTD_REG_IVT)};

/* ---- Conditions ---- */

#define HAS(feature)                                              \
    {                                                             \
        {XINV_VTD_F_##feature, XINV_COND_NE, 0}, XINV_HW_IQE_TYPE \
    }
/* in a ring of 128-bit entries the code is 3 or 5; legacy mode has types 1 to 5 alone */
#define WIDE                                                           \
    {                                                                  \
        {XINV_VTD_F_QUEUE_WIDTH, XINV_COND_EQ, 256}, XINV_HW_IQE_WIDTH \
    }
#define SCALABLE WIDE, HAS(SMTS), HAS(TTM)

static const struct xinv_gate qi[] = {HAS(QI)};
static const struct xinv_gate qi_dt[] = {HAS(QI), HAS(DT)};
static const struct xinv_gate qi_ir[] = {HAS(QI), HAS(IR)};
static const struct xinv_gate scalable[] = {SCALABLE};
static const struct xinv_gate scalable_dt[] = {SCALABLE, HAS(DT), HAS(PASID)};
static const struct xinv_gate scalable_prs[] = {SCALABLE, HAS(PRS)};
/* the registers serve legacy mode alone (6.5) */
static const struct xinv_gate legacy[] = {{{XINV_VTD_F_TTM, XINV_COND_EQ, 0}, XINV_HW_UNSPECIFIED}};

/* ---- Commands ---- */

#define N(array)     (sizeof(array) / sizeof((array)[0]))
#define FIELDS(f, g) .fields = (f), .n_fields = N(f), .gates = (g), .n_gates = N(g)
/* p_dev_tlb has MIP at 8:4, and bit 8 of every other type is reserved; the type's own bits are 3:0
 * and 11:9 for all. */
#define TYPE(type) .opcode_mask = VTD_TYPE_MASK, .opcode = (type)

/* Those that come most often, which have decoders of their own. */
#define IOTLB_LAYOUT                                                              \
    {                                                                             \
        .name = "iotlb", TYPE(VTD_IOTLB), FIELDS(iotlb, qi), .check = check_iotlb \
    }
#define DEV_TLB_LAYOUT                                                                       \
    {                                                                                        \
        .name = "dev_tlb", TYPE(VTD_DEV_TLB), FIELDS(dev_tlb, qi_dt), .check = check_dev_tlb \
    }
#define WAIT_LAYOUT                                      \
    {                                                    \
        .name = "wait", TYPE(VTD_WAIT), FIELDS(wait, qi) \
    }
#define P_IOTLB_LAYOUT                                                  \
    {                                                                   \
        .name = "p_iotlb", TYPE(VTD_P_IOTLB), FIELDS(p_iotlb, scalable) \
    }

static const struct xinv_layout layouts[] = {
    {.name = "cc", TYPE(VTD_CC), FIELDS(cc, qi)},
    IOTLB_LAYOUT,
    DEV_TLB_LAYOUT,
    {.name = "iec", TYPE(VTD_IEC), FIELDS(iec, qi_ir)},
    WAIT_LAYOUT,
    P_IOTLB_LAYOUT,
    {.name = "pc", TYPE(VTD_PC), FIELDS(pc, scalable)},
    {.name = "p_dev_tlb",
     TYPE(VTD_P_DEV_TLB),
     FIELDS(p_dev_tlb, scalable_dt),
     .check = check_p_dev_tlb},
    {.name = "page_resp", TYPE(VTD_PAGE_RESP), FIELDS(page_resp, scalable_prs)},
};

static const struct xinv_layout registers[] = {
    {.name = "CCMD", FIELDS(ccmd, legacy)},
    {.name = "IVA", FIELDS(iva, legacy)},
    {.name = "IOTLB", FIELDS(iotlb_reg, legacy)},
};

XINV_DECODER(decode_iotlb, IOTLB_LAYOUT, iommu->words)
XINV_DECODER(decode_dev_tlb, DEV_TLB_LAYOUT, iommu->words)
XINV_DECODER(decode_wait, WAIT_LAYOUT, iommu->words)
XINV_DECODER(decode_p_iotlb, P_IOTLB_LAYOUT, iommu->words)

static int decode(const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *decoded)
{
    switch (words[0] & VTD_TYPE_MASK) {
    case VTD_IOTLB:
        return decode_iotlb(iommu, words, decoded);
    case VTD_DEV_TLB:
        return decode_dev_tlb(iommu, words, decoded);
    case VTD_WAIT:
        return decode_wait(iommu, words, decoded);
    case VTD_P_IOTLB:
        return decode_p_iotlb(iommu, words, decoded);
    default:
        return xinv_decode_by_table(iommu, words, decoded);
    }
}

const struct xinv_codec xinv_vtd_codec = {
    .decode = decode,
    .layouts = layouts,
    .registers = registers,
    .n_layouts = N(layouts),
    .n_registers = N(registers),
    .opcode_hardware = XINV_HW_IQE_TYPE,
    .reserved_hardware = XINV_HW_IQE_RESERVED,
};
