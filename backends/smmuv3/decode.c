// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "backends/smmuv3/layout.h"
#include "backends/smmuv3/smmuv3.h"
#include "core/layout.h"

#define RANGE_FIELDS                                                    \
    XINV_FIELD("NUM", SMMUV3_NUM), XINV_FIELD("SCALE", SMMUV3_SCALE),   \
        XINV_FIELD("Leaf", SMMUV3_LEAF), XINV_FIELD("TTL", SMMUV3_TTL), \
        XINV_FIELD("TG", SMMUV3_TG)

static const struct xinv_layout_field ste[] = {XINV_FIELD("SSec", SMMUV3_SSEC),
                                               XINV_FIELD("SID", SMMUV3_SID),
                                               XINV_FIELD("Leaf", SMMUV3_LEAF)};
static const struct xinv_layout_field ste_range[] = {XINV_FIELD("SSec", SMMUV3_SSEC),
                                                     XINV_FIELD("SID", SMMUV3_SID),
                                                     XINV_FIELD("Range", SMMUV3_RANGE)};
static const struct xinv_layout_field cd[] = {
    XINV_FIELD("SSec", SMMUV3_SSEC), XINV_FIELD("SSID", SMMUV3_SSID), XINV_FIELD("SID", SMMUV3_SID),
    XINV_FIELD("Leaf", SMMUV3_LEAF)};
static const struct xinv_layout_field cd_all[] = {XINV_FIELD("SSec", SMMUV3_SSEC),
                                                  XINV_FIELD("SID", SMMUV3_SID)};
static const struct xinv_layout_field vmid[] = {XINV_FIELD("VMID", SMMUV3_VMID)};
static const struct xinv_layout_field vmid_asid[] = {XINV_FIELD("VMID", SMMUV3_VMID),
                                                     XINV_FIELD("ASID", SMMUV3_ASID)};
static const struct xinv_layout_field asid[] = {XINV_FIELD("ASID", SMMUV3_ASID)};
static const struct xinv_layout_field nh_va[] = {XINV_FIELD("VMID", SMMUV3_VMID),
                                                 XINV_FIELD("ASID", SMMUV3_ASID), RANGE_FIELDS,
                                                 XINV_FIELD("Address", SMMUV3_VA)};
static const struct xinv_layout_field nh_vaa[] = {XINV_FIELD("VMID", SMMUV3_VMID), RANGE_FIELDS,
                                                  XINV_FIELD("Address", SMMUV3_VA)};
static const struct xinv_layout_field el2_va[] = {XINV_FIELD("ASID", SMMUV3_ASID), RANGE_FIELDS,
                                                  XINV_FIELD("Address", SMMUV3_VA)};
static const struct xinv_layout_field el2_vaa[] = {RANGE_FIELDS, XINV_FIELD("Address", SMMUV3_VA)};
static const struct xinv_layout_field s2_ipa[] = {XINV_FIELD("VMID", SMMUV3_VMID), RANGE_FIELDS,
                                                  XINV_FIELD("Address", SMMUV3_IPA)};
static const struct xinv_layout_field atc_inv[] = {
    XINV_FIELD("Global", SMMUV3_GLOBAL), XINV_FIELD("SSV", SMMUV3_SSV),
    XINV_FIELD("SSID", SMMUV3_SSID),     XINV_FIELD("SID", SMMUV3_SID),
    XINV_FIELD("Size", SMMUV3_ATC_SIZE), XINV_FIELD("Address", SMMUV3_VA)};
static const struct xinv_layout_field sync[] = {
    XINV_FIELD("CS", SMMUV3_CS), XINV_FIELD("MSH", SMMUV3_MSH),
    XINV_FIELD("MSIAttr", SMMUV3_MSIATTR), XINV_FIELD("MSIData", SMMUV3_MSIDATA),
    XINV_FIELD("MSIAddr", SMMUV3_MSIADDR)};

#define N(fields) fields, sizeof(fields) / sizeof((fields)[0])
#define OPCODE    0xff

static const struct xinv_layout layouts[] = {
    {"CFGI_STE", OPCODE, SMMUV3_CFGI_STE, N(ste)},
    {"CFGI_STE_RANGE", OPCODE, SMMUV3_CFGI_STE_RANGE, N(ste_range)},
    {"CFGI_CD", OPCODE, SMMUV3_CFGI_CD, N(cd)},
    {"CFGI_CD_ALL", OPCODE, SMMUV3_CFGI_CD_ALL, N(cd_all)},
    {"TLBI_NH_ALL", OPCODE, SMMUV3_TLBI_NH_ALL, N(vmid)},
    {"TLBI_NH_ASID", OPCODE, SMMUV3_TLBI_NH_ASID, N(vmid_asid)},
    {"TLBI_NH_VA", OPCODE, SMMUV3_TLBI_NH_VA, N(nh_va)},
    {"TLBI_NH_VAA", OPCODE, SMMUV3_TLBI_NH_VAA, N(nh_vaa)},
    {"TLBI_EL2_ALL", OPCODE, SMMUV3_TLBI_EL2_ALL, NULL, 0},
    {"TLBI_EL2_ASID", OPCODE, SMMUV3_TLBI_EL2_ASID, N(asid)},
    {"TLBI_EL2_VA", OPCODE, SMMUV3_TLBI_EL2_VA, N(el2_va)},
    {"TLBI_EL2_VAA", OPCODE, SMMUV3_TLBI_EL2_VAA, N(el2_vaa)},
    {"TLBI_S12_VMALL", OPCODE, SMMUV3_TLBI_S12_VMALL, N(vmid)},
    {"TLBI_S2_IPA", OPCODE, SMMUV3_TLBI_S2_IPA, N(s2_ipa)},
    {"TLBI_NSNH_ALL", OPCODE, SMMUV3_TLBI_NSNH_ALL, NULL, 0},
    {"ATC_INV", OPCODE, SMMUV3_ATC_INV, N(atc_inv)},
    {"SYNC", OPCODE, SMMUV3_SYNC, N(sync)},
};

int xinv_smmuv3_decode(const struct xinv_iommu *iommu, const uint64_t *words,
                       struct xinv_decoded *decoded)
{
    (void)iommu;
    for (unsigned i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        int ret;

        if ((words[0] & layouts[i].opcode_mask) != layouts[i].opcode)
            continue;
        ret = xinv_layout_decode(&layouts[i], words, 2, decoded);
        /* CFGI_ALL is the range form with every bit of the range (4.3.2) */
        if (layouts[i].opcode == SMMUV3_CFGI_STE_RANGE && xinv_get(words, SMMUV3_RANGE) == 31)
            decoded->name = "CFGI_ALL";
        return ret;
    }
    return -XINV_E_NOENT;
}
