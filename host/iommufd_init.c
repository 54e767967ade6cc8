// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <xinv/platforms.h>

#include "host/iommufd.h"

int xinv_iommufd_vtd_init(struct xinv_iommu *iommu, const struct xinv_iommufd_hw_info_vtd *info,
                          uint32_t len)
{
    struct xinv_iommu made;
    uint64_t registers[2];
    int ret;

    if (!iommu || !info || len < sizeof(*info))
        return -XINV_E_INVAL;
    registers[0] = info->cap_reg;
    registers[1] = info->ecap_reg;
    ret = xinv_iommu_init(&made, &xinv_platform_iommufd_vtd_s1, registers, NULL, 0);
    if (ret)
        return ret;
    if (!(made.stages & XINV_STAGE_BIT(XINV_STAGE_NESTED)))
        return -XINV_E_UNSUPP;
    *iommu = made;
    return 0;
}

/* Bits of the ID registers that struct iommu_hw_info_arm_smmuv3 lets a user look at. */
#define IDR0_USABLE                                                           \
    (UINT64_C(3) << 27 /* ST_LEVEL */ | UINT64_C(1) << 26 /* TERM_MODEL */ |  \
     UINT64_C(3) << 24 /* STALL_MODEL */ | UINT64_C(3) << 21 /* TTENDIAN */ | \
     UINT64_C(1) << 19 /* CD2L */ | UINT64_C(1) << 12 /* ASID16 */ | UINT64_C(3) << 2 /* TTF */)
#define IDR1_USABLE (UINT64_C(0x1f) << 6 /* SSIDSIZE */ | UINT64_C(0x3f) /* SIDSIZE */)
#define IDR3_USABLE (UINT64_C(3) << 11 /* BBML */ | UINT64_C(1) << 10 /* RIL */)
#define IDR5_USABLE                                                 \
    (UINT64_C(3) << 10 /* VAX */ | UINT64_C(1) << 6 /* GRAN64K */ | \
     UINT64_C(1) << 5 /* GRAN16K */ | UINT64_C(1) << 4 /* GRAN4K */)

/* The usable bits of a register as the kernel has them, the others as the platform does. */
static uint64_t joined(uint64_t own, uint32_t told, uint64_t usable)
{
    return (own & ~usable) | (told & usable);
}

int xinv_iommufd_smmuv3_init(struct xinv_iommu *iommu,
                             const struct xinv_iommufd_hw_info_arm_smmuv3 *info, uint32_t len)
{
    const uint64_t *own = xinv_platform_iommufd_arm_smmuv3.registers;
    uint64_t registers[6];

    if (!iommu || !info || len < sizeof(*info))
        return -XINV_E_INVAL;
    registers[0] = joined(own[0], info->idr[0], IDR0_USABLE);
    registers[1] = joined(own[1], info->idr[1], IDR1_USABLE);
    registers[2] = joined(own[2], info->idr[3], IDR3_USABLE);
    registers[3] = joined(own[3], info->idr[5], IDR5_USABLE);
    registers[4] = own[4]; /* IIDR and AIDR are told, but are not on the list */
    registers[5] = own[5];
    return xinv_iommu_init(iommu, &xinv_platform_iommufd_arm_smmuv3, registers, NULL, 0);
}

int xinv_iommufd_amd_init(struct xinv_iommu *iommu, const struct xinv_iommufd_hw_info_amd *info,
                          uint32_t len)
{
    if (!iommu || !info || len < sizeof(*info))
        return -XINV_E_INVAL;
    return xinv_iommu_init(iommu, &xinv_platform_iommufd_amd, NULL, NULL, 0);
}
