// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* IOMMUs from what IOMMU_GET_HW_INFO says of the physical ones. */
#include <criterion/criterion.h>

#include <xinv/iommufd.h>

static uint16_t feature(const struct xinv_iommu *iommu, const char *name)
{
    int f = xinv_feature_find(iommu->vendor, name);

    cr_assert_geq(f, 0, "%s", name);
    return iommu->feature[f];
}

/* ---- VT-d ---- */

static const struct xinv_iommufd_hw_info_vtd spr = {.cap_reg = 0x19ed008c40780c66,
                                                    .ecap_reg = 0x3ef9e86f050df};

Test(iommufd_init, a_unit_with_nested_translation_takes_entries_of_24_bytes)
{
    struct xinv_iommu iommu;

    cr_assert_eq(xinv_iommufd_vtd_init(&iommu, &spr, sizeof(spr)), 0);
    cr_assert_str_eq(iommu.platform->name, "iommufd-vtd-s1");
    cr_assert_eq(iommu.words, 3);
    cr_assert_eq(iommu.stages, XINV_STAGE_BIT(XINV_STAGE_NESTED));
    cr_assert_eq(iommu.tag_bits[XINV_TAG_DID], 32);
}

Test(iommufd_init, a_unit_without_nested_translation_takes_none)
{
    struct xinv_iommufd_hw_info_vtd info = spr;
    struct xinv_iommu iommu = {.words = 77};

    info.ecap_reg &= ~(UINT64_C(1) << 26); /* NEST */
    cr_assert_eq(xinv_iommufd_vtd_init(&iommu, &info, sizeof(info)), -XINV_E_UNSUPP);
    info = spr;
    info.ecap_reg &= ~(UINT64_C(1) << 43); /* SMTS */
    cr_assert_eq(xinv_iommufd_vtd_init(&iommu, &info, sizeof(info)), -XINV_E_UNSUPP);
    cr_assert_eq(iommu.words, 77);
}

/* ---- SMMUv3 ---- */

/* ID registers of a part with everything that is on the list, and nothing else. */
static struct xinv_iommufd_hw_info_arm_smmuv3 smmu(void)
{
    struct xinv_iommufd_hw_info_arm_smmuv3 info = {0};

    info.idr[0] = 1u << 27 | 1u << 19 | 1u << 12 | 2u << 2; /* ST_LEVEL CD2L ASID16 TTF */
    info.idr[1] = 20u << 6 | 24u;                           /* SSIDSIZE SIDSIZE */
    info.idr[3] = 1u << 10;                                 /* RIL */
    info.idr[5] = 1u << 6 | 1u << 4;                        /* GRAN64K GRAN4K */
    return info;
}

Test(iommufd_init, registers_of_an_smmu_decide_where_users_may_look)
{
    struct xinv_iommufd_hw_info_arm_smmuv3 info = smmu();
    struct xinv_iommu iommu;

    cr_assert_eq(xinv_iommufd_smmuv3_init(&iommu, &info, sizeof(info)), 0);
    cr_assert_str_eq(iommu.platform->name, "iommufd-arm-smmuv3");
    cr_assert_eq(feature(&iommu, "RIL"), 1);
    cr_assert_eq(iommu.tag_bits[XINV_TAG_ASID], 16);
    cr_assert_eq(iommu.tag_bits[XINV_TAG_RID], 24);
    cr_assert_eq(iommu.tag_bits[XINV_TAG_PASID], 20);
    cr_assert_eq(feature(&iommu, "GRAN64K"), 1);
    cr_assert_eq(feature(&iommu, "GRAN16K"), 0);
    cr_assert_eq(feature(&iommu, "GRAN4K"), 1);
    info.idr[0] &= ~(1u << 12);
    info.idr[1] = 16;
    info.idr[3] = 0;
    cr_assert_eq(xinv_iommufd_smmuv3_init(&iommu, &info, sizeof(info)), 0);
    cr_assert_eq(feature(&iommu, "RIL"), 0);
    cr_assert_eq(iommu.tag_bits[XINV_TAG_ASID], 8);
    cr_assert_eq(iommu.tag_bits[XINV_TAG_RID], 16);
    cr_assert_eq(iommu.tag_bits[XINV_TAG_PASID], 0);
}

/* Neither can the kernel's answer take away what a vIOMMU stands for, nor add what is not a user's.
 */
Test(iommufd_init, bits_that_users_may_not_look_at_change_nothing)
{
    static const struct {
        uint8_t idr;
        uint32_t usable; /* linux/iommufd.h, struct iommu_hw_info_arm_smmuv3 */
    } words[] = {
        {0, 3u << 27 | 1u << 26 | 3u << 24 | 3u << 21 | 1u << 19 | 1u << 12 | 3u << 2},
        {1, 0x1fu << 6 | 0x3f},
        {2, 0},
        {3, 3u << 11 | 1u << 10},
        {4, 0},
        {5, 3u << 10 | 1u << 6 | 1u << 5 | 1u << 4},
    };
    struct xinv_iommufd_hw_info_arm_smmuv3 info = smmu();
    struct xinv_iommu expect;
    struct xinv_iommu got;

    memset(&expect, 0, sizeof(expect));
    cr_assert_eq(xinv_iommufd_smmuv3_init(&expect, &info, sizeof(info)), 0);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        info = smmu();
        info.idr[words[i].idr] ^= ~words[i].usable;
        info.iidr = 0x4870043b; /* of a part that cannot nest */
        info.aidr = 0xff;
        memset(&got, 0, sizeof(got));
        cr_assert_eq(xinv_iommufd_smmuv3_init(&got, &info, sizeof(info)), 0);
        cr_assert_arr_eq(got.feature, expect.feature, sizeof(got.feature), "IDR%u", words[i].idr);
        cr_assert_eq(got.commands, expect.commands, "IDR%u", words[i].idr);
    }
}

Test(iommufd_init, every_bit_that_users_may_look_at_is_looked_at)
{
    static const struct {
        uint8_t idr, bit;
        const char *name;
    } bits[] = {{0, 12, "ASID16"}, {0, 24, "STALL_MODEL"}, {1, 0, "SIDSIZE"}, {1, 6, "SSIDSIZE"},
                {3, 10, "RIL"},    {5, 4, "GRAN4K"},       {5, 5, "GRAN16K"}, {5, 6, "GRAN64K"}};

    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        struct xinv_iommufd_hw_info_arm_smmuv3 info = smmu();
        struct xinv_iommu with;
        struct xinv_iommu without;

        info.idr[bits[i].idr] |= 1u << bits[i].bit;
        cr_assert_eq(xinv_iommufd_smmuv3_init(&with, &info, sizeof(info)), 0);
        info.idr[bits[i].idr] &= ~(1u << bits[i].bit);
        cr_assert_eq(xinv_iommufd_smmuv3_init(&without, &info, sizeof(info)), 0);
        cr_assert_eq(feature(&with, bits[i].name) ^ feature(&without, bits[i].name), 1, "%s",
                     bits[i].name);
    }
}

/* ---- All ---- */

Test(iommufd_init, amd_is_a_named_error)
{
    struct xinv_iommufd_hw_info_amd info = {.efr = 0x29d3};
    struct xinv_iommu iommu = {.words = 77};

    cr_assert_eq(xinv_iommufd_amd_init(&iommu, &info, sizeof(info)), -XINV_E_NOFORM);
    cr_assert_eq(iommu.words, 77);
}

Test(iommufd_init, data_that_is_not_there_is_not_read)
{
    struct xinv_iommufd_hw_info_arm_smmuv3 arm = smmu();
    struct xinv_iommufd_hw_info_amd amd = {0};
    struct xinv_iommu iommu = {.words = 77};

    cr_assert_eq(xinv_iommufd_vtd_init(&iommu, &spr, sizeof(spr) - 1), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_vtd_init(&iommu, NULL, sizeof(spr)), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_vtd_init(NULL, &spr, sizeof(spr)), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_smmuv3_init(&iommu, &arm, sizeof(arm) - 1), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_smmuv3_init(&iommu, NULL, sizeof(arm)), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_smmuv3_init(NULL, &arm, sizeof(arm)), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_amd_init(&iommu, &amd, sizeof(amd) - 1), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_amd_init(&iommu, NULL, sizeof(amd)), -XINV_E_INVAL);
    cr_assert_eq(iommu.words, 77);
    /* a kernel that knows more is fine */
    cr_assert_eq(xinv_iommufd_vtd_init(&iommu, &spr, sizeof(spr) + 8), 0);
}
