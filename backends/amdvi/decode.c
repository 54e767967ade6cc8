// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Every command by its fields (AMD 48882, 2.4). */
#include "backends/amdvi/amdvi.h"
#include "backends/amdvi/layout.h"
#include "core/frequent.h"
#include "schema/generated/amdvi_features.h"

/* ---- Values ---- */

static const struct xinv_field_check pasid = {.limit = XINV_LIMIT_TAG, .of = XINV_TAG_PASID};
static const struct xinv_field_check gn = {
    .gated = 1, .feature = XINV_AMDVI_F_GTSUP, .gate_hardware = XINV_HW_ILLEGAL_COMMAND};
static const struct xinv_field_check type = {
    .gated = 1, .feature = XINV_AMDVI_F_INVIOTLBTYPESUP, .gate_hardware = XINV_HW_ILLEGAL_COMMAND};

/* ---- Rules between fields ---- */

/* With S, the first zero bit at or above bit 12 gives the size (2.4.3). */
static void check_size(const struct xinv_iommu *iommu, const uint64_t *words,
                       struct xinv_fault *fault)
{
    (void)iommu;
    if (xinv_get(words, AMDVI_S) && words[1] >> 12 == UINT64_MAX >> 12)
        xinv_fault_rule(fault, "Address", "all ones, which have no size", XINV_HW_UNSPECIFIED);
}

/* ---- Fields ---- */

/* the parts of a PASID share one string: see core/layout.c */
static const char pasid_name[] = "PASID";

#define DEVICE_ID XINV_FIELD("DeviceID", AMDVI_DEVICE_ID)
#define S         XINV_FIELD("S", AMDVI_S)
#define GN        XINV_CHECKED("GN", gn, AMDVI_GN)
#define ADDRESS   XINV_FIELD("Address", AMDVI_ADDRESS)
#define PASID(at) XINV_CHECKED(pasid_name, pasid, at)

static const struct xinv_layout_field completion_wait[] = {
    XINV_FIELD("S", AMDVI_WAIT_S), XINV_FIELD("I", AMDVI_WAIT_I), XINV_FIELD("F", AMDVI_WAIT_F),
    XINV_FIELD("Address", AMDVI_WAIT_ADDRESS), XINV_FIELD("Data", AMDVI_WAIT_DATA)};
static const struct xinv_layout_field device_id[] = {DEVICE_ID};
static const struct xinv_layout_field pages[] = {PASID(AMDVI_PAGES_PASID),
                                                 XINV_FIELD("DomainID", AMDVI_PAGES_DOMAIN),
                                                 S,
                                                 XINV_FIELD("PDE", AMDVI_PAGES_PDE),
                                                 GN,
                                                 ADDRESS};
static const struct xinv_layout_field iotlb[] = {DEVICE_ID,
                                                 PASID(AMDVI_IOTLB_PASID_7_0),
                                                 PASID(AMDVI_IOTLB_PASID_15_8),
                                                 PASID(AMDVI_IOTLB_PASID_19_16),
                                                 XINV_FIELD("MaxPend", AMDVI_IOTLB_MAXPEND),
                                                 XINV_FIELD("QueueID", AMDVI_IOTLB_QUEUE_ID),
                                                 S,
                                                 GN,
                                                 XINV_CHECKED("Type", type, AMDVI_IOTLB_TYPE),
                                                 ADDRESS};
static const struct xinv_layout_field prefetch[] = {DEVICE_ID,
                                                    XINV_FIELD("PFCount", AMDVI_PREFETCH_COUNT),
                                                    PASID(AMDVI_PREFETCH_PASID),
                                                    S,
                                                    GN,
                                                    XINV_FIELD("Inval", AMDVI_PREFETCH_INVAL),
                                                    ADDRESS};
static const struct xinv_layout_field ppr[] = {DEVICE_ID, PASID(AMDVI_PPR_PASID), GN,
                                               XINV_FIELD("CompletionTag", AMDVI_PPR_TAG)};
static const struct xinv_layout_field guest_event[] = {XINV_FIELD("GuestID", AMDVI_EVENT_GUEST_ID)};
static const struct xinv_layout_field reset_vmmio[] = {XINV_FIELD("GuestID", AMDVI_RESET_GUEST_ID),
                                                       XINV_FIELD("All", AMDVI_RESET_ALL),
                                                       XINV_FIELD("vCmd", AMDVI_RESET_VCMD)};

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
#define COMMAND(mnemonic)                                \
    .name = #mnemonic, .opcode_mask = AMDVI_OPCODE_MASK, \
    .opcode = (uint64_t)(AMDVI_##mnemonic) << 60
#define FIELDS(f) .fields = (f), .n_fields = N(f)
#define GATES(g)  .gates = (g), .n_gates = N(g)

/* Those that come most often, which have decoders of their own. */
#define WAIT_LAYOUT                                       \
    {                                                     \
        COMMAND(COMPLETION_WAIT), FIELDS(completion_wait) \
    }
#define PAGES_LAYOUT                                                        \
    {                                                                       \
        COMMAND(INVALIDATE_IOMMU_PAGES), FIELDS(pages), .check = check_size \
    }
#define IOTLB_LAYOUT                                                                          \
    {                                                                                         \
        COMMAND(INVALIDATE_IOTLB_PAGES), FIELDS(iotlb), GATES(iotlb_sup), .check = check_size \
    }

static const struct xinv_layout layouts[] = {
    WAIT_LAYOUT,
    {COMMAND(INVALIDATE_DEVTAB_ENTRY), FIELDS(device_id)},
    PAGES_LAYOUT,
    IOTLB_LAYOUT,
    {COMMAND(INVALIDATE_INTERRUPT_TABLE), FIELDS(device_id)},
    {COMMAND(PREFETCH_IOMMU_PAGES), FIELDS(prefetch), GATES(pref_sup), .check = check_size},
    {COMMAND(COMPLETE_PPR_REQUEST), FIELDS(ppr), GATES(ppr_sup)},
    {COMMAND(INVALIDATE_IOMMU_ALL), GATES(ia_sup)},
    {COMMAND(INSERT_GUEST_EVENT), FIELDS(guest_event), GATES(viommu_sup)},
    {COMMAND(RESET_VMMIO), FIELDS(reset_vmmio), GATES(viommu_sup)},
};

XINV_DECODER(decode_wait, WAIT_LAYOUT, 2)
XINV_DECODER(decode_pages, PAGES_LAYOUT, 2)
XINV_DECODER(decode_iotlb, IOTLB_LAYOUT, 2)

static int decode(const struct xinv_iommu *iommu, const uint64_t *words,
                  struct xinv_decoded *decoded)
{
    switch (words[0] >> 60) {
    case AMDVI_COMPLETION_WAIT:
        return decode_wait(iommu, words, decoded);
    case AMDVI_INVALIDATE_IOMMU_PAGES:
        return decode_pages(iommu, words, decoded);
    case AMDVI_INVALIDATE_IOTLB_PAGES:
        return decode_iotlb(iommu, words, decoded);
    default:
        return xinv_decode_by_table(iommu, words, decoded);
    }
}

const struct xinv_codec xinv_amdvi_codec = {
    .decode = decode,
    .layouts = layouts,
    .n_layouts = N(layouts),
    .opcode_hardware = XINV_HW_ILLEGAL_COMMAND,
    .reserved_hardware = XINV_HW_ILLEGAL_COMMAND,
};
