// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every command of the Non-secure queue by its fields, and by name those of the other queues. */
#include "backends/smmuv3/layout.h"
#include "backends/smmuv3/smmuv3.h"
#include "core/frequent.h"
#include "schema/generated/smmuv3_features.h"

/* ---- Values ---- */

/* 4.1.6: SSec = 1 is illegal on any queue but the Secure one */
static const struct xinv_field_check ssec = {
    .rule = "1 belongs to the Secure queue", .values = 1, .limit_hardware = XINV_HW_CERROR_ILL};
/* RES0 on the Non-secure queue */
static const struct xinv_field_check not_here = {.rare = 1,
                                                 .rule = "1 belongs to the Secure or Realm queue",
                                                 .values = 1,
                                                 .limit_hardware = XINV_HW_MAY_CERROR_ILL};
/* wider than implemented: no effect, or on another ID; no error (4.1.6) */
static const struct xinv_field_check sid = {
    .limit = XINV_LIMIT_TAG, .of = XINV_TAG_RID, .limit_hardware = XINV_HW_NO_ERROR};
static const struct xinv_field_check ssid = {
    .limit = XINV_LIMIT_TAG, .of = XINV_TAG_PASID, .limit_hardware = XINV_HW_NO_ERROR};
static const struct xinv_field_check asid = {
    .limit = XINV_LIMIT_TAG, .of = XINV_TAG_ASID, .limit_hardware = XINV_HW_NO_ERROR};
/* RES0 without stage 2 (4.4.2) */
static const struct xinv_field_check vmid = {.gated = 1,
                                             .feature = XINV_SMMUV3_F_S2P,
                                             .gate_hardware = XINV_HW_NO_ERROR,
                                             .limit = XINV_LIMIT_TAG,
                                             .of = XINV_TAG_VMID,
                                             .limit_hardware = XINV_HW_NO_ERROR};
static const struct xinv_field_check ril = {
    .gated = 1, .feature = XINV_SMMUV3_F_RIL, .gate_hardware = XINV_HW_MAY_CERROR_ILL};
static const struct xinv_field_check ttl128 = {
    .gated = 1, .rare = 1, .feature = XINV_SMMUV3_F_D128, .gate_hardware = XINV_HW_MAY_CERROR_ILL};
static const struct xinv_field_check atc_size = {.rule = "above 52",
                                                 .values = (UINT64_C(1) << 53) - 1,
                                                 .limit_hardware = XINV_HW_MAY_CERROR_ILL};
static const struct xinv_field_check not_3 = {
    .rule = "3 is reserved", .values = 7, .limit_hardware = XINV_HW_CERROR_ILL};

/* ---- Rules between fields ---- */

/* Address bits below this must be 0 (4.4.1.1), by TTL128, TG and TTL; TTL 1 of 16 KiB is that with
 * IDR5.DS. */
static const uint8_t start_align[2][4][4] = {
    {{0}, {12, 30, 21, 12}, {14, 36, 25, 14}, {16, 42, 29, 16}},
    {{0}, {12, 28, 20, 12}, {14, 34, 24, 14}, {16, 40, 28, 16}},
};

static void check_range(const struct xinv_iommu *iommu, const uint64_t *words,
                        struct xinv_fault *fault)
{
    uint64_t num = xinv_get(words, SMMUV3_NUM);
    uint64_t scale = xinv_get(words, SMMUV3_SCALE) | xinv_get(words, SMMUV3_SCALE_5);
    uint64_t tt128 = xinv_get(words, SMMUV3_TTL128);
    uint64_t ttl = xinv_get(words, SMMUV3_TTL);
    uint64_t tg = xinv_get(words, SMMUV3_TG);

    if (scale > 31 && !iommu->feature[XINV_SMMUV3_F_DS]) {
        *fault = (struct xinv_fault){
            .kind = XINV_FAULT_RESERVED, .hardware = XINV_HW_MAY_CERROR_ILL, .bit = 25};
    } else if (!tg) {
        if (num || scale || ttl || tt128)
            xinv_fault_rule(fault, "TG", "0, but NUM, SCALE or TTL is not", XINV_HW_MAY_CERROR_ILL);
    } else if (!num && !scale && !ttl) {
        xinv_fault_rule(fault, "TG", "not 0, but NUM, SCALE and TTL are", XINV_HW_CERROR_ILL);
    } else if (tg == 2 && ttl == 1 && !tt128 && !iommu->feature[XINV_SMMUV3_F_DS]) {
        /* counts as TTL 0 */
        xinv_fault_rule(fault, "TTL", "1 with the 16 KiB granule needs DS",
                        num || scale ? XINV_HW_NO_ERROR : XINV_HW_CERROR_ILL);
    } else if (words[1] & ((UINT64_C(1) << start_align[tt128][tg][ttl]) - 1) & ~UINT64_C(0xfff)) {
        xinv_fault_rule(fault, "Address", "not aligned to what TTL and TG say", XINV_HW_NO_ERROR);
    }
}

/* An MSI's address is cut to the output address size (4.7.3). */
static void check_sync(const struct xinv_iommu *iommu, const uint64_t *words,
                       struct xinv_fault *fault)
{
    static const uint8_t bits[8] = {32, 36, 40, 42, 44, 48, 52, 56};
    uint64_t most = (UINT64_C(1) << bits[iommu->feature[XINV_SMMUV3_F_OAS] & 7]) - 1;
    uint64_t cs = xinv_get(words, SMMUV3_CS);

    if (iommu->feature[XINV_SMMUV3_F_CMDQV_GUEST] && cs)
        xinv_fault_rule(fault, "CS", "a guest's VCMDQ takes 0 only", XINV_HW_UNSPECIFIED);
    else if (cs == 1 && iommu->feature[XINV_SMMUV3_F_MSI] && xinv_get(words, SMMUV3_MSIADDR) > most)
        xinv_fault_limit(fault, "MSIAddr", most & ~UINT64_C(3), XINV_HW_NO_ERROR);
}

/* ---- Fields ---- */

#define SSEC  XINV_CHECKED("SSec", ssec, SMMUV3_SSEC)
#define SSV   XINV_FIELD("SSV", SMMUV3_SSV)
#define SSID  XINV_CHECKED("SSID", ssid, SMMUV3_SSID)
#define SID   XINV_CHECKED("SID", sid, SMMUV3_SID)
#define VMID  XINV_CHECKED("VMID", vmid, SMMUV3_VMID)
#define ASID  XINV_CHECKED("ASID", asid, SMMUV3_ASID)
#define LEAF  XINV_FIELD("Leaf", SMMUV3_LEAF)
#define RANGE XINV_FIELD("Range", SMMUV3_RANGE)
#define VA    XINV_FIELD("Address", SMMUV3_VA)
#define IPA   XINV_FIELD("Address", SMMUV3_IPA)
/* the two parts of a SCALE share one string: see core/layout.c */
static const char scale_name[] = "SCALE";
#define R                                                                                    \
    XINV_CHECKED("NUM", ril, SMMUV3_NUM), XINV_CHECKED(scale_name, ril, SMMUV3_SCALE),       \
        XINV_CHECKED(scale_name, ril, SMMUV3_SCALE_5), LEAF,                                 \
        XINV_CHECKED("TTL128", ttl128, SMMUV3_TTL128), XINV_CHECKED("TTL", ril, SMMUV3_TTL), \
        XINV_CHECKED("TG", ril, SMMUV3_TG)

static const struct xinv_layout_field prefetch_config[] = {SSEC, SSV, SSID, SID};
static const struct xinv_layout_field prefetch_addr[] = {
    SSEC,
    SSV,
    SSID,
    SID,
    XINV_FIELD("Size", SMMUV3_PREFETCH_SIZE),
    XINV_FIELD("Stride", SMMUV3_PREFETCH_STRIDE),
    XINV_CHECKED("NS", not_here, SMMUV3_PREFETCH_NS),
    VA};
static const struct xinv_layout_field ste[] = {SSEC, SID, LEAF};
static const struct xinv_layout_field ste_range[] = {SSEC, SID, RANGE};
static const struct xinv_layout_field cd[] = {SSEC, SSID, SID, LEAF};
static const struct xinv_layout_field cd_all[] = {SSEC, SID};
static const struct xinv_layout_field vms_pidm[] = {SSEC, VMID};
static const struct xinv_layout_field by_vmid[] = {VMID};
static const struct xinv_layout_field by_vmid_asid[] = {VMID, ASID};
static const struct xinv_layout_field by_asid[] = {ASID};
static const struct xinv_layout_field nh_va[] = {VMID, ASID, R, VA};
static const struct xinv_layout_field nh_vaa[] = {VMID, R, VA};
static const struct xinv_layout_field el2_va[] = {ASID, R, VA};
static const struct xinv_layout_field el2_vaa[] = {R, VA};
static const struct xinv_layout_field s2_ipa[] = {VMID, R, IPA};
static const struct xinv_layout_field s_s2_ipa[] = {VMID, R, IPA, XINV_FIELD("NS", SMMUV3_IPA_NS)};
static const struct xinv_layout_field atc_inv[] = {XINV_FIELD("Global", SMMUV3_GLOBAL),
                                                   SSV,
                                                   SSID,
                                                   SID,
                                                   XINV_CHECKED("Size", atc_size, SMMUV3_ATC_SIZE),
                                                   VA};
static const struct xinv_layout_field pri_resp[] = {SSV, SSID, SID,
                                                    XINV_FIELD("PRGIndex", SMMUV3_PRG_INDEX),
                                                    XINV_CHECKED("Resp", not_3, SMMUV3_RESP)};
static const struct xinv_layout_field resume[] = {SSEC, XINV_FIELD("Ac", SMMUV3_AC),
                                                  XINV_FIELD("Ab", SMMUV3_AB), SID,
                                                  XINV_FIELD("STAG", SMMUV3_STAG)};
static const struct xinv_layout_field sync[] = {
    XINV_CHECKED("CS", not_3, SMMUV3_CS),  XINV_FIELD("MSH", SMMUV3_MSH),
    XINV_FIELD("MSIAttr", SMMUV3_MSIATTR), XINV_FIELD("MSIData", SMMUV3_MSIDATA),
    XINV_FIELD("MSIAddr", SMMUV3_MSIADDR), XINV_CHECKED("MSI_NS", not_here, SMMUV3_MSI_NS)};
static const struct xinv_layout_field dpti_pa[] = {XINV_FIELD("LeafSIZE", SMMUV3_DPTI_LEAF_SIZE),
                                                   IPA};

/* ---- Conditions ---- */

/* a guest's VCMDQ takes TLBI_NH_ASID, TLBI_NH_VA, ATC_INV and SYNC alone */
#define NEED(feature, op, value)                                             \
    {                                                                        \
        {XINV_SMMUV3_F_##feature, XINV_COND_##op, value}, XINV_HW_CERROR_ILL \
    }
#define HOST NEED(CMDQV_GUEST, EQ, 0)
/* a vIOMMU's user has eight commands, the others are the kernel's own */
#define QUEUE                                                \
    HOST,                                                    \
    {                                                        \
        {XINV_SMMUV3_F_VIOMMU, XINV_COND_EQ, 0}, XINV_HW_EIO \
    }

static const struct xinv_gate any[] = {HOST};
static const struct xinv_gate queue[] = {QUEUE};
static const struct xinv_gate sync_gate[] = {
    {{XINV_SMMUV3_F_VIOMMU, XINV_COND_EQ, 0}, XINV_HW_EIO}};
static const struct xinv_gate prefetch[] = {
    QUEUE, {{XINV_SMMUV3_F_NO_PREFETCH, XINV_COND_EQ, 0}, XINV_HW_UNSPECIFIED}};
static const struct xinv_gate s1[] = {NEED(S1P, NE, 0)};
static const struct xinv_gate s1_host[] = {NEED(S1P, NE, 0), HOST};
static const struct xinv_gate s2[] = {NEED(S2P, NE, 0), QUEUE};
static const struct xinv_gate hyp[] = {NEED(HYP, NE, 0), QUEUE};
static const struct xinv_gate mpam[] = {NEED(MPAM, NE, 0), QUEUE};
static const struct xinv_gate ats[] = {NEED(ATS, NE, 0)};
static const struct xinv_gate pri[] = {NEED(PRI, NE, 0), QUEUE};
static const struct xinv_gate stall[] = {NEED(STALL_MODEL, NE, 1), QUEUE};
static const struct xinv_gate dpt[] = {NEED(DPT, NE, 0), QUEUE};

/* ---- Commands ---- */

#define N(array)           (sizeof(array) / sizeof((array)[0]))
#define COMMAND_(mnemonic) .name = #mnemonic, .opcode_mask = 0xff, .opcode = SMMUV3_##mnemonic
#define COMMAND(mnemonic, f, g) \
    COMMAND_(mnemonic), .fields = (f), .n_fields = N(f), .gates = (g), .n_gates = N(g)
#define BARE(mnemonic, g)   COMMAND_(mnemonic), .gates = (g), .n_gates = N(g)
#define SECURE_(mnemonic)   COMMAND_(mnemonic), .elsewhere = "the command belongs to the Secure queue"
#define SECURE(mnemonic, f) SECURE_(mnemonic), .fields = (f), .n_fields = N(f)

/* Those that come most often, which have decoders of their own. */
#define NH_VA_LAYOUT                                         \
    {                                                        \
        COMMAND(TLBI_NH_VA, nh_va, s1), .check = check_range \
    }
#define NH_ASID_LAYOUT                          \
    {                                           \
        COMMAND(TLBI_NH_ASID, by_vmid_asid, s1) \
    }
#define S2_IPA_LAYOUT                                          \
    {                                                          \
        COMMAND(TLBI_S2_IPA, s2_ipa, s2), .check = check_range \
    }
#define ATC_INV_LAYOUT                 \
    {                                  \
        COMMAND(ATC_INV, atc_inv, ats) \
    }
#define SYNC_LAYOUT                                         \
    {                                                       \
        COMMAND(SYNC, sync, sync_gate), .check = check_sync \
    }

static const struct xinv_layout layouts[] = {
    {COMMAND(PREFETCH_CONFIG, prefetch_config, prefetch)},
    {COMMAND(PREFETCH_ADDR, prefetch_addr, prefetch)},
    {COMMAND(CFGI_STE, ste, queue)},
    /* the range form with every bit of the range (4.3.2) */
    {.name = "CFGI_ALL",
     .opcode_mask = 0xff,
     .opcode = SMMUV3_CFGI_STE_RANGE,
     .form_mask = 31,
     .form = 31,
     .fields = ste_range,
     .n_fields = N(ste_range),
     .gates = queue,
     .n_gates = N(queue)},
    {COMMAND(CFGI_STE_RANGE, ste_range, queue)},
    {COMMAND(CFGI_CD, cd, s1_host)},
    {COMMAND(CFGI_CD_ALL, cd_all, s1_host)},
    {COMMAND(CFGI_VMS_PIDM, vms_pidm, mpam)},
    {COMMAND(TLBI_NH_ALL, by_vmid, s1_host)},
    NH_ASID_LAYOUT,
    NH_VA_LAYOUT,
    {COMMAND(TLBI_NH_VAA, nh_vaa, s1_host), .check = check_range},
    {SECURE_(TLBI_EL3_ALL)},
    {SECURE(TLBI_EL3_VA, el2_vaa)},
    {BARE(TLBI_EL2_ALL, hyp)},
    {COMMAND(TLBI_EL2_ASID, by_asid, hyp)},
    {COMMAND(TLBI_EL2_VA, el2_va, hyp), .check = check_range},
    {COMMAND(TLBI_EL2_VAA, el2_vaa, hyp), .check = check_range},
    {COMMAND(TLBI_S12_VMALL, by_vmid, s2)},
    S2_IPA_LAYOUT,
    {BARE(TLBI_NSNH_ALL, any)},
    ATC_INV_LAYOUT,
    {COMMAND(PRI_RESP, pri_resp, pri)},
    {COMMAND(RESUME, resume, stall)},
    {COMMAND(STALL_TERM, cd_all, stall)},
    SYNC_LAYOUT,
    {SECURE_(TLBI_S_EL2_ALL)},
    {SECURE(TLBI_S_EL2_ASID, by_asid)},
    {SECURE(TLBI_S_EL2_VA, el2_va)},
    {SECURE(TLBI_S_EL2_VAA, el2_vaa)},
    {SECURE(TLBI_S_S12_VMALL, by_vmid)},
    {SECURE(TLBI_S_S2_IPA, s_s2_ipa)},
    {SECURE_(TLBI_SNH_ALL)},
    {BARE(DPTI_ALL, dpt)},
    {COMMAND(DPTI_PA, dpti_pa, dpt)},
};

XINV_DECODER(decode_tlbi_nh_va, NH_VA_LAYOUT, 2)
XINV_DECODER(decode_tlbi_nh_asid, NH_ASID_LAYOUT, 2)
XINV_DECODER(decode_tlbi_s2_ipa, S2_IPA_LAYOUT, 2)
XINV_DECODER(decode_atc_inv, ATC_INV_LAYOUT, 2)
XINV_DECODER(decode_sync, SYNC_LAYOUT, 2)

static int decode(const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *decoded)
{
    switch (words[0] & 0xff) {
    case SMMUV3_TLBI_NH_VA:
        return decode_tlbi_nh_va(iommu, words, decoded);
    case SMMUV3_TLBI_NH_ASID:
        return decode_tlbi_nh_asid(iommu, words, decoded);
    case SMMUV3_TLBI_S2_IPA:
        return decode_tlbi_s2_ipa(iommu, words, decoded);
    case SMMUV3_ATC_INV:
        return decode_atc_inv(iommu, words, decoded);
    case SMMUV3_SYNC:
        return decode_sync(iommu, words, decoded);
    default:
        return xinv_decode_by_table(iommu, words, decoded);
    }
}

const struct xinv_codec xinv_smmuv3_codec = {
    .decode = decode,
    .layouts = layouts,
    .n_layouts = N(layouts),
    .opcode_hardware = XINV_HW_CERROR_ILL,
    .reserved_hardware = XINV_HW_MAY_CERROR_ILL,
};
