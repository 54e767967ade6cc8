// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every command of the Non-secure queue by its fields, and by name those of the other queues. */
#include "backends/smmuv3/layout.h"
#include "backends/smmuv3/smmuv3.h"
#include "core/layout.h"
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
/* without SubstreamIDs as 0, or no effect (4.2) */
static const struct xinv_field_check prefetch_ssv = {
    .gated = 1, .feature = XINV_SMMUV3_F_SSIDSIZE, .gate_hardware = XINV_HW_NO_ERROR};
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
/* SCALE 5 needs IDR5.DS as well, and no range needs it: see check_range */
static const struct xinv_field_check scale_5 = {
    .gated = 1, .rare = 1, .feature = XINV_SMMUV3_F_RIL, .gate_hardware = XINV_HW_MAY_CERROR_ILL};
static const struct xinv_field_check ttl128 = {
    .gated = 1, .rare = 1, .feature = XINV_SMMUV3_F_D128, .gate_hardware = XINV_HW_MAY_CERROR_ILL};
static const struct xinv_field_check atc_size = {.rule = "above 52",
                                                 .values = (UINT64_C(1) << 53) - 1,
                                                 .limit_hardware = XINV_HW_MAY_CERROR_ILL};
static const struct xinv_field_check not_3 = {
    .rule = "3 is reserved", .values = 7, .limit_hardware = XINV_HW_CERROR_ILL};

/* ---- Rules between fields ---- */

/* hi 11:7 as one number: TG, TTL and, lowest, TTL128 */
#define CODE(tg, ttl, ttl128) ((tg) << 3 | (ttl) << 1 | (ttl128))
#define TTL128_OF(code)       ((code)&1)
#define TTL_OF(code)          ((code) >> 1 & 3)
#define TG_OF(code)           ((code) >> 3)

/* Address bits that must be 0 (4.4.1.1): so many from 12 up, at any level and at levels 1 to 3,
 * each of these with entries of 8 and of 16 bytes. */
#define FROM_12(n) (((UINT64_C(1) << (n)) - 1) << 12)
#define LEVELS(any, one, one128, two, two128, three, three128)                                \
    FROM_12(any), FROM_12(any), FROM_12(one), FROM_12(one128), FROM_12(two), FROM_12(two128), \
        FROM_12(three), FROM_12(three128)
static const uint64_t zero_bits[32] = {
    [CODE(1, 0, 0)] = LEVELS(0, 18, 16, 9, 8, 0, 0),
    [CODE(2, 0, 0)] = LEVELS(2, 24, 22, 13, 12, 2, 2),
    [CODE(3, 0, 0)] = LEVELS(4, 30, 28, 17, 16, 4, 4),
};

#define NUM_SCALE (XINV_MASK(SMMUV3_NUM) | XINV_MASK(SMMUV3_SCALE) | XINV_MASK(SMMUV3_SCALE_5))

static inline void check_range(const struct xinv_iommu *iommu, const uint64_t *words,
                               struct xinv_fault *fault)
{
    uint64_t num_scale = words[0] & NUM_SCALE;
    unsigned code = words[1] >> 7 & 31;
    bool ds = iommu->feature[XINV_SMMUV3_F_DS];

    if (!iommu->feature[XINV_SMMUV3_F_RIL])
        return; /* the fields are not there */
    if (code == CODE(2, 1, 0) && !ds)
        code = CODE(2, 0, 0); /* level 1 of 16 KiB tables is that with IDR5.DS, else any level */
    if (!ds && xinv_get(words, SMMUV3_SCALE_5)) {
        *fault = (struct xinv_fault){
            .kind = XINV_FAULT_RESERVED, .hardware = XINV_HW_MAY_CERROR_ILL, .bit = 25};
    } else if (!TG_OF(code)) {
        if (num_scale || code)
            xinv_fault_rule(fault, "TG", "0, but NUM, SCALE or TTL is not", XINV_HW_MAY_CERROR_ILL);
    } else if (!num_scale && !TTL_OF(code)) {
        xinv_fault_rule(fault, "TG", "not 0, but NUM, SCALE and TTL are", XINV_HW_CERROR_ILL);
    } else if (TTL128_OF(code) && !TTL_OF(code)) {
        xinv_fault_rule(fault, "TTL128", "1, but TTL is 0", XINV_HW_MAY_CERROR_ILL);
    } else if (words[1] & zero_bits[code]) {
        xinv_fault_rule(fault, "Address", "not aligned to what TTL and TG say", XINV_HW_NO_ERROR);
    }
}

/* An MSI's address is cut to the output address size (4.7.3). */
static inline void check_sync(const struct xinv_iommu *iommu, const uint64_t *words,
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

#define SSEC(F)  F("SSec", &ssec, SMMUV3_SSEC)
#define SSV(F)   F("SSV", NULL, SMMUV3_SSV)
#define SSID(F)  F("SSID", &ssid, SMMUV3_SSID)
#define SID(F)   F("SID", &sid, SMMUV3_SID)
#define VMID(F)  F("VMID", &vmid, SMMUV3_VMID)
#define ASID(F)  F("ASID", &asid, SMMUV3_ASID)
#define LEAF(F)  F("Leaf", NULL, SMMUV3_LEAF)
#define RANGE(F) F("Range", NULL, SMMUV3_RANGE)
#define VA(F)    F("Address", NULL, SMMUV3_VA)
#define IPA(F)   F("Address", NULL, SMMUV3_IPA)
#define R(F)                            \
    F("NUM", &ril, SMMUV3_NUM)          \
    F("SCALE", &ril, SMMUV3_SCALE)      \
    F(NULL, &scale_5, SMMUV3_SCALE_5)   \
    LEAF(F)                             \
    F("TTL128", &ttl128, SMMUV3_TTL128) \
    F("TTL", &ril, SMMUV3_TTL)          \
    F("TG", &ril, SMMUV3_TG)

#define PREFETCH_SSV(F)    F("SSV", &prefetch_ssv, SMMUV3_SSV)
#define PREFETCH_CONFIG(F) SSEC(F) PREFETCH_SSV(F) SSID(F) SID(F)
#define PREFETCH_ADDR(F)                      \
    SSEC(F)                                   \
    PREFETCH_SSV(F)                           \
    SSID(F)                                   \
    SID(F)                                    \
    F("Size", NULL, SMMUV3_PREFETCH_SIZE)     \
    F("Stride", NULL, SMMUV3_PREFETCH_STRIDE) \
    F("NS", &not_here, SMMUV3_PREFETCH_NS)    \
    VA(F)
#define STE(F)       SSEC(F) SID(F) LEAF(F)
#define STE_RANGE(F) SSEC(F) SID(F) RANGE(F)
#define CD(F)        SSEC(F) SSID(F) SID(F) LEAF(F)
#define STREAM(F)    SSEC(F) SID(F)
#define VMS_PIDM(F)  SSEC(F) VMID(F)
#define NOTHING(F)
#define BY_VMID_ASID(F) VMID(F) ASID(F)
#define NH_VA(F)        VMID(F) ASID(F) R(F) VA(F)
#define NH_VAA(F)       VMID(F) R(F) VA(F)
#define EL2_VA(F)       ASID(F) R(F) VA(F)
#define EL2_VAA(F)      R(F) VA(F)
#define S2_IPA(F)       VMID(F) R(F) IPA(F)
#define S_S2_IPA(F)     VMID(F) R(F) IPA(F) F("NS", NULL, SMMUV3_IPA_NS)
#define ATC_INV(F)                   \
    F("Global", NULL, SMMUV3_GLOBAL) \
    SSV(F)                           \
    SSID(F)                          \
    SID(F)                           \
    F("Size", &atc_size, SMMUV3_ATC_SIZE) VA(F)
#define PRI_RESP(F)                       \
    SSV(F)                                \
    SSID(F)                               \
    SID(F)                                \
    F("PRGIndex", NULL, SMMUV3_PRG_INDEX) \
    F("Resp", &not_3, SMMUV3_RESP)
#define RESUME(F) \
    SSEC(F)       \
    F("Ac", NULL, SMMUV3_AC) F("Ab", NULL, SMMUV3_AB) SID(F) F("STAG", NULL, SMMUV3_STAG)
#define SYNC(F)                        \
    F("CS", &not_3, SMMUV3_CS)         \
    F("MSH", NULL, SMMUV3_MSH)         \
    F("MSIAttr", NULL, SMMUV3_MSIATTR) \
    F("MSIData", NULL, SMMUV3_MSIDATA) \
    F("MSIAddr", NULL, SMMUV3_MSIADDR) \
    F("MSI_NS", &not_here, SMMUV3_MSI_NS)
#define DPTI_PA(F) F("LeafSIZE", NULL, SMMUV3_DPTI_LEAF_SIZE) IPA(F)

#define LIST(list, FIELDS)            LIST_WITH(list, FIELDS, xinv_no_rule)
#define LIST_WITH(list, FIELDS, rule) XINV_FIELDS(list, FIELDS, SMMUV3_OPCODE_MASK, false, rule)
LIST(prefetch_config, PREFETCH_CONFIG)
LIST(prefetch_addr, PREFETCH_ADDR)
LIST(ste, STE)
LIST(ste_range, STE_RANGE)
LIST(cd, CD)
LIST(stream, STREAM)
LIST(vms_pidm, VMS_PIDM)
LIST(nothing, NOTHING)
LIST(by_vmid, VMID)
LIST(by_vmid_asid, BY_VMID_ASID)
LIST(by_asid, ASID)
LIST_WITH(nh_va, NH_VA, check_range)
LIST_WITH(nh_vaa, NH_VAA, check_range)
LIST_WITH(el2_va, EL2_VA, check_range)
LIST_WITH(el2_vaa, EL2_VAA, check_range)
LIST_WITH(s2_ipa, S2_IPA, check_range)
LIST_WITH(s_s2_ipa, S_S2_IPA, check_range)
LIST(atc_inv, ATC_INV)
LIST(pri_resp, PRI_RESP)
LIST(resume, RESUME)
LIST_WITH(sync, SYNC, check_sync)
LIST(dpti_pa, DPTI_PA)

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

#define N(array) (sizeof(array) / sizeof((array)[0]))
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

#define GATES(g) .gates = (g), .n_gates = N(g)
#define SECURE   .elsewhere = "the command belongs to the Secure queue"

/* C: mnemonic, fields, other members. F: the same of a form that has a name of its own; O: all else
 * of that opcode, behind it. */
#define COMMANDS(C, F, O)                                             \
    C(PREFETCH_CONFIG, prefetch_config, GATES(prefetch))              \
    C(PREFETCH_ADDR, prefetch_addr, GATES(prefetch))                  \
    C(CFGI_STE, ste, GATES(queue))                                    \
    /* the range form with every bit of the range (4.3.2) */          \
    F(CFGI_ALL, ste_range, GATES(queue), .form_mask = 31, .form = 31) \
    O(CFGI_STE_RANGE, ste_range, GATES(queue))                        \
    C(CFGI_CD, cd, GATES(s1_host))                                    \
    C(CFGI_CD_ALL, stream, GATES(s1_host))                            \
    C(CFGI_VMS_PIDM, vms_pidm, GATES(mpam))                           \
    C(TLBI_NH_ALL, by_vmid, GATES(s1_host))                           \
    C(TLBI_NH_ASID, by_vmid_asid, GATES(s1))                          \
    C(TLBI_NH_VA, nh_va, GATES(s1))                                   \
    C(TLBI_NH_VAA, nh_vaa, GATES(s1_host))                            \
    C(TLBI_EL3_ALL, nothing, SECURE)                                  \
    C(TLBI_EL3_VA, el2_vaa, SECURE)                                   \
    C(TLBI_EL2_ALL, nothing, GATES(hyp))                              \
    C(TLBI_EL2_ASID, by_asid, GATES(hyp))                             \
    C(TLBI_EL2_VA, el2_va, GATES(hyp))                                \
    C(TLBI_EL2_VAA, el2_vaa, GATES(hyp))                              \
    C(TLBI_S12_VMALL, by_vmid, GATES(s2))                             \
    C(TLBI_S2_IPA, s2_ipa, GATES(s2))                                 \
    C(TLBI_NSNH_ALL, nothing, GATES(any))                             \
    C(ATC_INV, atc_inv, GATES(ats))                                   \
    C(PRI_RESP, pri_resp, GATES(pri))                                 \
    C(RESUME, resume, GATES(stall))                                   \
    C(STALL_TERM, stream, GATES(stall))                               \
    C(SYNC, sync, GATES(sync_gate))                                   \
    C(TLBI_S_EL2_ALL, nothing, SECURE)                                \
    C(TLBI_S_EL2_ASID, by_asid, SECURE)                               \
    C(TLBI_S_EL2_VA, el2_va, SECURE)                                  \
    C(TLBI_S_EL2_VAA, el2_vaa, SECURE)                                \
    C(TLBI_S_S12_VMALL, by_vmid, SECURE)                              \
    C(TLBI_S_S2_IPA, s_s2_ipa, SECURE)                                \
    C(TLBI_SNH_ALL, nothing, SECURE)                                  \
    C(DPTI_ALL, nothing, GATES(dpt))                                  \
    C(DPTI_PA, dpti_pa, GATES(dpt))

#define COMMAND(mnemonic, bits, ...)    \
    {.name = #mnemonic,                 \
     .opcode_mask = SMMUV3_OPCODE_MASK, \
     .opcode = SMMUV3_##mnemonic,       \
     .number = NUMBER_##mnemonic,       \
     .list = &bits,                     \
     __VA_ARGS__},
#define NUMBER(mnemonic, ...)    NUMBER_##mnemonic,
#define BY_OPCODE(mnemonic, ...) [SMMUV3_##mnemonic] = NUMBER_##mnemonic + 1,
#define BY_FORM(mnemonic, ...)   [SMMUV3_##mnemonic] = (NUMBER_##mnemonic + 1) | XINV_FORMS,
#define NONE(mnemonic, ...)

enum {
    COMMANDS(NUMBER, NUMBER, NUMBER) N_COMMANDS
};
_Static_assert(N_COMMANDS <= XINV_NO_NUMBER, "a bit each in struct xinv_iommu");

static const struct xinv_layout layouts[] = {COMMANDS(COMMAND, COMMAND, COMMAND)};
static const uint8_t by_opcode[] = {COMMANDS(BY_OPCODE, BY_FORM, NONE)};

XINV_CODEC_DECODE(xinv_smmuv3_codec)

const struct xinv_codec xinv_smmuv3_codec = {
    .decode = decode,
    .layouts = layouts,
    .by_opcode = by_opcode,
    .opcode_mask = SMMUV3_OPCODE_MASK,
    .n_opcodes = N(by_opcode),
    .n_layouts = N_COMMANDS,
    .opcode_hardware = XINV_HW_CERROR_ILL,
    .open_first = 0x80, /* implementation defined (4.1.2) */
    .open_last = 0x8f,
    .reserved_hardware = XINV_HW_MAY_CERROR_ILL,
};
