// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The rules that matching and ordering are made of, by name, and what several vendors' files share.
 * A rule can be planted with a fault: it then holds, or fails, whatever is the case.
 */
#ifndef XINV_MODEL_RULES_H
#define XINV_MODEL_RULES_H

#include "model/model.h"

#define MODEL_RULES(X)       \
    X(SMMU_CFGI_STE_SID)     \
    X(SMMU_CFGI_STE_LEAF)    \
    X(SMMU_CFGI_STE_CDS)     \
    X(SMMU_CFGI_CD_SID)      \
    X(SMMU_CFGI_CD_SSID)     \
    X(SMMU_CFGI_CD_LEAF)     \
    X(SMMU_TLBI_STAGE1)      \
    X(SMMU_TLBI_STAGE2)      \
    X(SMMU_TLBI_REGIME)      \
    X(SMMU_TLBI_VMID)        \
    X(SMMU_TLBI_ASID)        \
    X(SMMU_TLBI_ASID_GLOBAL) \
    X(SMMU_TLBI_VA_GLOBAL)   \
    X(SMMU_TLBI_ADDRESS)     \
    X(SMMU_TLBI_HALF)        \
    X(SMMU_TLBI_LEAF)        \
    X(SMMU_TLBI_TG)          \
    X(SMMU_TLBI_TTL)         \
    X(SMMU_TAG_WIDTH)        \
    X(SMMU_ATC_SID)          \
    X(SMMU_ATC_PASID)        \
    X(SMMU_ATC_UNTAGGED)     \
    X(SMMU_ATC_ADDRESS)      \
    X(SMMU_SYNC_ORDERS)      \
    X(SMMU_REPEAT)           \
    X(VTD_CC_DID)            \
    X(VTD_CC_SID)            \
    X(VTD_PC_DID)            \
    X(VTD_PC_PASID)          \
    X(VTD_IOTLB_DID)         \
    X(VTD_IOTLB_ADDRESS)     \
    X(VTD_IOTLB_IH)          \
    X(VTD_IOTLB_SIZE)        \
    X(VTD_P_IOTLB_DID)       \
    X(VTD_P_IOTLB_PASID)     \
    X(VTD_P_IOTLB_STAGE)     \
    X(VTD_P_IOTLB_ADDRESS)   \
    X(VTD_P_IOTLB_IH)        \
    X(VTD_P_IOTLB_SIZE)      \
    X(VTD_DEV_TLB_SID)       \
    X(VTD_DEV_TLB_PASID)     \
    X(VTD_DEV_TLB_ADDRESS)   \
    X(VTD_IEC_INDEX)         \
    X(VTD_QUEUE_ORDER)       \
    X(VTD_WAIT_FENCE)        \
    X(AMD_DTE_DEVICE)        \
    X(AMD_IRT_DEVICE)        \
    X(AMD_PAGES_DOMAIN)      \
    X(AMD_PAGES_PASID)       \
    X(AMD_PAGES_GN)          \
    X(AMD_PAGES_NESTED)      \
    X(AMD_PAGES_ADDRESS)     \
    X(AMD_PAGES_PDE)         \
    X(AMD_PAGES_SIZE)        \
    X(AMD_PAGES_GCR3)        \
    X(AMD_IOTLB_DEVICE)      \
    X(AMD_IOTLB_PASID)       \
    X(AMD_IOTLB_ADDRESS)     \
    X(AMD_ALL_NOT_ATC)       \
    X(AMD_WAIT_FENCE)        \
    X(JUDGE_FEEDS)           \
    X(JUDGE_COMPLETE)

#define MODEL_RULE_ENUM(name) MODEL_##name,
enum model_rule {
    MODEL_NO_RULE,
    MODEL_RULES(MODEL_RULE_ENUM) MODEL_NRULES
};
#undef MODEL_RULE_ENUM

extern const char *const model_rule_names[MODEL_NRULES];

static inline bool model_rule(const struct model_config *config, enum model_rule rule, bool holds)
{
    return config->fault == rule ? config->fault_holds : holds;
}

/* Bits lsb + width - 1 .. lsb of a word. */
static inline uint64_t model_bits(uint64_t word, unsigned lsb, unsigned width)
{
    return word >> lsb & (width < 64 ? (UINT64_C(1) << width) - 1 : UINT64_MAX);
}

static inline uint64_t model_last(uint64_t first, unsigned log2_size)
{
    return log2_size >= 64 ? UINT64_MAX : first | ((UINT64_C(1) << log2_size) - 1);
}

static inline uint64_t model_base(uint64_t address, unsigned log2_size)
{
    return log2_size >= 64 ? 0 : address & ~((UINT64_C(1) << log2_size) - 1);
}

/* What the entry maps has an address in first..last. */
static inline bool model_overlaps(uint64_t address, unsigned log2_size, uint64_t first,
                                  uint64_t last)
{
    return model_base(address, log2_size) <= last && model_last(address, log2_size) >= first;
}

/* How much of the IPA space an entry's walk used: a combined table entry, the page that its table
 * is in. */
static inline unsigned model_ipa_log2(const struct model_entry *entry)
{
    return entry->walk == MODEL_BOTH && entry->kind == MODEL_TABLE ? 12 : entry->log2_size;
}

static inline bool model_is_tlb(const struct model_entry *entry)
{
    return entry->cache == XINV_CACHE_STAGE1 || entry->cache == XINV_CACHE_STAGE2 ||
           entry->cache == XINV_CACHE_NESTED;
}

/* Endpoints can send PASIDs, as far as the IOMMU is concerned. */
static inline bool model_has_pasids(const struct model_config *config)
{
    return config->vendor == MODEL_SMMUV3  ? config->ssidsize
           : config->vendor == MODEL_AMDVI ? config->gtsup
                                           : config->scalable && config->pasid;
}

/* The block of a device-TLB (or AMD) address whose lowest zero at or above bit 12 gives the size
 * (PCIe ATS). false: there is no zero. */
static inline bool model_ats_block(uint64_t address, bool sized, uint64_t *first, uint64_t *last)
{
    unsigned z = 12;

    address &= ~UINT64_C(0xfff);
    if (!sized) {
        *first = address;
        *last = address | 0xfff;
        return true;
    }
    while (z < 64 && address >> z & 1)
        z++;
    if (z == 64)
        return false;
    *first = model_base(address, z + 1);
    *last = model_last(address, z + 1);
    return true;
}

void model_smmuv3_decode(const struct model_config *config, const uint64_t *words,
                         struct model_command *command);
const char *model_smmuv3_miss(const struct model_config *config,
                              const struct model_command *command, const struct model_entry *entry);
bool model_smmuv3_may(const struct model_config *config, const struct model_command *command,
                      const struct model_entry *entry);

void model_vtd_decode(const struct model_config *config, const uint64_t *words,
                      struct model_command *command);
const char *model_vtd_miss(const struct model_config *config, const struct model_command *command,
                           const struct model_entry *entry);
bool model_vtd_may(const struct model_config *config, const struct model_command *command,
                   const struct model_entry *entry);
bool model_vtd_queue_orders(const struct model_config *config, enum model_order earlier,
                            enum model_order later);

void model_amdvi_decode(const struct model_config *config, const uint64_t *words,
                        struct model_command *command);
const char *model_amdvi_miss(const struct model_config *config, const struct model_command *command,
                             const struct model_entry *entry);
bool model_amdvi_may(const struct model_config *config, const struct model_command *command,
                     const struct model_entry *entry);

#endif
