// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Descriptors of VT-d against words that were assembled by hand from the specification's 6.5.2, and
 * back. */
#include "backends/vtd/vtd.h"
#include "tests/support/encoding.h"

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
    struct xinv_iommu narrow = encoding_vtd_legacy();
    struct xinv_iommu wide = encoding_vtd_scalable(0);

    encoding_check(&narrow, vtd_config, N(vtd_config));
    encoding_check(&wide, vtd_config, N(vtd_config));
    encoding_check(&wide, vtd_pc, N(vtd_pc));
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
    static const struct test_setting none[] = {{"DWD", 0}, {"DRD", 0}};
    static const struct test_setting writes[] = {{"DWD", 1}, {"DRD", 0}};
    static const struct encoding undrained[] = {
        {XINV_VTD_OP_IOTLB_DOMAIN, {.did = 1}, {0x10022, 0}}};
    static const struct encoding write_drained[] = {
        {XINV_VTD_OP_IOTLB_DOMAIN, {.did = 1}, {0x10062, 0}}};
    struct xinv_iommu iommu = encoding_vtd_legacy();

    encoding_check(&iommu, list, N(list));
    iommu = test_iommu_with("intel-vtd-legacy", none, N(none));
    encoding_check(&iommu, undrained, N(undrained));
    iommu = test_iommu_with("intel-vtd-legacy", writes, N(writes));
    encoding_check(&iommu, write_drained, N(write_drained));
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
    struct xinv_iommu iommu = encoding_vtd_scalable(0);

    encoding_check(&iommu, list, N(list));
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
    struct xinv_iommu iommu = encoding_vtd_legacy();

    encoding_check(&iommu, list, N(list));
    iommu = encoding_vtd_scalable(1);
    encoding_check(&iommu, pfsid, N(pfsid));
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
    struct xinv_iommu iommu = encoding_vtd_scalable(0);

    encoding_check(&iommu, list, N(list));
    iommu = encoding_vtd_scalable(1);
    encoding_check(&iommu, pfsid, N(pfsid));
}

/* wait (6.5.2.8): IF 4, SW 5, FN 6, PD 7, data 63:32; address 63:2 of qw1 */
static const struct encoding_completion vtd_waits[] = {
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
    static const struct encoding_completion drain[] = {
        {{.drain = 1, .store = 1, .address = 0x1000, .data = 2},
         0,
         {UINT64_C(0x00000002000000a5), 0x1000}},
        {{.store = 1, .interrupt = 1, .fence = 1, .drain = 1, .address = 0x1000},
         0,
         {0xf5, 0x1000}},
    };
    static const struct encoding_completion no_drain[] = {
        {{.drain = 1, .store = 1, .address = 0x1000}, -XINV_E_INVAL, {0, 0}}};
    struct xinv_iommu narrow = encoding_vtd_legacy();
    struct xinv_iommu wide = encoding_vtd_scalable(0);

    encoding_check_completions(&narrow, vtd_waits, N(vtd_waits));
    encoding_check_completions(&narrow, no_drain, N(no_drain));
    encoding_check_completions(&wide, vtd_waits, N(vtd_waits));
    encoding_check_completions(&wide, drain, N(drain));
    encoding_check_fence(&narrow, 0x45);
    encoding_check_fence(&wide, 0x45);
}

Test(decode, vtd_descriptors_have_their_fields_by_name)
{
    static const struct encoding_text list[] = {
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
    struct xinv_iommu iommu = encoding_vtd_scalable(1);

    encoding_check_texts(&iommu, list, N(list));
}

/* 6.5.2, the reserved masks of each type; qw2 and qw3 are reserved for all */
Test(decode, every_reserved_bit_of_vtd_is_refused_and_no_other)
{
    static const struct encoding_mask list[] = {
        {0x1, {UINT64_C(0xfffc00000000f1c0), UINT64_MAX}},
        {0x2, {UINT64_C(0xffffffff0000f100), 0xf80}},
        {0x3, {UINT64_C(0x000f0000ffe001f0), 0xffe}},
        {0x4, {UINT64_C(0xffff000007fff1e0), UINT64_MAX}},
        {0x5, {UINT64_C(0x00000000fffff100), 0x3}},
        {0x6, {UINT64_C(0xfff000000000f1c0), 0xf80}},
        {0x7, {UINT64_C(0xfff000000000f1c0), UINT64_MAX}},
        {0x8, {0, 0x7fe}},
    };
    struct xinv_iommu iommu = encoding_vtd_scalable(1);

    encoding_check_masks(&iommu, 0xe0f, list, N(list));
}
