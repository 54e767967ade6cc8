// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Commands of AMD-Vi against words that were assembled by hand from the specification's 2.4, and
 * back. */
#include "backends/amdvi/amdvi.h"
#include "tests/support/encoding.h"

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
    struct xinv_iommu iommu = encoding_amd();

    encoding_check(&iommu, list, N(list));
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
    struct xinv_iommu iommu = encoding_amd();

    encoding_check(&iommu, list, N(list));
}

static const struct xinv_attachment depth_1 = {.queue_depth = 1, .pfsid = 0x1234};
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
    struct xinv_iommu iommu = encoding_amd();

    encoding_check(&iommu, list, N(list));
}

/* COMPLETION_WAIT (2.4.1): S 0, I 1, F 2, address 51:3, data 127:64 */
Test(encode, amd_completion_waits)
{
    static const struct encoding_completion list[] = {
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
    struct xinv_iommu iommu = encoding_amd();

    encoding_check_completions(&iommu, list, N(list));
    encoding_check_fence(&iommu, UINT64_C(0x1000000000000004));
}

Test(decode, amd_commands_have_their_fields_by_name)
{
    static const struct encoding_text list[] = {
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
    static const struct test_setting type[] = {{"InvIotlbTypeSup", 1}, {"PASmax", 19}};
    struct xinv_iommu iommu = test_iommu_with("amd-vi-generic", type, N(type));

    encoding_check_texts(&iommu, list, N(list));
}

/* The masks of 2.4; Type of INVALIDATE_IOTLB_PAGES exists with InvIotlbTypeSup alone */
Test(decode, every_reserved_bit_of_amd_is_refused_and_no_other)
{
    static const struct encoding_mask list[] = {
        {UINT64_C(1) << 60, {UINT64_C(0x0ff0000000000000), 0}},
        {UINT64_C(2) << 60, {UINT64_C(0x0fffffffffff0000), UINT64_MAX}},
        {UINT64_C(3) << 60, {UINT64_C(0x0fff0000fff00000), 0xff8}},
        {UINT64_C(4) << 60, {0, 0xfca}},
        {UINT64_C(5) << 60, {UINT64_C(0x0fffffffffff0000), UINT64_MAX}},
        {UINT64_C(8) << 60, {UINT64_C(0x0fffffffffffffff), UINT64_MAX}},
    };
    static const struct test_setting type[] = {{"InvIotlbTypeSup", 1}};
    struct xinv_iommu iommu = test_iommu_with("amd-vi-generic", type, 1);

    encoding_check_masks(&iommu, UINT64_C(0xf) << 60, list, N(list));
}
