// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every invalidation descriptor by its fields, and the registers that do the same without a queue.
 */
#include "backends/vtd/layout.h"
#include "backends/vtd/vtd.h"
#include "core/layout.h"
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
/* granularities: the numbers differ from type to type; no code of the IQE is specified */
static const struct xinv_field_check g_not_0 = {
    .rule = "0 is reserved", .values = 0xe, .limit_hardware = XINV_HW_IQE};
static const struct xinv_field_check g_2_3 = {
    .rule = "0 and 1 are reserved", .values = 0xc, .limit_hardware = XINV_HW_IQE};
static const struct xinv_field_check g_not_2 = {
    .rule = "2 is reserved", .values = 0xb, .limit_hardware = XINV_HW_IQE};

/* ---- Rules between fields ---- */

/* CAP.PSI and CAP.MAMV bind the page-selective iotlb alone (6.5.2.3). */
static inline void check_iotlb(const struct xinv_iommu *iommu, const uint64_t *words,
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
static inline void check_size(uint64_t sized, const uint64_t *words, struct xinv_fault *fault)
{
    if (sized && words[1] >> 12 == UINT64_MAX >> 12)
        xinv_fault_rule(fault, "ADDR", "all ones, which have no size", XINV_HW_UNSPECIFIED);
}

static inline void check_dev_tlb(const struct xinv_iommu *iommu, const uint64_t *words,
                                 struct xinv_fault *fault)
{
    (void)iommu;
    check_size(xinv_get(words, VTD_DEV_S), words, fault);
}

static inline void check_p_dev_tlb(const struct xinv_iommu *iommu, const uint64_t *words,
                                   struct xinv_fault *fault)
{
    (void)iommu;
    check_size(xinv_get(words, VTD_PDEV_S), words, fault);
}

/* A register without its go bit asks for nothing (11.4.6). */
static inline void check_ccmd(const struct xinv_iommu *iommu, const uint64_t *words,
                              struct xinv_fault *fault)
{
    (void)iommu;
    if (xinv_get(words, VTD_CCMD_ICC) && !xinv_get(words, VTD_CCMD_CIRG))
        xinv_fault_rule(fault, "CIRG", "0 is reserved", XINV_HW_REFUSED);
}

static inline void check_iotlb_reg(const struct xinv_iommu *iommu, const uint64_t *words,
                                   struct xinv_fault *fault)
{
    uint64_t granularity = xinv_get(words, VTD_REG_IIRG);

    if (!xinv_get(words, VTD_REG_IVT))
        return;
    if (!granularity)
        xinv_fault_rule(fault, "IIRG", "0 is reserved", XINV_HW_REFUSED);
    else if (granularity == VTD_IOTLB_PAGE && !iommu->feature[XINV_VTD_F_PSI])
        xinv_fault_need(fault, "IIRG", (struct xinv_cond){XINV_VTD_F_PSI, XINV_COND_NE, 0},
                        XINV_HW_UNSPECIFIED);
}

/* ---- Fields ---- */

#define DID(F)   F("DID", &did, VTD_DID)
#define PASID(F) F("PASID", &pasid, VTD_PASID)
#define PFSID(F) F("PFSID", &pfsid, VTD_PFSID_LO) F(NULL, &pfsid, VTD_PFSID_HI)
#define ADDR(F)  F("ADDR", NULL, VTD_ADDR)
#define PAGES(F) F("AM", NULL, VTD_AM) F("IH", NULL, VTD_IH) ADDR(F)

#define CC(F) F("G", &g_not_0, VTD_G) DID(F) F("SID", NULL, VTD_CC_SID) F("FM", NULL, VTD_CC_FM)
#define IOTLB(F)                \
    F("G", &g_not_0, VTD_G)     \
    F("DW", NULL, VTD_IOTLB_DW) \
    F("DR", NULL, VTD_IOTLB_DR) DID(F) PAGES(F)
#define DEV_TLB(F)              \
    F("MIP", NULL, VTD_DEV_MIP) \
    F("SID", NULL, VTD_DEV_SID) \
    PFSID(F)                    \
    F("S", NULL, VTD_DEV_S) ADDR(F)
#define IEC(F) F("G", NULL, VTD_IEC_G) F("IM", &im, VTD_IEC_IM) F("IIDX", NULL, VTD_IEC_IIDX)
#define WAIT(F)                           \
    F("IF", NULL, VTD_WAIT_IF)            \
    F("SW", NULL, VTD_WAIT_SW)            \
    F("FN", NULL, VTD_WAIT_FN)            \
    F("PD", &pd, VTD_WAIT_PD)             \
    F("status_data", NULL, VTD_WAIT_DATA) \
    F("status_address", NULL, VTD_WAIT_ADDR)
#define P_IOTLB(F) F("G", &g_2_3, VTD_G) DID(F) PASID(F) PAGES(F)
#define PC(F)      F("G", &g_not_2, VTD_G) DID(F) PASID(F)
#define P_DEV_TLB(F)             \
    F("MIP", NULL, VTD_PDEV_MIP) \
    F("SID", NULL, VTD_PDEV_SID) \
    PASID(F)                     \
    PFSID(F)                     \
    F("G", NULL, VTD_PDEV_G)     \
    F("S", NULL, VTD_PDEV_S) ADDR(F)
#define PAGE_RESP(F)                \
    F("PP", NULL, VTD_PRESP_PP)     \
    F("code", NULL, VTD_PRESP_CODE) \
    F("RID", NULL, VTD_PRESP_RID)   \
    PASID(F)                        \
    F("LPIG", NULL, VTD_PRESP_LPIG) \
    F("PRGI", NULL, VTD_PRESP_PRGI)

#define CCMD(F)                    \
    F("DID", &did, VTD_CCMD_DID)   \
    F("SID", NULL, VTD_CCMD_SID)   \
    F("FM", NULL, VTD_CCMD_FM)     \
    F("CAIG", NULL, VTD_CCMD_CAIG) \
    F("CIRG", NULL, VTD_CCMD_CIRG) F("ICC", NULL, VTD_CCMD_ICC)
#define IVA(F) F("AM", &iva_am, VTD_IVA_AM) F("IH", NULL, VTD_IVA_IH) F("ADDR", NULL, VTD_IVA_ADDR)
#define IOTLB_REG(F)              \
    F("DID", &did, VTD_REG_DID)   \
    F("DW", NULL, VTD_REG_DW)     \
    F("DR", NULL, VTD_REG_DR)     \
    F("IAIG", NULL, VTD_REG_IAIG) \
    F("IIRG", NULL, VTD_REG_IIRG) F("IVT", NULL, VTD_REG_IVT)

XINV_FIELDS(cc, CC, VTD_TYPE_MASK, true, xinv_no_rule)
XINV_FIELDS(iotlb, IOTLB, VTD_TYPE_MASK, true, check_iotlb)
XINV_FIELDS(dev_tlb, DEV_TLB, VTD_TYPE_MASK, true, check_dev_tlb)
XINV_FIELDS(iec, IEC, VTD_TYPE_MASK, true, xinv_no_rule)
XINV_FIELDS(wait, WAIT, VTD_TYPE_MASK, true, xinv_no_rule)
XINV_FIELDS(p_iotlb, P_IOTLB, VTD_TYPE_MASK, true, xinv_no_rule)
XINV_FIELDS(pc, PC, VTD_TYPE_MASK, true, xinv_no_rule)
XINV_FIELDS(p_dev_tlb, P_DEV_TLB, VTD_TYPE_MASK, true, check_p_dev_tlb)
XINV_FIELDS(page_resp, PAGE_RESP, VTD_TYPE_MASK, true, xinv_no_rule)
XINV_FIELDS(ccmd, CCMD, UINT64_C(0), false, check_ccmd)
XINV_FIELDS(iva, IVA, UINT64_C(0), false, xinv_no_rule)
XINV_FIELDS(iotlb_reg, IOTLB_REG, UINT64_C(0), false, check_iotlb_reg)

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

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define GATES(g) .gates = (g), .n_gates = N(g)

/* C: name, type, other members */
#define COMMANDS(C)                                 \
    C(cc, VTD_CC, GATES(qi))                        \
    C(iotlb, VTD_IOTLB, GATES(qi))                  \
    C(dev_tlb, VTD_DEV_TLB, GATES(qi_dt))           \
    C(iec, VTD_IEC, GATES(qi_ir))                   \
    C(wait, VTD_WAIT, GATES(qi))                    \
    C(p_iotlb, VTD_P_IOTLB, GATES(scalable))        \
    C(pc, VTD_PC, GATES(scalable))                  \
    C(p_dev_tlb, VTD_P_DEV_TLB, GATES(scalable_dt)) \
    C(page_resp, VTD_PAGE_RESP, GATES(scalable_prs))

/* p_dev_tlb has MIP at 8:4, and bit 8 of every other type is reserved; the type's own bits are 3:0
 * and 11:9 for all. */
#define COMMAND(command, type, ...) \
    {.name = #command,              \
     .opcode_mask = VTD_TYPE_MASK,  \
     .opcode = (type),              \
     .number = NUMBER_##command,    \
     .list = &command,              \
     __VA_ARGS__},
#define NUMBER(command, ...)          NUMBER_##command,
#define BY_OPCODE(command, type, ...) [type] = NUMBER_##command + 1,

enum {
    COMMANDS(NUMBER) N_COMMANDS
};

static const struct xinv_layout layouts[] = {COMMANDS(COMMAND)};
static const uint8_t by_opcode[] = {COMMANDS(BY_OPCODE)};

static const struct xinv_layout registers[] = {
    {.name = "CCMD",
     .number = XINV_NO_NUMBER,
     .list = &ccmd,
     .queued = xinv_vtd_queued_ccmd,
     GATES(legacy)},
    {.name = "IVA", .number = XINV_NO_NUMBER, .list = &iva, GATES(legacy)},
    {.name = "IOTLB",
     .number = XINV_NO_NUMBER,
     .list = &iotlb_reg,
     .queued = xinv_vtd_queued_iotlb,
     GATES(legacy)},
};

XINV_CODEC_DECODE(xinv_vtd_codec)

const struct xinv_codec xinv_vtd_codec = {
    .decode = decode,
    .layouts = layouts,
    .registers = registers,
    .by_opcode = by_opcode,
    .opcode_mask = VTD_TYPE_MASK,
    .n_opcodes = N(by_opcode),
    .n_layouts = N_COMMANDS,
    .n_registers = N(registers),
    .opcode_hardware = XINV_HW_IQE_TYPE,
    .reserved_hardware = XINV_HW_IQE_RESERVED,
};
