// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Every form of command of every backend against words that were assembled by hand from the
 * specifications' field tables, and back: the decoder's fields, its refusals, and a second decoder
 * that shares nothing with it.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/amdvi/amdvi.h"
#include "backends/smmuv3/smmuv3.h"
#include "backends/vtd/vtd.h"
#include "tests/support/refdec.h"
#include "tests/support/vectorcaps.h"

#define N(x)   (sizeof(x) / sizeof((x)[0]))
#define POISON UINT64_C(0xa5a5a5a5a5a5a5a5)

struct setting {
    const char *name;
    uint16_t value;
};

static struct xinv_iommu iommu_with(const char *platform, const struct setting *settings,
                                    unsigned n)
{
    const struct xinv_platform *p = xinv_platform_find(platform);
    struct xinv_setting set[8];
    struct xinv_iommu iommu;

    cr_assert_not_null(p, "%s", platform);
    for (unsigned i = 0; i < n; i++) {
        int f = xinv_feature_find(p->vendor, settings[i].name);

        cr_assert_geq(f, 0, "%s", settings[i].name);
        set[i] = (struct xinv_setting){(uint8_t)f, settings[i].value};
    }
    cr_assert_eq(xinv_iommu_init(&iommu, p, NULL, set, n), 0);
    return iommu;
}

static struct xinv_iommu smmu(void)
{
    static const struct setting set[] = {{"Hyp", 1}, {"E2H", 1}, {"SIDSIZE", 32}, {"SSIDSIZE", 20}};

    return iommu_with("arm-smmuv3-ril", set, N(set));
}

static struct xinv_iommu vtd_legacy(void)
{
    return iommu_with("intel-vtd-legacy", NULL, 0);
}

static struct xinv_iommu vtd_scalable(uint16_t dit)
{
    const struct setting set[] = {{"DIT", dit}, {"PDS", 1}, {"DT", 1}};

    return iommu_with("intel-vtd-scalable", set, N(set));
}

static struct xinv_iommu amd(void)
{
    static const struct setting set[] = {{"PASmax", 19}};

    return iommu_with("amd-vi-generic", set, N(set));
}

/* ---- Words ---- */

struct encoding {
    uint8_t op;
    struct xinv_operands o;
    uint64_t w[2];
};

static const struct xinv_attachment no_depth = {.queue_depth = 0};

static void check(const struct xinv_iommu *iommu, const struct encoding *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {POISON, POISON, POISON, POISON};
        struct xinv_operands o = list[i].o;

        if (!o.at)
            o.at = &no_depth;
        iommu->vendor->backend->encode(iommu, list[i].op, &o, w);
        cr_expect(w[0] == list[i].w[0] && w[1] == list[i].w[1],
                  "%s, line %zu: %016" PRIx64 " %016" PRIx64 " instead of %016" PRIx64
                  " %016" PRIx64,
                  iommu->vendor->backend->op_names[list[i].op], i, w[0], w[1], list[i].w[0],
                  list[i].w[1]);
        for (unsigned k = 2; k < XINV_COMMAND_WORDS; k++)
            cr_expect_eq(w[k], iommu->words == 4 ? 0 : POISON, "%s, line %zu, word %u",
                         iommu->vendor->backend->op_names[list[i].op], i, k);
    }
}

/* A stray operand, which a form that does not carry it must not let through. */
#define STRAY                .rid = 0x5555, .pasid = 0x55555, .asid = 0x5555, .did = 0x5555, .vmid = 0x5555
#define BLOCK(address, log2) .block = {.first = (address), .order = (log2)}

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
    struct xinv_iommu iommu = smmu();

    check(&iommu, list, N(list));
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
    struct xinv_iommu iommu = smmu();

    check(&iommu, list, N(list));
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
    struct xinv_iommu iommu = smmu();

    check(&iommu, list, N(list));
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
    struct xinv_iommu iommu = smmu();

    check(&iommu, list, N(list));
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
    struct xinv_iommu iommu = smmu();

    check(&iommu, list, N(list));
}

/* cc (6.5.2.1): G 5:4, DID 31:16, SID 47:32; pc (6.5.2.2): G 5:4, DID 31:16, PASID 51:32; iec
 * (6.5.2.7): G 4 */
static const struct encoding vtd_config[] = {
    {XINV_VTD_OP_CC_DEVICE,
     {.did = 0x1234, .rid = 0x0310, .pasid = 0x55555},
     {UINT64_C(0x0000031012340031), 0}},
    {XINV_VTD_OP_CC_DEVICE, {.did = 0, .rid = 0xffff}, {UINT64_C(0x0000ffff00000031), 0}},
    {XINV_VTD_OP_CC_DEVICE, {.did = 0xffff, .rid = 0}, {0xffff0031, 0}},
    {XINV_VTD_OP_CC_DOMAIN, {.did = 1, .rid = 0x5555}, {0x00010021, 0}},
    {XINV_VTD_OP_CC_DOMAIN, {.did = 0xffff}, {0xffff0021, 0}},
    {XINV_VTD_OP_CC_GLOBAL, {STRAY}, {0x11, 0}},
    {XINV_VTD_OP_IEC_GLOBAL, {STRAY}, {0x04, 0}},
};

static const struct encoding vtd_pc[] = {
    {XINV_VTD_OP_PC_DOMAIN, {.did = 0x1234, .pasid = 0x55555}, {0x12340007, 0}},
    {XINV_VTD_OP_PC_DOMAIN, {.did = 0xffff}, {0xffff0007, 0}},
    {XINV_VTD_OP_PC_PASID,
     {.did = 0x1234, .pasid = 5, .rid = 0x5555},
     {UINT64_C(0x0000000512340017), 0}},
    {XINV_VTD_OP_PC_PASID, {.did = 1, .pasid = 0xfffff}, {UINT64_C(0x000fffff00010017), 0}},
    {XINV_VTD_OP_PC_PASID, {.did = 0, .pasid = 0}, {0x17, 0}},
    {XINV_VTD_OP_PC_GLOBAL, {STRAY}, {0x37, 0}},
};

Test(encode, vtd_configuration_descriptors_of_both_widths)
{
    struct xinv_iommu narrow = vtd_legacy();
    struct xinv_iommu wide = vtd_scalable(0);

    check(&narrow, vtd_config, N(vtd_config));
    check(&wide, vtd_config, N(vtd_config));
    check(&wide, vtd_pc, N(vtd_pc));
}

/* iotlb (6.5.2.3): G 5:4, DW 6, DR 7, DID 31:16; AM 5:0 and IH 6 of qw1 */
Test(encode, vtd_iotlb_descriptors)
{
    static const struct encoding list[] = {
        {XINV_VTD_OP_IOTLB_GLOBAL, {STRAY, .leaf = 1, BLOCK(0x5000, 3)}, {0xd2, 0}},
        {XINV_VTD_OP_IOTLB_DOMAIN, {.did = 0x47, .leaf = 1, BLOCK(0x5000, 3)}, {0x4700e2, 0}},
        {XINV_VTD_OP_IOTLB_DOMAIN, {.did = 0xffff}, {0xffff00e2, 0}},
        {XINV_VTD_OP_IOTLB_PAGE, {.did = 0, BLOCK(0x1000, 0)}, {0xf2, 0x1000}},
        {XINV_VTD_OP_IOTLB_PAGE, {.did = 1, .leaf = 1, BLOCK(0x2000, 1)}, {0x100f2, 0x2041}},
        {XINV_VTD_OP_IOTLB_PAGE,
         {.did = 0xffff, .pasid = 0x55555, BLOCK(UINT64_C(0xfffffffffffff000), 0)},
         {0xffff00f2, UINT64_C(0xfffffffffffff000)}},
        {XINV_VTD_OP_IOTLB_PAGE,
         {.did = 1, BLOCK(UINT64_C(0x40000000), 18)},
         {0x100f2, 0x40000012}},
        {XINV_VTD_OP_IOTLB_PAGE, {.did = 1, BLOCK(0, 45)}, {0x100f2, 0x2d}},
    };
    static const struct setting none[] = {{"DWD", 0}, {"DRD", 0}};
    static const struct setting writes[] = {{"DWD", 1}, {"DRD", 0}};
    static const struct encoding undrained[] = {
        {XINV_VTD_OP_IOTLB_DOMAIN, {.did = 1}, {0x10022, 0}}};
    static const struct encoding write_drained[] = {
        {XINV_VTD_OP_IOTLB_DOMAIN, {.did = 1}, {0x10062, 0}}};
    struct xinv_iommu iommu = vtd_legacy();

    check(&iommu, list, N(list));
    iommu = iommu_with("intel-vtd-legacy", none, N(none));
    check(&iommu, undrained, N(undrained));
    iommu = iommu_with("intel-vtd-legacy", writes, N(writes));
    check(&iommu, write_drained, N(write_drained));
}

/* p_iotlb (6.5.2.4): G 5:4, DID 31:16, PASID 51:32; bits 7:6 are reserved */
Test(encode, vtd_pasid_iotlb_descriptors)
{
    static const struct encoding list[] = {
        {XINV_VTD_OP_P_IOTLB_PASID,
         {.did = 1, .pasid = 0xfffff, .leaf = 1, BLOCK(0x5000, 3)},
         {UINT64_C(0x000fffff00010026), 0}},
        {XINV_VTD_OP_P_IOTLB_PASID, {.did = 0xffff, .pasid = 0}, {0xffff0026, 0}},
        {XINV_VTD_OP_P_IOTLB_PAGE,
         {.did = 0x47, .pasid = 5, BLOCK(0x1000, 0)},
         {UINT64_C(0x0000000500470036), 0x1000}},
        {XINV_VTD_OP_P_IOTLB_PAGE,
         {.did = 0x47, .pasid = 1, .leaf = 1, BLOCK(0x200000, 9)},
         {UINT64_C(0x0000000100470036), 0x200049}},
        {XINV_VTD_OP_P_IOTLB_PAGE,
         {.did = 0xffff, .pasid = 0xfffff, BLOCK(UINT64_C(0x8000000000000000), 51)},
         {UINT64_C(0x000fffffffff0036), UINT64_C(0x8000000000000033)}},
    };
    struct xinv_iommu iommu = vtd_scalable(0);

    check(&iommu, list, N(list));
}

static const struct xinv_attachment depth_1 = {.queue_depth = 1, .pfsid = 0x1234};
static const struct xinv_attachment depth_16 = {.queue_depth = 16, .pfsid = 0xffff};
static const struct xinv_attachment depth_31 = {.queue_depth = 31, .pfsid = 1};
static const struct xinv_attachment depth_32 = {.queue_depth = 32, .pfsid = 0x10};

/* dev_tlb (6.5.2.5): PFSID 15:12 and 63:52, MIP 20:16, SID 47:32; S 0 of qw1, the size in the
 * address's low ones */
Test(encode, vtd_device_tlb_descriptors)
{
    static const struct encoding list[] = {
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0x0310, BLOCK(0x1000, 0)},
         {UINT64_C(0x0000031000000003), 0x1000}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0xffff, .at = &depth_1, BLOCK(0x2000, 1)},
         {UINT64_C(0x0000ffff00010003), 0x2001}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0, .at = &depth_16, BLOCK(0x4000, 2)},
         {0x00100003, 0x5001}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 1, .at = &depth_31, BLOCK(0x8000, 3)},
         {UINT64_C(0x00000001001f0003), 0xb001}},
        /* a depth of 32 is 0 */
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 1, .at = &depth_32, BLOCK(0x200000, 9)},
         {UINT64_C(0x0000000100000003), 0x2ff001}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 1, BLOCK(UINT64_C(0x100000000), 20)},
         {UINT64_C(0x0000000100000003), UINT64_C(0x17ffff001)}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 1, BLOCK(0, 51)},
         {UINT64_C(0x0000000100000003), UINT64_C(0x3ffffffffffff001)}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 1, BLOCK(UINT64_C(0x8000000000000000), 51)},
         {UINT64_C(0x0000000100000003), UINT64_C(0xbffffffffffff001)}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 1, BLOCK(UINT64_C(0xffffffffffffe000), 1)},
         {UINT64_C(0x0000000100000003), UINT64_C(0xffffffffffffe001)}},
        /* every address is not every one */
        {XINV_VTD_OP_DEV_TLB_ALL,
         {.rid = 0x0310, .pasid = 0x55555, BLOCK(0x5000, 3)},
         {UINT64_C(0x0000031000000003), UINT64_C(0x7ffffffffffff001)}},
    };
    static const struct encoding pfsid[] = {
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0x0310, BLOCK(0x1000, 0)},
         {UINT64_C(0x0000031000000003), 0x1000}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0x0310, .at = &depth_1, BLOCK(0x1000, 0)},
         {UINT64_C(0x1230031000014003), 0x1000}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0x0310, .at = &depth_16, BLOCK(0x1000, 0)},
         {UINT64_C(0xfff003100010f003), 0x1000}},
        {XINV_VTD_OP_DEV_TLB_PAGE,
         {.rid = 0x0310, .at = &depth_31, BLOCK(0x1000, 0)},
         {UINT64_C(0x00000310001f1003), 0x1000}},
        {XINV_VTD_OP_DEV_TLB_ALL,
         {.rid = 0x0310, .at = &depth_32},
         {UINT64_C(0x0010031000000003), UINT64_C(0x7ffffffffffff001)}},
    };
    struct xinv_iommu iommu = vtd_legacy();

    check(&iommu, list, N(list));
    iommu = vtd_scalable(1);
    check(&iommu, pfsid, N(pfsid));
}

/* p_dev_tlb (6.5.2.6): MIP 8:4, PFSID 15:12 and 63:52, SID 31:16, PASID 51:32; G 0 and S 11 of qw1
 */
Test(encode, vtd_pasid_device_tlb_descriptors)
{
    static const struct encoding list[] = {
        {XINV_VTD_OP_P_DEV_TLB_PAGE,
         {.rid = 0x0310, .pasid = 5, .at = &depth_16, BLOCK(0x1000, 0)},
         {UINT64_C(0x0000000503100108), 0x1000}},
        {XINV_VTD_OP_P_DEV_TLB_PAGE,
         {.rid = 0xffff, .pasid = 0xfffff, BLOCK(0x2000, 1)},
         {UINT64_C(0x000fffffffff0008), 0x2800}},
        {XINV_VTD_OP_P_DEV_TLB_PAGE,
         {.rid = 1, .pasid = 0, .at = &depth_31, BLOCK(0x200000, 9)},
         {0x000101f8, 0x2ff800}},
        {XINV_VTD_OP_P_DEV_TLB_PAGE,
         {.rid = 1, .pasid = 1, .at = &depth_32, BLOCK(0, 51)},
         {UINT64_C(0x0000000100010008), UINT64_C(0x3ffffffffffff800)}},
        {XINV_VTD_OP_P_DEV_TLB_PAGE,
         {.rid = 1, .pasid = 1, .at = &depth_1, BLOCK(UINT64_C(0x100000000), 20)},
         {UINT64_C(0x0000000100010018), UINT64_C(0x17ffff800)}},
        {XINV_VTD_OP_P_DEV_TLB_ALL,
         {.rid = 0x0310, .pasid = 5, BLOCK(0x5000, 3)},
         {UINT64_C(0x0000000503100008), UINT64_C(0x7ffffffffffff800)}},
        {XINV_VTD_OP_P_DEV_TLB_ALL_PASIDS,
         {.rid = 0x0310, .pasid = 5},
         {0x03100008, UINT64_C(0x7ffffffffffff801)}},
    };
    static const struct encoding pfsid[] = {
        {XINV_VTD_OP_P_DEV_TLB_PAGE,
         {.rid = 0x0310, .pasid = 5, .at = &depth_1, BLOCK(0x1000, 0)},
         {UINT64_C(0x1230000503104018), 0x1000}},
        {XINV_VTD_OP_P_DEV_TLB_ALL,
         {.rid = 0x0310, .pasid = 5, .at = &depth_16},
         {UINT64_C(0xfff000050310f108), UINT64_C(0x7ffffffffffff800)}},
    };
    struct xinv_iommu iommu = vtd_scalable(0);

    check(&iommu, list, N(list));
    iommu = vtd_scalable(1);
    check(&iommu, pfsid, N(pfsid));
}

/* 2.4.2, 2.4.5, 2.4.8 */
Test(encode, amd_commands_without_an_address)
{
    static const struct encoding list[] = {
        {XINV_AMDVI_OP_DEVTAB_ENTRY,
         {.rid = 0x03e6, .did = 0x5555},
         {UINT64_C(0x20000000000003e6), 0}},
        {XINV_AMDVI_OP_DEVTAB_ENTRY, {.rid = 0}, {UINT64_C(0x2000000000000000), 0}},
        {XINV_AMDVI_OP_DEVTAB_ENTRY, {.rid = 0xffff}, {UINT64_C(0x200000000000ffff), 0}},
        {XINV_AMDVI_OP_INTERRUPT_TABLE,
         {.rid = 0x6475, .pasid = 0x55555},
         {UINT64_C(0x5000000000006475), 0}},
        {XINV_AMDVI_OP_INTERRUPT_TABLE, {.rid = 0xffff}, {UINT64_C(0x500000000000ffff), 0}},
        {XINV_AMDVI_OP_IOMMU_ALL, {STRAY}, {UINT64_C(0x8000000000000000), 0}},
    };
    struct xinv_iommu iommu = amd();

    check(&iommu, list, N(list));
}

/* 2.4.3: PASID 19:0, DomainID 47:32; S 64, PDE 65, GN 66, address 127:76 */
Test(encode, amd_page_invalidations)
{
    static const struct encoding list[] = {
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 0x55, .pasid = 0x55555, BLOCK(0x5000, 0)},
         {UINT64_C(0x3000005500000000), 0x5002}},
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 1, .leaf = 1, BLOCK(0x1000, 0)},
         {UINT64_C(0x3000000100000000), 0x1000}},
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 0xffff, BLOCK(0x2000, 1)},
         {UINT64_C(0x3000ffff00000000), 0x2003}},
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 0x29c9, BLOCK(UINT64_C(0x7dd578000), 3)},
         {UINT64_C(0x300029c900000000), UINT64_C(0x7dd57b003)}},
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 0, BLOCK(0x200000, 9)},
         {UINT64_C(0x3000000000000000), 0x2ff003}},
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 1, .leaf = 1, BLOCK(0, 40)},
         {UINT64_C(0x3000000100000000), UINT64_C(0x0007fffffffff001)}},
        {XINV_AMDVI_OP_PAGES_HOST,
         {.did = 1, BLOCK(UINT64_C(0xfff0000000000000), 40)},
         {UINT64_C(0x3000000100000000), UINT64_C(0xfff7fffffffff003)}},
        {XINV_AMDVI_OP_PAGES_HOST_ALL,
         {.did = 0x55, .pasid = 0x55555, BLOCK(0x5000, 3)},
         {UINT64_C(0x3000005500000000), UINT64_C(0x7ffffffffffff003)}},
        {XINV_AMDVI_OP_PAGES_GUEST,
         {.did = 3, .pasid = 0x80, BLOCK(0x5000, 0)},
         {UINT64_C(0x3000000300000080), 0x5006}},
        {XINV_AMDVI_OP_PAGES_GUEST,
         {.did = 0xffff, .pasid = 0xfffff, .leaf = 1, BLOCK(0x4000, 2)},
         {UINT64_C(0x3000ffff000fffff), 0x5005}},
        {XINV_AMDVI_OP_PAGES_GUEST,
         {.did = 1, .pasid = 1, BLOCK(UINT64_C(0xfffffffffffff000), 0)},
         {UINT64_C(0x3000000100000001), UINT64_C(0xfffffffffffff006)}},
        {XINV_AMDVI_OP_PAGES_GUEST_ALL,
         {.did = 2, .pasid = 0},
         {UINT64_C(0x3000000200000000), UINT64_C(0x7ffffffffffff007)}},
        {XINV_AMDVI_OP_PAGES_GUEST_ALL,
         {.did = 2, .pasid = 0xfffff},
         {UINT64_C(0x30000002000fffff), UINT64_C(0x7ffffffffffff007)}},
    };
    struct xinv_iommu iommu = amd();

    check(&iommu, list, N(list));
}

static const struct xinv_attachment depth_8 = {.queue_depth = 8};
static const struct xinv_attachment queue_ffff = {.queue_depth = 255, .queue_id = 0xffff};
static const struct xinv_attachment queue_1 = {.queue_depth = 1, .queue_id = 1};

/* 2.4.4: DeviceID 15:0, PASID[15:8] 23:16, MaxPend 31:24, QueueID 47:32, PASID[7:0] 55:48,
 * PASID[19:16] 59:56; S 64, GN 66 */
Test(encode, amd_iotlb_invalidations)
{
    static const struct encoding list[] = {
        {XINV_AMDVI_OP_IOTLB_ALL,
         {.rid = 0x03e6, .at = &depth_8, .pasid = 0x55555, BLOCK(0x5000, 3)},
         {UINT64_C(0x400003e6080003e6), UINT64_C(0x7ffffffffffff001)}},
        {XINV_AMDVI_OP_IOTLB,
         {.rid = 0x03e6, .at = &depth_8, .leaf = 1, BLOCK(0x5000, 0)},
         {UINT64_C(0x400003e6080003e6), 0x5000}},
        {XINV_AMDVI_OP_IOTLB,
         {.rid = 0xffff, .at = &queue_1, BLOCK(0x2000, 1)},
         {UINT64_C(0x400000010100ffff), 0x2001}},
        {XINV_AMDVI_OP_IOTLB,
         {.rid = 0x100, .at = &queue_ffff, BLOCK(0x4000, 2)},
         {UINT64_C(0x4000ffffff000100), 0x5001}},
        /* a depth of 0 is 32, and a queue of its own is the device's */
        {XINV_AMDVI_OP_IOTLB,
         {.rid = 0x100, BLOCK(0, 40)},
         {UINT64_C(0x4000010020000100), UINT64_C(0x0007fffffffff001)}},
        {XINV_AMDVI_OP_IOTLB_PASID,
         {.rid = 0x019a, .at = &depth_1, .pasid = 0x920e, BLOCK(UINT64_C(0x7d18d2300000), 8)},
         {UINT64_C(0x400e019a0192019a), UINT64_C(0x7d18d237f005)}},
        {XINV_AMDVI_OP_IOTLB_PASID,
         {.rid = 0x100, .at = &depth_1, .pasid = 0, BLOCK(0x1000, 0)},
         {UINT64_C(0x4000010001000100), 0x1004}},
        {XINV_AMDVI_OP_IOTLB_PASID,
         {.rid = 0x100, .at = &depth_1, .pasid = 0x00001, BLOCK(0x1000, 0)},
         {UINT64_C(0x4001010001000100), 0x1004}},
        {XINV_AMDVI_OP_IOTLB_PASID,
         {.rid = 0x100, .at = &depth_1, .pasid = 0x00100, BLOCK(0x1000, 0)},
         {UINT64_C(0x4000010001010100), 0x1004}},
        {XINV_AMDVI_OP_IOTLB_PASID,
         {.rid = 0x100, .at = &depth_1, .pasid = 0x10000, BLOCK(0x1000, 0)},
         {UINT64_C(0x4100010001000100), 0x1004}},
        {XINV_AMDVI_OP_IOTLB_PASID,
         {.rid = 0x100, .at = &depth_1, .pasid = 0xfffff, BLOCK(0x1000, 0)},
         {UINT64_C(0x4fff010001ff0100), 0x1004}},
        {XINV_AMDVI_OP_IOTLB_PASID_ALL,
         {.rid = 0x100, .at = &depth_1, .pasid = 0x51423, BLOCK(0x5000, 3)},
         {UINT64_C(0x4523010001140100), UINT64_C(0x7ffffffffffff005)}},
    };
    struct xinv_iommu iommu = amd();

    check(&iommu, list, N(list));
}

/* ---- Syncs ---- */

struct completion_case {
    struct xinv_completion c;
    int ret;
    uint64_t w[2];
};

static void check_completions(const struct xinv_iommu *iommu, const struct completion_case *list,
                              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {POISON, POISON, POISON, POISON};

        cr_expect_eq(iommu->vendor->backend->complete(iommu, &list[i].c, w), list[i].ret,
                     "line %zu", i);
        if (list[i].ret)
            continue;
        cr_expect(w[0] == list[i].w[0] && w[1] == list[i].w[1],
                  "line %zu: %016" PRIx64 " %016" PRIx64, i, w[0], w[1]);
        for (unsigned k = 2; k < XINV_COMMAND_WORDS; k++)
            cr_expect_eq(w[k], iommu->words == 4 ? 0 : POISON, "line %zu, word %u", i, k);
    }
}

static void check_fence(const struct xinv_iommu *iommu, uint64_t low)
{
    uint64_t w[XINV_COMMAND_WORDS] = {POISON, POISON, POISON, POISON};

    iommu->vendor->backend->fence(iommu, w);
    cr_expect_eq(w[0], low);
    for (unsigned k = 1; k < iommu->words; k++)
        cr_expect_eq(w[k], 0);
}

/* SYNC (4.7.3): CS 13:12, MSH 23:22, MSIAttr 27:24, MSIData 63:32, MSIAddress 119:66 */
Test(encode, smmuv3_syncs)
{
    static const struct completion_case list[] = {
        {{0}, 0, {0x46, 0}},
        {{.fence = 1}, 0, {0x46, 0}},
        {{.interrupt = 1}, 0, {0x1046, 0}},
        {{.store = 1, .address = UINT64_C(0x1200000000)}, 0, {0x0fc01046, UINT64_C(0x1200000000)}},
        {{.store = 1, .address = 4, .data = 1}, 0, {UINT64_C(0x000000010fc01046), 4}},
        {{.store = 1, .address = UINT64_C(0x00fffffffffffffc), .data = UINT32_MAX},
         0,
         {UINT64_C(0xffffffff0fc01046), UINT64_C(0x00fffffffffffffc)}},
        {{.drain = 1}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = 0},
         -XINV_E_INVAL,
         {0, 0}}, /* address 0 would be the wired interrupt */
        {{.store = 1, .address = 0x1002}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = UINT64_C(0x0100000000000000)}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = 0x1000, .data = UINT64_C(0x100000000)}, -XINV_E_INVAL, {0, 0}},
    };
    static const struct completion_case no_msi[] = {
        {{.store = 1, .address = 0x1000}, -XINV_E_INVAL, {0, 0}},
        {{.interrupt = 1}, 0, {0x1046, 0}},
    };
    static const struct completion_case guest_queue[] = {
        {{0}, 0, {0x46, 0}},
        {{.interrupt = 1}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = 0x1000}, -XINV_E_INVAL, {0, 0}},
    };
    static const struct setting msi_off[] = {{"MSI", 0}};
    static const struct setting guest[] = {{"CMDQV_GUEST", 1}};
    struct xinv_iommu iommu = smmu();

    check_completions(&iommu, list, N(list));
    check_fence(&iommu, 0x46);
    iommu = iommu_with("arm-smmuv3-ril", msi_off, 1);
    check_completions(&iommu, no_msi, N(no_msi));
    iommu = iommu_with("arm-smmuv3-ril", guest, 1);
    check_completions(&iommu, guest_queue, N(guest_queue));
}

/* wait (6.5.2.8): IF 4, SW 5, FN 6, PD 7, data 63:32; address 63:2 of qw1 */
static const struct completion_case vtd_waits[] = {
    {{.interrupt = 1}, 0, {0x15, 0}},
    {{.store = 1, .address = 0x1004, .data = 0x99}, 0, {UINT64_C(0x0000009900000025), 0x1004}},
    {{.store = 1, .address = UINT64_C(0xfffffffffffffffc), .data = UINT32_MAX},
     0,
     {UINT64_C(0xffffffff00000025), UINT64_C(0xfffffffffffffffc)}},
    {{.fence = 1}, 0, {0x45, 0}},
    {{.interrupt = 1, .address = 0x1000, .data = 5},
     0,
     {0x15, 0}}, /* no store: no data, no address */
    {{.store = 1, .address = 0x1002}, -XINV_E_INVAL, {0, 0}},
    {{.store = 1, .address = 0x1000, .data = UINT64_C(0x100000000)}, -XINV_E_INVAL, {0, 0}},
};

Test(encode, vtd_waits_of_both_widths)
{
    static const struct completion_case drain[] = {
        {{.drain = 1, .store = 1, .address = 0x1000, .data = 2},
         0,
         {UINT64_C(0x00000002000000a5), 0x1000}},
        {{.store = 1, .interrupt = 1, .fence = 1, .drain = 1, .address = 0x1000},
         0,
         {0xf5, 0x1000}},
    };
    static const struct completion_case no_drain[] = {
        {{.drain = 1, .store = 1, .address = 0x1000}, -XINV_E_INVAL, {0, 0}}};
    struct xinv_iommu narrow = vtd_legacy();
    struct xinv_iommu wide = vtd_scalable(0);

    check_completions(&narrow, vtd_waits, N(vtd_waits));
    check_completions(&narrow, no_drain, N(no_drain));
    check_completions(&wide, vtd_waits, N(vtd_waits));
    check_completions(&wide, drain, N(drain));
    check_fence(&narrow, 0x45);
    check_fence(&wide, 0x45);
}

/* COMPLETION_WAIT (2.4.1): S 0, I 1, F 2, address 51:3, data 127:64 */
Test(encode, amd_completion_waits)
{
    static const struct completion_case list[] = {
        {{0}, 0, {UINT64_C(0x1000000000000000), 0}},
        {{.store = 1, .address = 8}, 0, {UINT64_C(0x1000000000000009), 0}},
        {{.store = 1, .address = UINT64_C(0x000ffffffffffff8), .data = UINT64_MAX},
         0,
         {UINT64_C(0x100ffffffffffff9), UINT64_MAX}},
        {{.interrupt = 1}, 0, {UINT64_C(0x1000000000000002), 0}},
        {{.fence = 1, .address = 0x1000, .data = 5}, 0, {UINT64_C(0x1000000000000004), 0}},
        {{.store = 1, .interrupt = 1, .fence = 1, .address = UINT64_C(0x123456789ab8), .data = 1},
         0,
         {UINT64_C(0x1000123456789abf), 1}},
        {{.drain = 1}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = 4}, -XINV_E_INVAL, {0, 0}},
        {{.store = 1, .address = UINT64_C(0x0010000000000000)}, -XINV_E_INVAL, {0, 0}},
    };
    struct xinv_iommu iommu = amd();

    check_completions(&iommu, list, N(list));
    check_fence(&iommu, UINT64_C(0x1000000000000004));
}

/* ---- Bytes ---- */

static void check_bytes(const char *platform, struct xinv_attachment at, const uint8_t *bytes,
                        size_t n)
{
    struct xinv_iommu iommu = iommu_with(platform, NULL, 0);
    struct xinv_request r = {.change = XINV_CHANGE_STAGE2_PTE,
                             .flags = XINV_REQ_RANGE,
                             .first = UINT64_C(0x123456789000),
                             .last = UINT64_C(0x123456789fff)};
    uint64_t words[8];
    struct xinv_step steps[4];
    struct xinv_out out = {.words = words, .steps = steps, .cap_words = 8, .cap_steps = 4};

    at.stage = XINV_STAGE_STAGE2;
    memset(words, 0xa5, sizeof(words));
    cr_assert_gt(xinv_translate(&iommu, &at, 1, &r, NULL, NULL, &out, NULL), 0);
    cr_assert_geq(out.n_words * 8, n);
    cr_expect(!memcmp(words, bytes, n), "%s", platform);
}

Test(encode, words_lie_in_memory_low_byte_first_whatever_the_host)
{
    /* 16 bytes each: both words, low byte first */
    static const uint8_t s2_ipa[] = {0x2a, 0,    0,    0,    0x34, 0x12, 0, 0,
                                     0,    0x90, 0x78, 0x56, 0x34, 0x12, 0, 0};
    static const uint8_t iotlb[] = {0xf2, 0,    0x34, 0x12, 0,    0,    0, 0,
                                    0,    0x90, 0x78, 0x56, 0x34, 0x12, 0, 0};
    static const uint8_t pages[] = {0,    0,    0,    0,    0x34, 0x12, 0, 0x30,
                                    0x02, 0x90, 0x78, 0x56, 0x34, 0x12, 0, 0};
    struct xinv_attachment at = {.known = XINV_TAG_BIT(XINV_TAG_DID) | XINV_TAG_BIT(XINV_TAG_VMID),
                                 .did = 0x1234,
                                 .vmid = 0x1234};

    check_bytes("arm-smmuv3-generic", at, s2_ipa, sizeof(s2_ipa));
    check_bytes("intel-vtd-legacy", at, iotlb, sizeof(iotlb));
    check_bytes("amd-vi-generic", at, pages, sizeof(pages));
}

/* ---- Back to fields ---- */

struct text_case {
    uint64_t w[2];
    const char *text;
};

static const char *text_of(const struct xinv_decoded *d)
{
    static char text[512];
    int n = snprintf(text, sizeof(text), "%s", d->name);

    for (unsigned i = 0; i < d->n_fields; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %s=%" PRIx64, d->fields[i].name,
                      d->fields[i].value);
    return text;
}

static void check_texts(const struct xinv_iommu *iommu, const struct text_case *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t w[XINV_COMMAND_WORDS] = {list[i].w[0], list[i].w[1], 0, 0};
        struct xinv_decoded d;

        cr_expect_eq(xinv_decode(iommu, w, &d), 0, "%s", list[i].text);
        cr_expect_str_eq(text_of(&d), list[i].text, "%s instead of %s", text_of(&d), list[i].text);
    }
}

Test(decode, smmuv3_commands_have_their_fields_by_name)
{
    static const struct text_case list[] = {
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
    struct xinv_iommu iommu = smmu();

    check_texts(&iommu, list, N(list));
}

Test(decode, vtd_descriptors_have_their_fields_by_name)
{
    static const struct text_case list[] = {
        {{UINT64_C(0x0003031012340031), 0}, "cc G=3 DID=1234 SID=310 FM=3"},
        {{0x4700f2, 0x2041}, "iotlb G=3 DW=1 DR=1 DID=47 AM=1 IH=1 ADDR=2000"},
        {{0x470062, 0}, "iotlb G=2 DW=1 DR=0 DID=47 AM=0 IH=0 ADDR=0"},
        {{UINT64_C(0x12300310001f4003), 0x5001}, "dev_tlb MIP=1f SID=310 PFSID=1234 S=1 ADDR=5000"},
        {{UINT64_C(0x0000123428000014), 0}, "iec G=1 IM=5 IIDX=1234"},
        {{UINT64_C(0x00000099000000f5), 0x1004},
         "wait IF=1 SW=1 FN=1 PD=1 status_data=99 status_address=1004"},
        {{UINT64_C(0x000fffff00010036), 0x200049},
         "p_iotlb G=3 DID=1 PASID=fffff AM=9 IH=1 ADDR=200000"},
        {{UINT64_C(0x0000000512340017), 0}, "pc G=1 DID=1234 PASID=5"},
        {{UINT64_C(0x12300005031041f8), 0x2801},
         "p_dev_tlb MIP=1f SID=310 PASID=5 PFSID=1234 G=1 S=1 ADDR=2000"},
    };
    struct xinv_iommu iommu = vtd_scalable(1);

    check_texts(&iommu, list, N(list));
}

Test(decode, amd_commands_have_their_fields_by_name)
{
    static const struct text_case list[] = {
        {{UINT64_C(0x1000123456789abd), 7},
         "COMPLETION_WAIT S=1 I=0 F=1 Address=123456789ab8 Data=7"},
        {{UINT64_C(0x20000000000003e6), 0}, "INVALIDATE_DEVTAB_ENTRY DeviceID=3e6"},
        {{UINT64_C(0x30000003000fff80), 0x5006},
         "INVALIDATE_IOMMU_PAGES PASID=fff80 DomainID=3 S=0 PDE=1 GN=1 Address=5000"},
        {{UINT64_C(0x4523019a0114019a), UINT64_C(0x7d18d237f025)},
         "INVALIDATE_IOTLB_PAGES DeviceID=19a PASID=51423 MaxPend=1 QueueID=19a S=1 GN=1 Type=2 Address=7d18d237f000"},
        {{UINT64_C(0x5000000000006475), 0}, "INVALIDATE_INTERRUPT_TABLE DeviceID=6475"},
        {{UINT64_C(0x8000000000000000), 0}, "INVALIDATE_IOMMU_ALL"},
    };
    static const struct setting type[] = {{"InvIotlbTypeSup", 1}, {"PASmax", 19}};
    struct xinv_iommu iommu = iommu_with("amd-vi-generic", type, N(type));

    check_texts(&iommu, list, N(list));
}

/* ---- Refusals ---- */

struct mask_case {
    uint64_t opcode;  /* word 0 of the command with every field 0 */
    uint64_t zero[2]; /* bits that must be 0 */
};

/* Sets every bit alone; the ones in `type` say which command it is. */
static void check_masks(const struct xinv_iommu *iommu, uint64_t type, const struct mask_case *list,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 64u * iommu->words; bit++) {
            uint64_t w[XINV_COMMAND_WORDS] = {list[i].opcode, 0, 0, 0};
            uint64_t one = UINT64_C(1) << (bit % 64);
            bool reserved = bit >= 128 || (list[i].zero[bit / 64] & one);
            struct xinv_decoded d = {.name = NULL};

            if (bit < 64 && (type & one))
                continue;
            w[bit / 64] |= one;
            if (reserved)
                cr_expect_eq(xinv_decode(iommu, w, &d), -XINV_E_INVAL);
            else
                xinv_decode(iommu, w, &d);
            /* a bit that a field has can break another rule */
            cr_expect_eq(d.fault.kind == XINV_FAULT_RESERVED, reserved,
                         "opcode %" PRIx64 ", bit %u", list[i].opcode, bit);
            if (reserved)
                cr_expect_eq(d.fault.word * 64 + d.fault.bit, bit);
            cr_expect_not_null(d.name, "the fields are there all the same");
        }
}

Test(decode, every_reserved_bit_of_smmuv3_is_refused_and_no_other)
{
    static const struct mask_case list[] = {
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
    struct xinv_iommu iommu = smmu();

    check_masks(&iommu, 0xff, list, N(list));
}

/* 6.5.2, the reserved masks of each type; qw2 and qw3 are reserved for all */
Test(decode, every_reserved_bit_of_vtd_is_refused_and_no_other)
{
    static const struct mask_case list[] = {
        {0x1, {UINT64_C(0xfffc00000000f1c0), UINT64_MAX}},
        {0x2, {UINT64_C(0xffffffff0000f100), 0xf80}},
        {0x3, {UINT64_C(0x000f0000ffe001f0), 0xffe}},
        {0x4, {UINT64_C(0xffff000007fff1e0), UINT64_MAX}},
        {0x5, {UINT64_C(0x00000000fffff100), 0x3}},
        {0x6, {UINT64_C(0xfff000000000f1c0), 0xf80}},
        {0x7, {UINT64_C(0xfff000000000f1c0), UINT64_MAX}},
        {0x8, {0, 0x7fe}},
    };
    struct xinv_iommu iommu = vtd_scalable(1);

    check_masks(&iommu, 0xe0f, list, N(list));
}

/* The masks of 2.4; Type of INVALIDATE_IOTLB_PAGES exists with InvIotlbTypeSup alone */
Test(decode, every_reserved_bit_of_amd_is_refused_and_no_other)
{
    static const struct mask_case list[] = {
        {UINT64_C(1) << 60, {UINT64_C(0x0ff0000000000000), 0}},
        {UINT64_C(2) << 60, {UINT64_C(0x0fffffffffff0000), UINT64_MAX}},
        {UINT64_C(3) << 60, {UINT64_C(0x0fff0000fff00000), 0xff8}},
        {UINT64_C(4) << 60, {0, 0xfca}},
        {UINT64_C(5) << 60, {UINT64_C(0x0fffffffffff0000), UINT64_MAX}},
        {UINT64_C(8) << 60, {UINT64_C(0x0fffffffffffffff), UINT64_MAX}},
    };
    static const struct setting type[] = {{"InvIotlbTypeSup", 1}};
    struct xinv_iommu iommu = iommu_with("amd-vi-generic", type, 1);

    check_masks(&iommu, UINT64_C(0xf) << 60, list, N(list));
}

Test(decode, unknown_opcodes_are_refused)
{
    static const uint8_t known[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x10, 0x11,
                                    0x12, 0x13, 0x18, 0x1a, 0x20, 0x21, 0x22, 0x23, 0x28,
                                    0x2a, 0x30, 0x40, 0x41, 0x44, 0x45, 0x46, 0x50, 0x51,
                                    0x52, 0x53, 0x58, 0x5a, 0x60, 0x70, 0x73};
    struct xinv_iommu iommu = smmu();
    struct xinv_decoded d;

    for (unsigned op = 0; op < 256; op++) {
        uint64_t w[XINV_COMMAND_WORDS] = {op, 0, 0, 0};

        cr_expect_eq(xinv_decode(&iommu, w, &d) == -XINV_E_NOENT,
                     !memchr(known, (int)op, sizeof(known)), "0x%02x", op);
    }
    iommu = vtd_scalable(1);
    for (unsigned type = 0; type < 128; type++) {
        /* type 3:0 of qw0, and above it 11:9 */
        uint64_t w[XINV_COMMAND_WORDS] = {(type & 0xf) | (uint64_t)(type >> 4) << 9, 0, 0, 0};

        cr_expect_eq(xinv_decode(&iommu, w, &d) == -XINV_E_NOENT, type < 1 || type > 9, "0x%02x",
                     type);
    }
    iommu = amd();
    for (unsigned op = 0; op < 16; op++) {
        uint64_t w[XINV_COMMAND_WORDS] = {(uint64_t)op << 60, 0, 0, 0};

        cr_expect_eq(xinv_decode(&iommu, w, &d) == -XINV_E_NOENT, op < 1 || op > 10, "%u", op);
    }
}

/* ---- Random operands against the second decoder ---- */

static uint64_t state;

static uint64_t random64(void)
{
    /* splitmix64 */
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A value of at most `bits` bits; its ends are as likely as all the rest. */
static uint32_t random_tag(unsigned bits)
{
    uint64_t max = (UINT64_C(1) << bits) - 1;

    switch (random64() % 8) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return (uint32_t)max;
    default:
        return (uint32_t)(random64() & max);
    }
}

/* Which fields of the second decoder hold which operands. */
static void check_fields(const char *name, const struct refdec_cmd *cmd,
                         const struct xinv_operands *o, const struct xinv_decoded *d)
{
    static const struct {
        const char *field;
        size_t offset;
    } map[] = {
        {"SID", offsetof(struct xinv_operands, rid)},
        {"DeviceID", offsetof(struct xinv_operands, rid)},
        {"SSID", offsetof(struct xinv_operands, pasid)},
        {"PASID", offsetof(struct xinv_operands, pasid)},
        {"ASID", offsetof(struct xinv_operands, asid)},
        {"VMID", offsetof(struct xinv_operands, vmid)},
        {"DID", offsetof(struct xinv_operands, did)},
        {"DomainID", offsetof(struct xinv_operands, did)},
    };

    for (unsigned i = 0; i < cmd->nfields; i++) {
        const struct refdec_field *f = &cmd->fields[i];
        bool found = false;

        for (unsigned k = 0; k < d->n_fields && !found; k++)
            if (!strcmp(d->fields[k].name, f->name)) {
                cr_assert_eq(d->fields[k].value, f->value, "%s: %s", name, f->name);
                found = true;
            }
        cr_assert(found, "%s has no field %s", name, f->name);
        for (size_t k = 0; k < N(map); k++) {
            uint32_t value;

            memcpy(&value, (const char *)o + map[k].offset, sizeof(value));
            /* a form that takes no such operand has 0 there */
            if (!strcmp(f->name, map[k].field) && f->value)
                cr_assert_eq(f->value, value, "%s: %s", name, f->name);
        }
    }
}

static void random_block(struct xinv_operands *o, bool scaled, unsigned max_order,
                         unsigned address_bits)
{
    static const uint8_t granules[] = {12, 14, 16};
    uint64_t space = address_bits >= 64 ? UINT64_MAX : (UINT64_C(1) << address_bits) - 1;
    uint64_t mask;

    o->scaled = scaled;
    o->log2_granule = granules[random64() % 3];
    o->log2_leaf = (uint8_t)(random64() % 2 ? o->log2_granule : 0);
    if (scaled) {
        uint64_t units;

        o->block.num = (uint8_t)(random64() % 32);
        o->block.scale = (uint8_t)(random64() % 32);
        units = (uint64_t)(o->block.num + 1) << o->block.scale;
        mask = (units << o->log2_granule) - 1;
        o->block.first = (random64() & space) >> o->log2_granule << o->log2_granule;
        if (o->block.first > space - mask)
            o->block.first = (space - mask) >> o->log2_granule << o->log2_granule;
        o->block.last = o->block.first + mask;
        return;
    }
    o->block.order = (uint8_t)(random64() % (max_order + 1));
    mask = (UINT64_C(1) << (o->block.order + 12)) - 1;
    o->block.first = random64() & space & ~mask;
    o->block.last = o->block.first | mask;
}

/* rows: the table's, so that a form is only made where the IOMMU has it and with the kind of range
 * that it takes there */
static void agree(const struct xinv_iommu *iommu, unsigned rounds)
{
    struct refdec_caps caps = vector_caps(iommu);
    const struct xinv_vendor *v = iommu->vendor;

    for (unsigned i = 0; i < rounds; i++) {
        unsigned row = (unsigned)(random64() % v->n_commands);
        const struct xinv_command_def *def = &v->commands[row];
        struct xinv_attachment at = {.queue_depth = (uint8_t)(1 + random64() % 32),
                                     .pfsid = (uint16_t)random64(),
                                     .queue_id = (uint16_t)random64()};
        struct xinv_operands o = {.at = &at};
        uint64_t w[XINV_COMMAND_WORDS];
        struct refdec_cmd cmd;
        struct xinv_decoded d;
        char err[160];

        if (!(iommu->commands >> row & 1) || def->phase == XINV_PHASE_REGISTER)
            continue;
        o.leaf = def->leaf;
        o.rid = random_tag(iommu->tag_bits[XINV_TAG_RID]);
        o.pasid = random_tag(iommu->tag_bits[XINV_TAG_PASID]);
        o.asid = random_tag(iommu->tag_bits[XINV_TAG_ASID]);
        o.did = random_tag(iommu->tag_bits[XINV_TAG_DID]);
        o.vmid = random_tag(iommu->tag_bits[XINV_TAG_VMID]);
        if (def->ranges.count) {
            random_block(&o, iommu->range[row].kind == XINV_RANGE_SCALED,
                         iommu->range[row].max_order, !strcmp(def->name, "TLBI_S2_IPA") ? 56 : 64);
        }
        v->backend->encode(iommu, def->op, &o, w);
        cr_assert_eq(refdec_decode(vector_refdec_vendor(iommu), &caps, w, iommu->words, &cmd, err,
                                   sizeof(err)),
                     0, "%s %016" PRIx64 " %016" PRIx64 ": %s", def->name, w[0], w[1], err);
        cr_assert_eq(xinv_decode(iommu, w, &d), 0);
        cr_assert_str_eq(d.name, cmd.name);
        check_fields(def->name, &cmd, &o, &d);
        if (!def->ranges.count)
            continue;
        cr_assert(cmd.has_range, "%s", def->name);
        cr_assert_leq(cmd.first, o.block.first, "%s", def->name);
        /* one granule in the plain form is one address that its entry holds */
        if (!(o.scaled && !o.block.num && !o.block.scale))
            cr_assert_eq(cmd.last, o.block.last, "%s %016" PRIx64 " %016" PRIx64, def->name, w[0],
                         w[1]);
    }
}

Test(decode, the_second_decoder_agrees_on_random_operands)
{
    const char *given = getenv("XINV_SEED");
    struct xinv_iommu iommu;

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    fprintf(stderr, "XINV_SEED=%" PRIu64 "\n", state);
    iommu = smmu();
    agree(&iommu, 200000);
    iommu = iommu_with("arm-smmuv3-generic", NULL, 0);
    agree(&iommu, 50000);
    iommu = vtd_legacy();
    agree(&iommu, 50000);
    iommu = vtd_scalable(1);
    agree(&iommu, 200000);
    iommu = iommu_with("qemu-intel-caching-mode", NULL, 0);
    agree(&iommu, 50000);
    iommu = amd();
    agree(&iommu, 200000);
}
