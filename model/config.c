// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What hardware an IOMMU is, read from its ID registers. */
#include <string.h>

#include "model/rules.h"

#define RULE_NAME(name) #name,
const char *const model_rule_names[MODEL_NRULES] = {"none", MODEL_RULES(RULE_NAME)};

static uint64_t reg(const struct xinv_iommu *iommu, const char *name)
{
    for (unsigned i = 0; i < iommu->vendor->n_registers; i++)
        if (!strcmp(iommu->vendor->registers[i], name))
            return iommu->platform->registers[i];
    return 0;
}

/* What the software chose, or knows besides the registers; `otherwise` where nobody said. */
static unsigned setting(const struct xinv_iommu *iommu, const char *name, unsigned otherwise)
{
    int feature = xinv_feature_find(iommu->vendor, name);

    return feature < 0 ? otherwise : iommu->feature[feature];
}

/* A setting of the platform that overrides a register's field. */
static bool overridden(const struct xinv_iommu *iommu, const char *name, bool value)
{
    int feature = xinv_feature_find(iommu->vendor, name);

    for (unsigned i = 0; i < iommu->platform->n_settings; i++)
        if (iommu->platform->settings[i].feature == feature)
            return iommu->platform->settings[i].value != 0;
    return value;
}

/* IHI 0070, 6.3.1 to 6.3.6. */
static void smmuv3(struct model_config *config, const struct xinv_iommu *iommu)
{
    uint64_t idr0 = reg(iommu, "IDR0");
    uint64_t idr1 = reg(iommu, "IDR1");
    uint64_t iidr = reg(iommu, "IIDR");

    config->vendor = MODEL_SMMUV3;
    config->words = 2;
    config->s2p = idr0 & 1;
    config->s1p = idr0 >> 1 & 1;
    config->hyp = idr0 >> 9 & 1;
    config->ats = idr0 >> 10 & 1;
    config->asid16 = idr0 >> 12 & 1;
    config->vmid16 = idr0 >> 18 & 1;
    config->sidsize = (uint8_t)model_bits(idr1, 0, 6);
    config->ssidsize = (uint8_t)model_bits(idr1, 6, 5);
    config->ril = reg(iommu, "IDR3") >> 10 & 1;
    config->ds = reg(iommu, "IDR5") >> 7 & 1;
    config->e2h = setting(iommu, "E2H", 0) != 0;
    config->cmdqv = setting(iommu, "CMDQV_GUEST", 0) != 0;
    config->repeat = setting(iommu, "REPEAT_TLBI", 0) != 0;
    /* MMU-700: implementer 0x43b, product 0x487 */
    config->max_batch = (iidr & 0xfff) == 0x43b && iidr >> 20 == 0x487 ? 63 : 0;
}

/* VT-d 11.4.2, 11.4.3. */
static void vtd(struct model_config *config, const struct xinv_iommu *iommu)
{
    uint64_t cap = reg(iommu, "CAP");
    uint64_t ecap = reg(iommu, "ECAP");

    config->vendor = MODEL_VTD;
    config->words = setting(iommu, "queue_width", 128) == 256 ? 4 : 2;
    config->scalable = setting(iommu, "ttm", 0) == 1;
    config->did_bits = (uint8_t)(4 + 2 * model_bits(cap, 0, 3));
    config->rwbf = overridden(iommu, "RWBF", cap >> 4 & 1);
    config->cm = cap >> 7 & 1;
    config->psi = cap >> 39 & 1;
    config->mamv = (uint8_t)model_bits(cap, 48, 6);
    config->dt = ecap >> 2 & 1;
    config->ir = ecap >> 3 & 1;
    config->mhmv = (uint8_t)model_bits(ecap, 20, 4);
    config->pasid_bits = (uint8_t)(model_bits(ecap, 35, 5) + 1);
    config->pasid = ecap >> 40 & 1;
    config->dit = ecap >> 41 & 1;
    config->pds = ecap >> 42 & 1;
    config->smts = ecap >> 43 & 1;
}

/* 48882, 3.1 and 3.4.3. EFR exists only where the capability says so. */
static void amdvi(struct model_config *config, const struct xinv_iommu *iommu)
{
    uint64_t cap = reg(iommu, "CAP");
    uint64_t efr = cap >> 27 & 1 ? reg(iommu, "EFR") : 0;

    config->vendor = MODEL_AMDVI;
    config->words = 2;
    config->iotlbsup = cap >> 24 & 1;
    config->npcache = cap >> 26 & 1;
    config->gtsup = efr >> 4 & 1;
    config->iasup = efr >> 6 & 1;
    config->pasmax = (uint8_t)model_bits(efr, 32, 5);
}

int model_config_of(struct model_config *config, const struct xinv_iommu *iommu)
{
    memset(config, 0, sizeof(*config));
    if (iommu->target)
        return -XINV_E_INVAL; /* the words are for a kernel, not for the hardware */
    if (!strcmp(iommu->vendor->name, "smmuv3"))
        smmuv3(config, iommu);
    else if (!strcmp(iommu->vendor->name, "vtd"))
        vtd(config, iommu);
    else if (!strcmp(iommu->vendor->name, "amdvi"))
        amdvi(config, iommu);
    else
        return -XINV_E_INVAL;
    return 0;
}
