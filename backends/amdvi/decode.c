// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every command by its fields (AMD 48882, 2.4). */
#include "backends/amdvi/amdvi.h"
#include "backends/amdvi/layout.h"
#include "core/layout.h"
#include "schema/generated/amdvi_features.h"

/* ---- Values ---- */

static const struct xinv_field_check pasid = {.limit = XINV_LIMIT_TAG, .of = XINV_TAG_PASID};
static const struct xinv_field_check gn = {
    .gated = 1, .feature = XINV_AMDVI_F_GTSUP, .gate_hardware = XINV_HW_ILLEGAL_COMMAND};
static const struct xinv_field_check type = {
    .gated = 1, .feature = XINV_AMDVI_F_INVIOTLBTYPESUP, .gate_hardware = XINV_HW_ILLEGAL_COMMAND};

/* reserved in the message that the device gets (PCIe 10.4.2); unused response codes are taken
 * as a failure there */
static const struct xinv_field_check tag = {.rare = 1, .rule = "not 0", .values = 1};

/* ---- Rules between fields ---- */

/* With S, the first zero bit at or above bit 12 gives the size (2.4.3). */
static inline void check_size(const struct xinv_iommu *iommu, const uint64_t *words,
                              struct xinv_fault *fault)
{
    (void)iommu;
    if (xinv_get(words, AMDVI_S) && words[1] >> 12 == UINT64_MAX >> 12)
        xinv_fault_rule(fault, "Address", "all ones, which have no size", XINV_HW_UNSPECIFIED);
}

/* ---- Fields ---- */

#define DEVICE_ID(F) F("DeviceID", NULL, AMDVI_DEVICE_ID)
#define S(F)         F("S", NULL, AMDVI_S)
#define GN(F)        F("GN", &gn, AMDVI_GN)
#define ADDRESS(F)   F("Address", NULL, AMDVI_ADDRESS)

#define COMPLETION_WAIT(F)                 \
    F("S", NULL, AMDVI_WAIT_S)             \
    F("I", NULL, AMDVI_WAIT_I)             \
    F("F", NULL, AMDVI_WAIT_F)             \
    F("Address", NULL, AMDVI_WAIT_ADDRESS) \
    F("Data", NULL, AMDVI_WAIT_DATA)
#define NOTHING(F)
#define PAGES(F)                            \
    F("PASID", &pasid, AMDVI_PAGES_PASID)   \
    F("DomainID", NULL, AMDVI_PAGES_DOMAIN) \
    S(F)                                    \
    F("PDE", NULL, AMDVI_PAGES_PDE)         \
    GN(F)                                   \
    ADDRESS(F)
#define IOTLB(F)                              \
    DEVICE_ID(F)                              \
    F("PASID", &pasid, AMDVI_IOTLB_PASID_7_0) \
    F(NULL, &pasid, AMDVI_IOTLB_PASID_15_8)   \
    F(NULL, &pasid, AMDVI_IOTLB_PASID_19_16)  \
    F("MaxPend", NULL, AMDVI_IOTLB_MAXPEND)   \
    F("QueueID", NULL, AMDVI_IOTLB_QUEUE_ID)  \
    S(F)                                      \
    GN(F)                                     \
    F("Type", &type, AMDVI_IOTLB_TYPE)        \
    ADDRESS(F)
#define PREFETCH(F)                          \
    DEVICE_ID(F)                             \
    F("PFCount", NULL, AMDVI_PREFETCH_COUNT) \
    F("PASID", &pasid, AMDVI_PREFETCH_PASID) \
    S(F)                                     \
    GN(F)                                    \
    F("Inval", NULL, AMDVI_PREFETCH_INVAL)   \
    ADDRESS(F)
#define PPR(F)                               \
    DEVICE_ID(F)                             \
    F("PASID", &pasid, AMDVI_PPR_PASID)      \
    GN(F)                                    \
    F("PRGIndex", NULL, AMDVI_PPR_PRG_INDEX) \
    F("Tag_11_9", &tag, AMDVI_PPR_TAG_11_9) F("ResponseCode", NULL, AMDVI_PPR_CODE)
#define GUEST_EVENT(F) F("GuestID", NULL, AMDVI_EVENT_GUEST_ID)
#define RESET(F)                             \
    F("GuestID", NULL, AMDVI_RESET_GUEST_ID) \
    F("All", NULL, AMDVI_RESET_ALL)          \
    F("vCmd", NULL, AMDVI_RESET_VCMD)

XINV_FIELDS(completion_wait, COMPLETION_WAIT, AMDVI_OPCODE_MASK, false, xinv_no_rule)
XINV_FIELDS(device_id, DEVICE_ID, AMDVI_OPCODE_MASK, false, xinv_no_rule)
XINV_FIELDS(pages, PAGES, AMDVI_OPCODE_MASK, false, check_size)
XINV_FIELDS(iotlb, IOTLB, AMDVI_OPCODE_MASK, false, check_size)
XINV_FIELDS(prefetch, PREFETCH, AMDVI_OPCODE_MASK, false, check_size)
XINV_FIELDS(ppr, PPR, AMDVI_OPCODE_MASK, false, xinv_no_rule)
XINV_FIELDS(nothing, NOTHING, AMDVI_OPCODE_MASK, false, xinv_no_rule)
XINV_FIELDS(guest_event, GUEST_EVENT, AMDVI_OPCODE_MASK, false, xinv_no_rule)
XINV_FIELDS(reset_vmmio, RESET, AMDVI_OPCODE_MASK, false, xinv_no_rule)

/* ---- Conditions ---- */

#define HAS(feature)                                                       \
    {                                                                      \
        {XINV_AMDVI_F_##feature, XINV_COND_NE, 0}, XINV_HW_ILLEGAL_COMMAND \
    }

static const struct xinv_gate iotlb_sup[] = {HAS(IOTLBSUP)};
static const struct xinv_gate pref_sup[] = {HAS(PREFSUP)};
static const struct xinv_gate ppr_sup[] = {HAS(PPRSUP)};
static const struct xinv_gate ia_sup[] = {HAS(IASUP)};
static const struct xinv_gate viommu_sup[] = {HAS(VIOMMUSUP)};

/* ---- Commands ---- */

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define GATES(g) .gates = (g), .n_gates = N(g)
#define ALWAYS   .gates = NULL

/* C: mnemonic, fields, other members */
#define COMMANDS(C)                                       \
    C(COMPLETION_WAIT, completion_wait, ALWAYS)           \
    C(INVALIDATE_DEVTAB_ENTRY, device_id, ALWAYS)         \
    C(INVALIDATE_IOMMU_PAGES, pages, ALWAYS)              \
    C(INVALIDATE_IOTLB_PAGES, iotlb, GATES(iotlb_sup))    \
    C(INVALIDATE_INTERRUPT_TABLE, device_id, ALWAYS)      \
    C(PREFETCH_IOMMU_PAGES, prefetch, GATES(pref_sup))    \
    C(COMPLETE_PPR_REQUEST, ppr, GATES(ppr_sup))          \
    C(INVALIDATE_IOMMU_ALL, nothing, GATES(ia_sup))       \
    C(INSERT_GUEST_EVENT, guest_event, GATES(viommu_sup)) \
    C(RESET_VMMIO, reset_vmmio, GATES(viommu_sup))

#define COMMAND(mnemonic, bits, ...)                             \
    {.name = #mnemonic,                                          \
     .opcode_mask = AMDVI_OPCODE_MASK,                           \
     .opcode = (uint64_t)(AMDVI_##mnemonic) << AMDVI_OPCODE_LSB, \
     .number = NUMBER_##mnemonic,                                \
     .list = &bits,                                              \
     __VA_ARGS__},
#define NUMBER(mnemonic, ...)    NUMBER_##mnemonic,
#define BY_OPCODE(mnemonic, ...) [AMDVI_##mnemonic] = NUMBER_##mnemonic + 1,

enum {
    COMMANDS(NUMBER) N_COMMANDS
};

static const struct xinv_layout layouts[] = {COMMANDS(COMMAND)};
static const uint8_t by_opcode[] = {COMMANDS(BY_OPCODE)};

XINV_CODEC_DECODE(xinv_amdvi_codec)

const struct xinv_codec xinv_amdvi_codec = {
    .decode = decode,
    .layouts = layouts,
    .by_opcode = by_opcode,
    .opcode_mask = AMDVI_OPCODE_MASK,
    .opcode_at = AMDVI_OPCODE_LSB,
    .n_opcodes = N(by_opcode),
    .n_layouts = N_COMMANDS,
    .opcode_hardware = XINV_HW_ILLEGAL_COMMAND,
    .reserved_hardware = XINV_HW_ILLEGAL_COMMAND,
};
