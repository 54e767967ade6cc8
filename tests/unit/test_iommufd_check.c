// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Calls that somebody else made, and everything that can be wrong with one. */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/support/hostrig.h"

#define N(x) (sizeof(x) / sizeof((x)[0]))

static struct hostrig h;
static struct xinv_attachment endpoint;

static struct xinv_iommufd_hwpt_invalidate call_of(const void *entries, uint32_t n)
{
    bool vtd = h.iommu.words == 3;

    return (struct xinv_iommufd_hwpt_invalidate){.size = 32,
                                                 .hwpt_id = vtd ? HOST_HWPT : HOST_VIOMMU,
                                                 .data_uptr = (uint64_t)(uintptr_t)entries,
                                                 .data_type = vtd ? 0 : 1,
                                                 .entry_len = vtd ? 24 : 16,
                                                 .entry_num = n};
}

/* The result, which must be about that field (NULL: the whole) and that errno of the kernel. */
static void expect_fault(const struct xinv_iommufd_hwpt_invalidate *call, const void *entries,
                         int error, uint32_t index, int linux_errno, const char *field)
{
    struct xinv_iommufd_fault fault = {.index = 0xa5a5};
    int ret = xinv_iommufd_check(&h.iommu, call, entries, &endpoint, 1, &fault);

    cr_assert_eq(ret, error, "%s: %d, not %d", field ? field : "it", ret, error);
    if (!error) {
        cr_assert_eq(fault.index, 0xa5a5, "nothing is filled in");
        return;
    }
    cr_assert_eq(fault.index, index, "%u", fault.index);
    cr_assert_eq(fault.linux_errno, linux_errno, "errno %d", fault.linux_errno);
    if (field)
        cr_assert_str_eq(fault.field, field);
    else
        cr_assert_null(fault.field);
    cr_assert(fault.rule && *fault.rule);
}

static void open_form(const char *platform)
{
    host_open(&h, platform, NULL, 0);
    endpoint = host_attachment();
}

#define VTD  "iommufd-vtd-s1"
#define SMMU "iommufd-arm-smmuv3"

/* ---- The call ---- */

static void expect_call_faults(const char *platform, const void *entry)
{
    struct xinv_iommufd_hwpt_invalidate good;
    struct xinv_iommufd_hwpt_invalidate call;

    open_form(platform);
    good = call_of(entry, 1);
    expect_fault(&good, entry, 0, 0, 0, NULL);
#define WITH(member, value, error, number) \
    call = good;                           \
    call.member = (value);                 \
    expect_fault(&call, entry, error, call.entry_num, number, #member)
    WITH(size, 31, -XINV_E_INVAL, EINVAL);
    WITH(size, 40, -XINV_E_INVAL, EINVAL);
    WITH(reserved, 1, -XINV_E_INVAL, EOPNOTSUPP);
    WITH(hwpt_id, 0, -XINV_E_NOENT, ENOENT);
    WITH(hwpt_id, 99, -XINV_E_NOENT, ENOENT);
    WITH(data_type, !good.data_type, -XINV_E_INVAL, EINVAL);
    WITH(data_type, 2, -XINV_E_INVAL, EINVAL);
    WITH(data_uptr, 0, -XINV_E_INVAL, EINVAL);
    WITH(entry_len, 0, -XINV_E_INVAL, EINVAL);
    WITH(entry_len, good.entry_len - 1, -XINV_E_INVAL, EINVAL);
    WITH(entry_len, good.entry_len + 8, -XINV_E_INVAL, EINVAL);
    WITH(entry_len, 8192, -XINV_E_INVAL, EINVAL);
    WITH(entry_num, XINV_IOMMUFD_MAX_ENTRIES + 1, -XINV_E_INVAL, EINVAL);
    WITH(entry_num, UINT32_MAX, -XINV_E_INVAL, EINVAL);
#undef WITH
    expect_fault(&good, NULL, -XINV_E_INVAL, 1, EINVAL, "data_uptr");
    /* no entries ask whether the type is known; length and address do not count */
    call = good;
    call.entry_num = 0;
    call.entry_len = 0;
    call.data_uptr = 0;
    expect_fault(&call, NULL, 0, 0, 0, NULL);
    call.data_type = 2;
    expect_fault(&call, NULL, -XINV_E_INVAL, 0, EINVAL, "data_type");
}

Test(iommufd_check, the_argument_of_a_call_for_vtd)
{
    static const uint64_t entry[3] = {0x1000, 1, 0};

    expect_call_faults(VTD, entry);
}

Test(iommufd_check, the_argument_of_a_call_for_smmuv3)
{
    static const uint64_t entry[2] = {0x10, 0};

    expect_call_faults(SMMU, entry);
}

Test(iommufd_check, arguments_that_are_not_there)
{
    static const uint64_t entry[3] = {0x1000, 1, 0};
    struct xinv_iommufd_hwpt_invalidate call;
    struct xinv_iommu hardware;

    open_form(VTD);
    call = call_of(entry, 1);
    cr_assert_eq(xinv_iommufd_check(NULL, &call, entry, NULL, 0, NULL), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_check(&h.iommu, NULL, entry, NULL, 0, NULL), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_check(&h.iommu, &call, entry, NULL, 1, NULL), -XINV_E_INVAL);
    cr_assert_eq(xinv_iommufd_check(&h.iommu, &call, entry, NULL, 0, NULL), 0);
    cr_assert_eq(
        xinv_iommu_init(&hardware, xinv_platform_find("intel-vtd-scalable"), NULL, NULL, 0), 0);
    cr_assert_eq(xinv_iommufd_check(&hardware, &call, entry, NULL, 0, NULL), -XINV_E_INVAL);
}

/* ---- VT-d entries ---- */

Test(iommufd_check, entries_for_vtd)
{
    static const struct {
        uint64_t entry[3];
        int error;
        int linux_errno; /* 0: the kernel would take it */
        const char *field;
    } cases[] = {
        {{0, UINT64_MAX, 0}, 0, 0, NULL},
        {{0, UINT64_MAX, 1}, 0, 0, NULL},
        {{0x40000000, 512, 1}, 0, 0, NULL},
        {{0x40001000, 3, 0}, 0, 0, NULL}, /* the kernel rounds it */
        {{0xffffffffffffe000, 1, 0}, 0, 0, NULL},
        {{0, (UINT64_C(1) << 52) - 1, 0}, 0, 0, NULL},
        {{0x1000, UINT64_MAX, 0}, -XINV_E_INVAL, EINVAL, "ADDR"},
        {{0x800, UINT64_MAX, 0}, -XINV_E_INVAL, EINVAL, "ADDR"},
        {{0x40000001, 1, 0}, -XINV_E_INVAL, EINVAL, "ADDR"},
        {{0x40000800, 1, 0}, -XINV_E_INVAL, EINVAL, "ADDR"},
        {{0x40000000, 0, 0}, -XINV_E_RANGE, 0, "NPAGES"},
        {{0xfffffffffffff000, 1, 0}, -XINV_E_RANGE, 0, "NPAGES"},
        {{0xffffffffffffe000, 2, 0}, -XINV_E_RANGE, 0, "NPAGES"},
        {{0, UINT64_C(1) << 52, 0}, -XINV_E_RANGE, 0, "NPAGES"},
        {{0x1000, (UINT64_C(1) << 52) - 1, 0}, -XINV_E_RANGE, 0, "NPAGES"},
        {{0, UINT64_MAX - 1, 0}, -XINV_E_RANGE, 0, "NPAGES"},
        {{0x1000, 1, 2}, -XINV_E_INVAL, EOPNOTSUPP, NULL},
        {{0x1000, 1, 0x80000000}, -XINV_E_INVAL, EOPNOTSUPP, NULL},
        {{0x1000, 1, UINT64_C(1) << 32}, -XINV_E_INVAL, EOPNOTSUPP, NULL},
        {{0x1001, 0, UINT64_C(1) << 63}, -XINV_E_INVAL, EOPNOTSUPP, NULL}, /* flags come first */
    };

    open_form(VTD);
    for (size_t i = 0; i < N(cases); i++) {
        uint64_t array[6] = {0x1000, 1, 0};
        struct xinv_iommufd_hwpt_invalidate call = call_of(array, 2);

        memcpy(array + 3, cases[i].entry, 24);
        expect_fault(&call, array, cases[i].error, 1, cases[i].linux_errno, cases[i].field);
    }
}

/* ---- SMMUv3 entries ---- */

/* The opcodes that the kernel takes, and what IHI 0070 4.1.3 calls the others. */
Test(iommufd_check, eight_commands_are_a_users_and_no_other)
{
    static const uint8_t users[] = {0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x30, 0x40};

    open_form(SMMU);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        uint64_t entry[2] = {opcode, 0};
        struct xinv_iommufd_hwpt_invalidate call = call_of(entry, 1);
        struct xinv_iommufd_fault fault = {0};
        bool users_own = false;
        int ret;

        if (opcode == 0x05 || opcode == 0x06 || opcode == 0x40)
            entry[0] |= (uint64_t)HOST_SID << 32;
        for (size_t i = 0; i < N(users); i++)
            users_own |= users[i] == opcode;
        ret = xinv_iommufd_check(&h.iommu, &call, entry, &endpoint, 1, &fault);
        if (users_own) {
            cr_assert_eq(ret, 0, "%#x: %d", opcode, ret);
            continue;
        }
        cr_assert(ret == -XINV_E_UNSUPP || ret == -XINV_E_NOENT || ret == -XINV_E_INVAL, "%#x: %d",
                  opcode, ret);
        cr_assert_eq(fault.linux_errno, EIO, "%#x", opcode);
    }
}

Test(iommufd_check, entries_for_smmuv3)
{
    static const struct {
        uint64_t entry[2];
        int error;
        int linux_errno;
        const char *field;
    } cases[] = {
        {{0x0005000000000012, 0x40000001}, 0, 0, NULL},
        {{0x0005000700000012, 0x40000001}, 0, 0, NULL}, /* the kernel puts in the VMID */
        {{0x0000000800003005, 1}, 0, 0, NULL},
        {{0x0000000800003840, 0x40000004}, 0, 0, NULL},
        {{0x0000000900003005, 1}, -XINV_E_NOENT, EIO, "SID"},
        {{0x0000000900000006, 0}, -XINV_E_NOENT, EIO, "SID"},
        {{0x0000000900003840, 0x40000004}, -XINV_E_NOENT, EIO, "SID"},
        {{0x0000000800000003, 1}, -XINV_E_UNSUPP, EIO, NULL}, /* CFGI_STE */
        {{0x0000000000000046, 0}, -XINV_E_UNSUPP, EIO, NULL}, /* SYNC */
        {{0x00000000000000ff, 0}, -XINV_E_NOENT, EIO, NULL},
        {{0x0000000000000052, 0}, -XINV_E_INVAL, EIO, NULL}, /* of the Secure queue */
        /* what the kernel passes on and the hardware then stops at */
        {{0x0005000000000112, 0x40000001}, -XINV_E_INVAL, 0, NULL},
        {{0x0005000000000012, 0x40000003}, -XINV_E_INVAL, 0, NULL},
        {{0x0005000000001012, 0x40000401}, -XINV_E_UNSUPP, 0, "NUM"}, /* without RIL */
        {{0x0000000800003840, 0x40000035}, -XINV_E_INVAL, 0, "Size"},
    };

    open_form(SMMU);
    for (size_t i = 0; i < N(cases); i++) {
        uint64_t array[4] = {0x10, 0};
        struct xinv_iommufd_hwpt_invalidate call = call_of(array, 2);

        memcpy(array + 2, cases[i].entry, 16);
        expect_fault(&call, array, cases[i].error, 1, cases[i].linux_errno, cases[i].field);
    }
}

Test(iommufd_check, tags_that_are_too_wide_for_the_smmu)
{
    uint64_t asid[2] = {0x0100000000000011, 0};
    uint64_t ssid[2] = {0x0000000810000005, 1}; /* 17 bits */
    struct xinv_iommufd_hwpt_invalidate call;

    host_open(&h, SMMU, "ASID16", 0);
    endpoint = host_attachment();
    call = call_of(asid, 1);
    expect_fault(&call, asid, -XINV_E_TAG, 0, 0, "ASID");
    call = call_of(ssid, 1);
    expect_fault(&call, ssid, -XINV_E_TAG, 0, 0, "SSID");
}

Test(iommufd_check, the_atc_of_an_endpoint_without_ats_would_not_answer)
{
    uint64_t atc[2] = {0x0000000800000040, 0x34};
    struct xinv_iommufd_hwpt_invalidate call;

    open_form(SMMU);
    call = call_of(atc, 1);
    expect_fault(&call, atc, 0, 0, 0, NULL);
    endpoint.flags = 0;
    expect_fault(&call, atc, -XINV_E_UNSUPP, 0, 0, "SID");
}

Test(iommufd_check, a_stream_of_another_viommu_is_no_stream_of_this_one)
{
    uint64_t cd[2] = {0x0000000800000005, 1};
    struct xinv_attachment at[2] = {host_attachment(), host_attachment()};
    struct xinv_iommufd_hwpt_invalidate call;

    open_form(SMMU);
    call = call_of(cd, 1);
    at[0].vmid = HOST_VIOMMU + 1;
    at[1].rid = HOST_SID + 1;
    cr_assert_eq(xinv_iommufd_check(&h.iommu, &call, cd, at, 2, NULL), -XINV_E_NOENT);
    cr_assert_eq(xinv_iommufd_check(&h.iommu, &call, cd, NULL, 0, NULL), 0, "nothing is known");
}

/* Another program's array need not be aligned to words. */
Test(iommufd_check, entries_may_stand_anywhere)
{
    unsigned char bytes[25] = {0};
    struct xinv_iommufd_hwpt_invalidate call;

    open_form(VTD);
    bytes[2] = 0x10; /* addr 0x1000 */
    bytes[9] = 0;    /* npages 0 */
    call = call_of(bytes + 1, 1);
    expect_fault(&call, bytes + 1, -XINV_E_RANGE, 0, 0, "NPAGES");
    bytes[9] = 1;
    expect_fault(&call, bytes + 1, 0, 0, 0, NULL);
}
