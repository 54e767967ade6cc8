// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the words of a command remove: the op of the table's row, and the tags' values. */
#include "core/read.h"
#include "backends/smmuv3/layout.h"
#include "backends/smmuv3/smmuv3.h"
#include "schema/generated/smmuv3_features.h"

#define ATC_SIZE_ALL 52

/*
 * first..last of an address TLBI (4.4.1.1): with TG, (NUM + 1) << SCALE granules from the address;
 * without, whatever entry holds the address. The range does not wrap.
 */
static void read_range(const struct xinv_iommu *iommu, uint64_t address, const uint64_t *w,
                       struct xinv_form *form, struct xinv_removal_set *set)
{
    unsigned tg = (unsigned)XINV_GET(w, SMMUV3_TG);
    unsigned ttl = (unsigned)XINV_GET(w, SMMUV3_TTL);
    unsigned scale = (unsigned)(XINV_GET(w, SMMUV3_SCALE) | XINV_GET(w, SMMUV3_SCALE_5));
    unsigned granule = 10 + 2 * tg;
    /* a table of the granule's size has so many entries, of 8 or 16 bytes */
    unsigned level_bits = granule - (XINV_GET(w, SMMUV3_TTL128) ? 4 : 3);
    uint64_t more;

    form->leaf = (uint8_t)XINV_GET(w, SMMUV3_LEAF);
    set->first = address;
    set->last = address | 0xfff;
    if (!tg)
        return;
    if (scale > 39)
        scale = 39; /* SCALE above 39 is 39 */
    more = ((XINV_GET(w, SMMUV3_NUM) + 1) << (scale + granule)) - 1;
    set->last = more > UINT64_MAX - address ? UINT64_MAX : address + more;
    set->log2_granule = (uint8_t)granule;
    /* TTL 1 of 16 KiB is a level with IDR5.DS alone, and counts as 0 without (4.4.1.1) */
    if (tg == 2 && ttl == 1 && level_bits == 11 && !iommu->feature[XINV_SMMUV3_F_DS])
        ttl = 0;
    if (ttl)
        set->log2_leaf = (uint8_t)(granule + (3 - ttl) * level_bits);
}

static void read_vmid(const uint64_t *w, struct xinv_removal_set *set)
{
    set->vmid = (uint32_t)XINV_GET(w, SMMUV3_VMID);
}

static void read_asid(const uint64_t *w, struct xinv_removal_set *set)
{
    set->asid = (uint32_t)XINV_GET(w, SMMUV3_ASID);
}

/* SSV = 1 with Global = 1 reaches every PASID where the endpoint can do so (3.9.1). */
static void read_atc(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    unsigned order = (unsigned)XINV_GET(w, SMMUV3_ATC_SIZE);
    bool pasid = XINV_GET(w, SMMUV3_SSV);
    bool all = order >= ATC_SIZE_ALL;

    set->rid = (uint32_t)XINV_GET(w, SMMUV3_SID);
    if (!all)
        xinv_read_block(XINV_GET(w, SMMUV3_VA), 12 + order, set);
    if (!pasid) {
        form->op = all ? XINV_SMMUV3_OP_ATC_INV_ALL : XINV_SMMUV3_OP_ATC_INV;
        return;
    }
    form->op = all ? XINV_SMMUV3_OP_ATC_INV_PASID_ALL : XINV_SMMUV3_OP_ATC_INV_PASID;
    set->pasid = (uint32_t)XINV_GET(w, SMMUV3_SSID);
    if (XINV_GET(w, SMMUV3_GLOBAL))
        form->loose = XINV_TAG_BIT(XINV_TAG_PASID);
}

/* An aligned group of 2^(Range + 1) streams; 31 is every one (4.3.2). */
static void read_ste_range(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    unsigned range = (unsigned)XINV_GET(w, SMMUV3_RANGE);

    form->op = XINV_SMMUV3_OP_CFGI_ALL;
    if (range == 31)
        return;
    form->narrow = XINV_TAG_BIT(XINV_TAG_RID);
    set->rid_ignored = (UINT32_C(2) << range) - 1;
    set->rid = (uint32_t)XINV_GET(w, SMMUV3_SID) & ~set->rid_ignored;
}

static void read_config(const uint64_t *w, struct xinv_form *form, struct xinv_removal_set *set)
{
    switch (XINV_GET(w, SMMUV3_OPCODE)) {
    case SMMUV3_CFGI_STE:
        form->op = XINV_SMMUV3_OP_CFGI_STE;
        form->leaf = (uint8_t)XINV_GET(w, SMMUV3_LEAF);
        break;
    case SMMUV3_CFGI_CD:
        form->op = XINV_SMMUV3_OP_CFGI_CD;
        form->leaf = (uint8_t)XINV_GET(w, SMMUV3_LEAF);
        set->pasid = (uint32_t)XINV_GET(w, SMMUV3_SSID);
        break;
    default: /* SMMUV3_CFGI_CD_ALL */
        form->op = XINV_SMMUV3_OP_CFGI_CD_ALL;
        break;
    }
    set->rid = (uint32_t)XINV_GET(w, SMMUV3_SID);
}

static void read_el1(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                     struct xinv_removal_set *set)
{
    read_vmid(w, set);
    switch (XINV_GET(w, SMMUV3_OPCODE)) {
    case SMMUV3_TLBI_NH_ALL:
        form->op = XINV_SMMUV3_OP_TLBI_NH_ALL;
        break;
    case SMMUV3_TLBI_NH_ASID:
        form->op = XINV_SMMUV3_OP_TLBI_NH_ASID;
        read_asid(w, set);
        break;
    case SMMUV3_TLBI_NH_VA:
        form->op = XINV_SMMUV3_OP_TLBI_NH_VA;
        read_asid(w, set);
        read_range(iommu, XINV_GET(w, SMMUV3_VA), w, form, set);
        break;
    case SMMUV3_TLBI_NH_VAA:
        form->op = XINV_SMMUV3_OP_TLBI_NH_VAA;
        read_range(iommu, XINV_GET(w, SMMUV3_VA), w, form, set);
        break;
    case SMMUV3_TLBI_S12_VMALL:
        form->op = XINV_SMMUV3_OP_TLBI_S12_VMALL;
        break;
    default: /* SMMUV3_TLBI_S2_IPA */
        form->op = XINV_SMMUV3_OP_TLBI_S2_IPA;
        read_range(iommu, XINV_GET(w, SMMUV3_IPA), w, form, set);
        break;
    }
}

/* Without CR2.E2H the ASID of TLBI_EL2_VA is not looked at, and no EL2 entry has one (4.4.3). */
static void read_el2(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                     struct xinv_removal_set *set)
{
    bool asids = iommu->feature[XINV_SMMUV3_F_E2H];

    switch (XINV_GET(w, SMMUV3_OPCODE)) {
    case SMMUV3_TLBI_EL2_ALL:
        form->op = XINV_SMMUV3_OP_TLBI_EL2_ALL;
        break;
    case SMMUV3_TLBI_EL2_ASID:
        form->op = XINV_SMMUV3_OP_TLBI_EL2_ASID;
        read_asid(w, set);
        break;
    default: /* SMMUV3_TLBI_EL2_VA, SMMUV3_TLBI_EL2_VAA */
        form->op = XINV_SMMUV3_OP_TLBI_EL2_VAA;
        if (asids && XINV_GET(w, SMMUV3_OPCODE) == SMMUV3_TLBI_EL2_VA) {
            form->op = XINV_SMMUV3_OP_TLBI_EL2_VA;
            read_asid(w, set);
        }
        read_range(iommu, XINV_GET(w, SMMUV3_VA), w, form, set);
        break;
    }
}

void xinv_smmuv3_read(const struct xinv_iommu *iommu, const uint64_t *w, struct xinv_form *form,
                      struct xinv_removal_set *set)
{
    switch (XINV_GET(w, SMMUV3_OPCODE)) {
    case SMMUV3_CFGI_STE:
    case SMMUV3_CFGI_CD:
    case SMMUV3_CFGI_CD_ALL:
        read_config(w, form, set);
        break;
    case SMMUV3_CFGI_STE_RANGE:
        read_ste_range(w, form, set);
        break;
    case SMMUV3_TLBI_NH_ALL:
    case SMMUV3_TLBI_NH_ASID:
    case SMMUV3_TLBI_NH_VA:
    case SMMUV3_TLBI_NH_VAA:
    case SMMUV3_TLBI_S12_VMALL:
    case SMMUV3_TLBI_S2_IPA:
        read_el1(iommu, w, form, set);
        break;
    case SMMUV3_TLBI_NSNH_ALL:
        form->op = XINV_SMMUV3_OP_TLBI_NSNH_ALL;
        break;
    case SMMUV3_TLBI_EL2_ALL:
    case SMMUV3_TLBI_EL2_ASID:
    case SMMUV3_TLBI_EL2_VA:
    case SMMUV3_TLBI_EL2_VAA:
        read_el2(iommu, w, form, set);
        break;
    case SMMUV3_ATC_INV:
        read_atc(w, form, set);
        break;
    case SMMUV3_PREFETCH_CONFIG:
    case SMMUV3_PREFETCH_ADDR:
    case SMMUV3_PRI_RESP:
    case SMMUV3_RESUME:
    case SMMUV3_STALL_TERM:
    case SMMUV3_SYNC:
        form->op = XINV_FORM_NOTHING;
        break;
    default: /* CFGI_VMS_PIDM, DPTI_*: of caches that no table has */
        form->op = XINV_FORM_UNKNOWN;
        break;
    }
}
