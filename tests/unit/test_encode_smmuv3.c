// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Commands of SMMUv3 against words that were assembled by hand from IHI 0070 chapter 4, and back.
 */
#include "backends/smmuv3/smmuv3.h"
#include "tests/support/encoding.h"

/* CFGI (4.3): SSID 31:12, SID 63:32, Leaf 64, Range 68:64 */
Test(encode, smmuv3_configuration_commands)
{
    static const struct encoding list[] = {
        {XINV_SMMUV3_OP_CFGI_STE, {.rid = 0}, {0x03, 0}},
        {XINV_SMMUV3_OP_CFGI_STE, {.rid = 1, .leaf = 1}, {UINT64_C(0x0000000100000003), 1}},
        {XINV_SMMUV3_OP_CFGI_STE,
         {.rid = UINT32_MAX, .pasid = 0x55555},
         {UINT64_C(0xffffffff00000003), 0}},
        {XINV_SMMUV3_OP_CFGI_ALL, {STRAY, .leaf = 1}, {0x04, 0x1f}},
        {XINV_SMMUV3_OP_CFGI_CD,
         {.rid = 0x100, .pasid = 3, .leaf = 1},
         {UINT64_C(0x0000010000003005), 1}},
        {XINV_SMMUV3_OP_CFGI_CD, {.rid = 0, .pasid = 0xfffff}, {UINT64_C(0x00000000fffff005), 0}},
        {XINV_SMMUV3_OP_CFGI_CD,
         {.rid = UINT32_MAX, .pasid = 1},
         {UINT64_C(0xffffffff00001005), 0}},
        {XINV_SMMUV3_OP_CFGI_CD,
         {.rid = 1, .pasid = 0, .vmid = 0x55},
         {UINT64_C(0x0000000100000005), 0}},
        {XINV_SMMUV3_OP_CFGI_CD_ALL,
         {.rid = 1, .pasid = 0x55555, .leaf = 1},
         {UINT64_C(0x0000000100000006), 0}},
        {XINV_SMMUV3_OP_CFGI_CD_ALL, {.rid = UINT32_MAX}, {UINT64_C(0xffffffff00000006), 0}},
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check(&iommu, list, N(list));
}

/* TLBI (4.4): VMID 47:32, ASID 63:48, address 127:76 */
Test(encode, smmuv3_invalidations_by_tag)
{
    static const struct encoding list[] = {
        {XINV_SMMUV3_OP_TLBI_NH_ALL, {.vmid = 0, .asid = 0x5555}, {0x10, 0}},
        {XINV_SMMUV3_OP_TLBI_NH_ALL, {.vmid = 1}, {UINT64_C(0x0000000100000010), 0}},
        {XINV_SMMUV3_OP_TLBI_NH_ALL, {.vmid = 0xffff}, {UINT64_C(0x0000ffff00000010), 0}},
        {XINV_SMMUV3_OP_TLBI_NH_ASID, {.vmid = 0, .asid = 0}, {0x11, 0}},
        {XINV_SMMUV3_OP_TLBI_NH_ASID,
         {.vmid = 1, .asid = 0xffff},
         {UINT64_C(0xffff000100000011), 0}},
        {XINV_SMMUV3_OP_TLBI_NH_ASID,
         {.vmid = 0xffff, .asid = 1},
         {UINT64_C(0x0001ffff00000011), 0}},
        {XINV_SMMUV3_OP_TLBI_NH_ASID,
         {.vmid = 0x1234, .asid = 0x5678},
         {UINT64_C(0x5678123400000011), 0}},
        {XINV_SMMUV3_OP_TLBI_EL2_ALL, {STRAY}, {0x20, 0}},
        {XINV_SMMUV3_OP_TLBI_EL2_ASID,
         {.asid = 0xffff, .vmid = 0x5555},
         {UINT64_C(0xffff000000000021), 0}},
        {XINV_SMMUV3_OP_TLBI_EL2_ASID, {.asid = 1}, {UINT64_C(0x0001000000000021), 0}},
        {XINV_SMMUV3_OP_TLBI_S12_VMALL,
         {.vmid = 0xffff, .asid = 0x5555},
         {UINT64_C(0x0000ffff00000028), 0}},
        {XINV_SMMUV3_OP_TLBI_S12_VMALL, {.vmid = 0}, {0x28, 0}},
        {XINV_SMMUV3_OP_TLBI_NSNH_ALL, {STRAY}, {0x30, 0}},
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check(&iommu, list, N(list));
}

Test(encode, smmuv3_invalidations_of_one_page)
{
    static const struct encoding list[] = {
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.asid = 5, BLOCK(0x100000, 0)},
         {UINT64_C(0x0005000000000012), 0x100000}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.asid = 5, .leaf = 1, BLOCK(0x1000, 0)},
         {UINT64_C(0x0005000000000012), 0x1001}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.asid = 0xffff, .vmid = 0xffff, BLOCK(UINT64_C(0xfffffffffffff000), 0)},
         {UINT64_C(0xffffffff00000012), UINT64_C(0xfffffffffffff000)}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.vmid = 1, BLOCK(UINT64_C(0xffff800000123000), 0)},
         {UINT64_C(0x0000000100000012), UINT64_C(0xffff800000123000)}},
        /* a granule is no reason for TG where the IOMMU has no ranges */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 16, .log2_leaf = 16, BLOCK(0x10000, 0)},
         {0x12, 0x10001}},
        {XINV_SMMUV3_OP_TLBI_NH_VAA,
         {.vmid = 0xabcd, .asid = 0x5555, BLOCK(0x7000, 0)},
         {UINT64_C(0x0000abcd00000013), 0x7000}},
        {XINV_SMMUV3_OP_TLBI_EL2_VA,
         {.asid = 0xabcd, .vmid = 0x5555, .leaf = 1, BLOCK(0x7000, 0)},
         {UINT64_C(0xabcd000000000022), 0x7001}},
        {XINV_SMMUV3_OP_TLBI_EL2_VAA, {STRAY, BLOCK(0x7000, 0)}, {0x23, 0x7000}},
        /* IPA is 55:12 */
        {XINV_SMMUV3_OP_TLBI_S2_IPA,
         {.vmid = 0xffff, .asid = 0x5555, BLOCK(UINT64_C(0x00fffffffffff000), 0)},
         {UINT64_C(0x0000ffff0000002a), UINT64_C(0x00fffffffffff000)}},
        {XINV_SMMUV3_OP_TLBI_S2_IPA,
         {.vmid = 1, .leaf = 1, BLOCK(0x1000, 0)},
         {UINT64_C(0x000000010000002a), 0x1001}},
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check(&iommu, list, N(list));
}

#define SCALED(address, n, s) .scaled = 1, .block = {.first = (address), .num = (n), .scale = (s)}

/* Ranges (4.4.1.1): NUM 16:12, SCALE 24:20, TTL 73:72, TG 75:74: 1 is 4K, 2 is 16K, 3 is 64K */
Test(encode, smmuv3_ranges_say_their_granule_and_a_level_only_where_it_is_sure)
{
    static const struct encoding list[] = {
        /* only 4 KiB leaves: level 3 */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.asid = 5, .leaf = 1, .log2_granule = 12, .log2_leaf = 12, SCALED(0x100000, 2, 0)},
         {UINT64_C(0x0005000000002012), 0x100701}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.asid = 5, .leaf = 1, .log2_granule = 12, .log2_leaf = 12, SCALED(0x103000, 0, 5)},
         {UINT64_C(0x0005000000500012), 0x103701}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 12, .log2_leaf = 12, SCALED(0, 31, 31)},
         {0x01f1f012, 0x701}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 12, .log2_leaf = 12, SCALED(0x5000, 0, 0)},
         {0x12, 0x5701}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 12, .log2_leaf = 12, SCALED(0, 1, 1)},
         {0x00101012, 0x701}},
        /* larger leaves may be among them: no level */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 12, .log2_leaf = 21, SCALED(0x200000, 0, 9)},
         {0x00900012, 0x200401}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 12, SCALED(0x200000, 0, 9)},
         {0x00900012, 0x200401}},
        /* tables were freed: no level, and every level of them */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.asid = 5, .log2_granule = 12, .log2_leaf = 12, SCALED(0x100000, 1, 0)},
         {UINT64_C(0x0005000000001012), 0x100400}},
        /* one granule without a level: TG with NUM, SCALE and TTL of 0 is reserved */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.log2_granule = 12, .log2_leaf = 12, SCALED(0x100000, 0, 0)},
         {0x12, 0x100000}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 12, .log2_leaf = 21, SCALED(0x200000, 0, 0)},
         {0x12, 0x200001}},
        /* 16K */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 14, .log2_leaf = 14, SCALED(0x4000, 1, 0)},
         {0x1012, 0x4b01}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 14, .log2_leaf = 25, SCALED(0x2000000, 0, 11)},
         {0x00b00012, 0x2000801}},
        {XINV_SMMUV3_OP_TLBI_NH_VA, {.log2_granule = 14, SCALED(0x4000, 0, 0)}, {0x12, 0x4000}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.log2_granule = 14, .log2_leaf = 12, .leaf = 1, SCALED(0x4000, 3, 0)},
         {0x3012, 0x4801}},
        /* 64K */
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.leaf = 1, .log2_granule = 16, .log2_leaf = 16, SCALED(0x10000, 0, 0)},
         {0x12, 0x10f01}},
        {XINV_SMMUV3_OP_TLBI_NH_VA,
         {.log2_granule = 16, .log2_leaf = 29, SCALED(0x20000000, 0, 13)},
         {0x00d00012, 0x20000c00}},
        /* the other forms have the same range */
        {XINV_SMMUV3_OP_TLBI_NH_VAA,
         {.vmid = 1, .log2_granule = 12, SCALED(0x7000, 4, 3)},
         {UINT64_C(0x0000000100304013), 0x7400}},
        {XINV_SMMUV3_OP_TLBI_EL2_VA,
         {.asid = 1, .log2_granule = 14, SCALED(0x8000, 4, 3)},
         {UINT64_C(0x0001000000304022), 0x8800}},
        {XINV_SMMUV3_OP_TLBI_EL2_VAA,
         {.log2_granule = 16, SCALED(0x70000, 4, 3)},
         {0x00304023, 0x70c00}},
        {XINV_SMMUV3_OP_TLBI_S2_IPA,
         {.vmid = 0x59, .leaf = 1, .log2_granule = 12, .log2_leaf = 12, SCALED(0x7000, 30, 30)},
         {UINT64_C(0x0000005901e1e02a), 0x7701}},
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check(&iommu, list, N(list));
}

/* ATC_INV (4.5.1): SSV 11, SSID 31:12, SID 63:32, Size 69:64, address 127:76 */
Test(encode, smmuv3_atc_invalidations)
{
    static const struct encoding list[] = {
        {XINV_SMMUV3_OP_ATC_INV,
         {.rid = 3, .pasid = 0x55555, BLOCK(0x1000, 0)},
         {UINT64_C(0x0000000300000040), 0x1000}},
        {XINV_SMMUV3_OP_ATC_INV,
         {.rid = UINT32_MAX, BLOCK(0x2000, 1)},
         {UINT64_C(0xffffffff00000040), 0x2001}},
        {XINV_SMMUV3_OP_ATC_INV,
         {.rid = 3, BLOCK(UINT64_C(0x700000000), 20)},
         {UINT64_C(0x0000000300000040), UINT64_C(0x700000014)}},
        {XINV_SMMUV3_OP_ATC_INV,
         {.rid = 3, BLOCK(UINT64_C(0x8000000000000000), 51)},
         {UINT64_C(0x0000000300000040), UINT64_C(0x8000000000000033)}},
        {XINV_SMMUV3_OP_ATC_INV,
         {.rid = 0, BLOCK(UINT64_C(0xfffffffffffff000), 0)},
         {0x40, UINT64_C(0xfffffffffffff000)}},
        {XINV_SMMUV3_OP_ATC_INV_ALL,
         {.rid = 0x100, .pasid = 0x55555, BLOCK(0x5000, 3)},
         {UINT64_C(0x0000010000000040), 0x34}},
        {XINV_SMMUV3_OP_ATC_INV_PASID,
         {.rid = 3, .pasid = 5, BLOCK(0, 4)},
         {UINT64_C(0x0000000300005840), 4}},
        {XINV_SMMUV3_OP_ATC_INV_PASID,
         {.rid = 3, .pasid = 0, BLOCK(0x1000, 0)},
         {UINT64_C(0x0000000300000840), 0x1000}},
        {XINV_SMMUV3_OP_ATC_INV_PASID,
         {.rid = 3, .pasid = 0xfffff, BLOCK(0x1000, 0)},
         {UINT64_C(0x00000003fffff840), 0x1000}},
        {XINV_SMMUV3_OP_ATC_INV_PASID_ALL,
         {.rid = 1, .pasid = 1, BLOCK(0x5000, 3)},
         {UINT64_C(0x0000000100001840), 0x34}},
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check(&iommu, list, N(list));
}

/* SYNC (4.7.3): CS 13:12, MSH 23:22, MSIAttr 27:24, MSIData 63:32, MSIAddress 119:66 */
Test(encode, smmuv3_syncs)
{
    static const struct encoding_completion list[] = {
        {{0}, 0, {0x46, 0}},
        {{.fence = 1}, 0, {0x46, 0}},
        {{.interrupt = 1}, 0, {0x1046, 0}},
        {{.store = 1, .address = UINT64_C(0x1200000000)}, 0, {0x0fc01046, UINT64_C(0x1200000000)}},
        {{.store = 1, .address = 4, .data = 1}, 0, {UINT64_C(0x000000010fc01046), 4}},
        {{.store = 1, .address = UINT64_C(0x0000fffffffffffc), .data = UINT32_MAX},
         0,
         {UINT64_C(0xffffffff0fc01046), UINT64_C(0x0000fffffffffffc)}},
        {{.drain = 1}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = 0},
         -XINV_E_INVAL,
         {0, 0}}, /* address 0 would be the wired interrupt */
        {{.store = 1, .address = 0x1002}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = UINT64_C(0x0001000000000000)}, -XINV_E_INVAL, {0, 0}}, /* OAS 5 */
        {{.store = 1, .address = 0x1000, .data = UINT64_C(0x100000000)}, -XINV_E_INVAL, {0, 0}},
    };
    static const struct encoding_completion widest[] = {
        {{.store = 1, .address = UINT64_C(0x00fffffffffffffc)},
         0,
         {0x0fc01046, UINT64_C(0x00fffffffffffffc)}},
        {{.store = 1, .address = UINT64_C(0x0100000000000000)}, -XINV_E_INVAL, {0, 0}},
    };
    static const struct encoding_completion narrowest[] = {
        {{.store = 1, .address = 0xfffffffc}, 0, {0x0fc01046, 0xfffffffc}},
        {{.store = 1, .address = UINT64_C(0x100000000)}, -XINV_E_INVAL, {0, 0}},
    };
    static const struct encoding_completion no_msi[] = {
        {{.store = 1, .address = 0x1000}, -XINV_E_INVAL, {0, 0}},
        {{.interrupt = 1}, 0, {0x1046, 0}},
    };
    static const struct encoding_completion guest_queue[] = {
        {{0}, 0, {0x46, 0}},
        {{.interrupt = 1}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = 0x1000}, -XINV_E_INVAL, {0, 0}},
    };
    static const struct test_setting oas_56[] = {{"OAS", 7}};
    static const struct test_setting oas_32[] = {{"OAS", 0}};
    static const struct test_setting msi_off[] = {{"MSI", 0}};
    static const struct test_setting guest[] = {{"CMDQV_GUEST", 1}};
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check_completions(&iommu, list, N(list));
    encoding_check_fence(&iommu, 0x46);
    iommu = test_iommu_with("arm-smmuv3-ril", oas_56, 1);
    encoding_check_completions(&iommu, widest, N(widest));
    iommu = test_iommu_with("arm-smmuv3-ril", oas_32, 1);
    encoding_check_completions(&iommu, narrowest, N(narrowest));
    iommu = test_iommu_with("arm-smmuv3-ril", msi_off, 1);
    encoding_check_completions(&iommu, no_msi, N(no_msi));
    iommu = test_iommu_with("arm-smmuv3-ril", guest, 1);
    encoding_check_completions(&iommu, guest_queue, N(guest_queue));
}

Test(decode, smmuv3_commands_have_their_fields_by_name)
{
    static const struct encoding_text list[] = {
        {{UINT64_C(0x0000010000000003), 1}, "CFGI_STE SSec=0 SID=100 Leaf=1"},
        {{UINT64_C(0x0000010000000004), 5}, "CFGI_STE_RANGE SSec=0 SID=100 Range=5"},
        {{0x04, 0x1f}, "CFGI_ALL SSec=0 SID=0 Range=1f"},
        {{UINT64_C(0x0000010000003005), 1}, "CFGI_CD SSec=0 SSID=3 SID=100 Leaf=1"},
        {{UINT64_C(0xffffffff00000006), 0}, "CFGI_CD_ALL SSec=0 SID=ffffffff"},
        {{UINT64_C(0x0000ffff00000010), 0}, "TLBI_NH_ALL VMID=ffff"},
        {{UINT64_C(0x5678123400000011), 0}, "TLBI_NH_ASID VMID=1234 ASID=5678"},
        {{UINT64_C(0x0005000000002012), 0x100701},
         "TLBI_NH_VA VMID=0 ASID=5 NUM=2 SCALE=0 Leaf=1 TTL=3 TG=1 Address=100000"},
        {{UINT64_C(0x0000000100304013), UINT64_C(0xffffffffe0000e00)},
         "TLBI_NH_VAA VMID=1 NUM=4 SCALE=3 Leaf=0 TTL=2 TG=3 Address=ffffffffe0000000"},
        {{0x20, 0}, "TLBI_EL2_ALL"},
        {{UINT64_C(0x0001000000000021), 0}, "TLBI_EL2_ASID ASID=1"},
        {{UINT64_C(0x0001000000304022), 0x8800},
         "TLBI_EL2_VA ASID=1 NUM=4 SCALE=3 Leaf=0 TTL=0 TG=2 Address=8000"},
        {{0x23, 0x7000}, "TLBI_EL2_VAA NUM=0 SCALE=0 Leaf=0 TTL=0 TG=0 Address=7000"},
        {{UINT64_C(0x0000ffff00000028), 0}, "TLBI_S12_VMALL VMID=ffff"},
        {{UINT64_C(0x0000005901e1e02a), UINT64_C(0x00fffffffffff701)},
         "TLBI_S2_IPA VMID=59 NUM=1e SCALE=1e Leaf=1 TTL=3 TG=1 Address=fffffffffff000"},
        {{0x30, 0}, "TLBI_NSNH_ALL"},
        {{UINT64_C(0x0000000300005a40), UINT64_C(0x8000000000000033)},
         "ATC_INV Global=1 SSV=1 SSID=5 SID=3 Size=33 Address=8000000000000000"},
        {{UINT64_C(0x000000990fc01046), UINT64_C(0x0000345678900004)},
         "SYNC CS=1 MSH=3 MSIAttr=f MSIData=99 MSIAddr=345678900004"},
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check_texts(&iommu, list, N(list));
}

Test(decode, every_reserved_bit_of_smmuv3_is_refused_and_no_other)
{
    static const struct encoding_mask list[] = {
        {0x03, {0xfffffb00, ~UINT64_C(1)}},
        {0x04, {0xfffffb00, ~UINT64_C(0x1f)}},
        {0x05, {0x00000b00, ~UINT64_C(1)}},
        {0x06, {0xfffffb00, UINT64_MAX}},
        {0x10, {UINT64_C(0xffff0000ffffff00), UINT64_MAX}},
        {0x11, {0xffffff00, UINT64_MAX}},
        /* hi 7 is TTL128, which needs IDR5.D128 */
        {0x12, {0xfe0e0f00, 0x7e}},
        {0x13, {UINT64_C(0xffff0000fe0e0f00), 0x7e}},
        {0x20, {UINT64_C(0xffffffffffffff00), UINT64_MAX}},
        {0x21, {UINT64_C(0x0000ffffffffff00), UINT64_MAX}},
        {0x22, {UINT64_C(0x0000fffffe0e0f00), 0x7e}},
        {0x23, {UINT64_C(0xfffffffffe0e0f00), 0x7e}},
        {0x28, {UINT64_C(0xffff0000ffffff00), UINT64_MAX}},
        {0x2a, {UINT64_C(0xffff0000fe0e0f00), UINT64_C(0xff0000000000007e)}},
        {0x30, {UINT64_C(0xffffffffffffff00), UINT64_MAX}},
        {0x40, {0x00000500, 0xfc0}},
        {0x46, {0xf03fcf00, UINT64_C(0x7f00000000000003)}}, /* hi 63 is MSI_NS of a Realm queue */
    };
    struct xinv_iommu iommu = encoding_smmu();

    encoding_check_masks(&iommu, 0xff, list, N(list));
}
