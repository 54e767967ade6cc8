// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/vectorcaps.h"

#include <string.h>

static unsigned get(const struct xinv_iommu *iommu, const char *name)
{
    int feature = xinv_feature_find(iommu->vendor, name);

    return feature < 0 ? 0 : iommu->feature[feature];
}

enum refdec_vendor vector_refdec_vendor(const struct xinv_iommu *iommu)
{
    if (!strcmp(iommu->vendor->name, "smmuv3"))
        return REFDEC_SMMUV3;
    return !strcmp(iommu->vendor->name, "vtd") ? REFDEC_VTD : REFDEC_AMDVI;
}

struct refdec_caps vector_caps(const struct xinv_iommu *iommu)
{
    struct refdec_caps c;

    memset(&c, 0, sizeof(c));
    c.s1p = get(iommu, "S1P");
    c.s2p = get(iommu, "S2P");
    c.hyp = get(iommu, "Hyp");
    c.ats = get(iommu, "ATS");
    c.pri = get(iommu, "PRI");
    c.asid16 = get(iommu, "ASID16");
    c.vmid16 = get(iommu, "VMID16");
    c.ril = get(iommu, "RIL");
    c.ds = get(iommu, "DS");
    c.d128 = get(iommu, "D128");
    c.msi = get(iommu, "MSI");
    c.sev = get(iommu, "SEV");
    c.sidsize = get(iommu, "SIDSIZE");
    c.ssidsize = get(iommu, "SSIDSIZE");
    c.width = get(iommu, "queue_width");
    c.scalable = get(iommu, "ttm");
    c.psi = get(iommu, "PSI");
    c.dt = get(iommu, "DT");
    c.dit = get(iommu, "DIT");
    c.pds = get(iommu, "PDS");
    c.smts = get(iommu, "SMTS");
    c.ir = get(iommu, "IR");
    c.prs = get(iommu, "PRS");
    c.pasid = get(iommu, "PASID");
    c.mamv = get(iommu, "MAMV");
    c.nd = get(iommu, "ND");
    c.pss = get(iommu, "PSS");
    c.mhmv = get(iommu, "MHMV");
    c.drain = get(iommu, "DWD") || get(iommu, "DRD");
    c.iotlbsup = get(iommu, "IotlbSup");
    c.gtsup = get(iommu, "GTSup");
    c.iasup = get(iommu, "IASup");
    c.prefsup = get(iommu, "PreFSup");
    c.pprsup = get(iommu, "PPRSup");
    c.inviotlbtypesup = get(iommu, "InvIotlbTypeSup");
    c.viommusup = get(iommu, "vIommuSup");
    c.pasmax = get(iommu, "PASmax");
    return c;
}
