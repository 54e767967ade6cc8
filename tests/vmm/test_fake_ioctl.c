// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The fake kernel behaves as linux/iommufd.h and the drivers behind it do, failures included. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "examples/vmm/fake_ioctl.h"

static struct fake_kernel k;
static uint64_t done[256]; /* first word of each entry that the hardware has removed */
static uint32_t n_done;

static void note(void *context, uint32_t object, const void *entry)
{
    (void)context;
    (void)object;
    memcpy(&done[n_done++], entry, sizeof(done[0]));
}

static int call(uint32_t request, void *arg)
{
    return fake_ioctl(&k, FAKE_IOMMUFD, request, arg);
}

static uint32_t dev_id;
static uint32_t parent;
static uint32_t object; /* nested HWPT or vIOMMU */
static uint32_t viommu;

/* A device of one IOMMU, a parent, and what takes entries. */
static void open_kernel(uint32_t hw_type)
{
    static const uint64_t info[5] = {1, 2, 3, 4, 5};
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = FAKE_IOMMUFD};
    struct iommu_ioas_alloc ioas = {.size = sizeof(ioas)};
    struct iommu_hwpt_alloc hwpt = {.size = sizeof(hwpt), .flags = IOMMU_HWPT_ALLOC_NEST_PARENT};

    n_done = 0;
    k = (struct fake_kernel){.hw_type = hw_type, .hw_info = info, .n_devices = 2, .removed = note};
    k.hw_info_len = hw_type == XINV_IOMMUFD_HW_INFO_VTD ? 24 : 40;
    k.device[1].iommu = 1;
    cr_assert_eq(fake_ioctl(&k, FAKE_IOMMUFD + 1, VFIO_DEVICE_BIND_IOMMUFD, &bind), 0);
    dev_id = bind.out_devid;
    cr_assert_eq(call(IOMMU_IOAS_ALLOC, &ioas), 0);
    hwpt.dev_id = dev_id;
    hwpt.pt_id = ioas.out_ioas_id;
    cr_assert_eq(call(IOMMU_HWPT_ALLOC, &hwpt), 0);
    parent = hwpt.out_hwpt_id;
}

static int nest_vtd(struct iommu_hwpt_vtd_s1 data)
{
    struct iommu_hwpt_alloc hwpt = {.size = sizeof(hwpt),
                                    .dev_id = dev_id,
                                    .pt_id = parent,
                                    .data_type = IOMMU_HWPT_DATA_VTD_S1,
                                    .data_len = sizeof(data),
                                    .data_uptr = (uintptr_t)&data};
    int ret = call(IOMMU_HWPT_ALLOC, &hwpt);

    object = hwpt.out_hwpt_id;
    return ret;
}

static int nest_smmuv3(uint64_t ste0, uint64_t ste1, uint32_t *hwpt_id)
{
    struct iommu_hwpt_arm_smmuv3 data = {{ste0, ste1}};
    struct iommu_hwpt_alloc hwpt = {.size = sizeof(hwpt),
                                    .dev_id = dev_id,
                                    .pt_id = viommu,
                                    .data_type = IOMMU_HWPT_DATA_ARM_SMMUV3,
                                    .data_len = sizeof(data),
                                    .data_uptr = (uintptr_t)&data};
    int ret = call(IOMMU_HWPT_ALLOC, &hwpt);

    *hwpt_id = hwpt.out_hwpt_id;
    return ret;
}

static void open_vtd(void)
{
    open_kernel(XINV_IOMMUFD_HW_INFO_VTD);
    cr_assert_eq(nest_vtd((struct iommu_hwpt_vtd_s1){.pgtbl_addr = 0x1000, .addr_width = 48}), 0);
}

static void open_smmuv3(bool vdevice)
{
    struct iommu_viommu_alloc alloc = {.size = sizeof(alloc), .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3};
    struct iommu_vdevice_alloc vdev = {.size = sizeof(vdev), .virt_id = 8};

    open_kernel(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3);
    alloc.dev_id = dev_id;
    alloc.hwpt_id = parent;
    cr_assert_eq(call(IOMMU_VIOMMU_ALLOC, &alloc), 0);
    object = viommu = alloc.out_viommu_id;
    vdev.viommu_id = viommu;
    vdev.dev_id = dev_id;
    if (vdevice)
        cr_assert_eq(call(IOMMU_VDEVICE_ALLOC, &vdev), 0);
}

static struct xinv_iommufd_hwpt_invalidate arg;

static int invalidate(const void *entries, uint32_t type, uint32_t len, uint32_t n)
{
    arg = (struct xinv_iommufd_hwpt_invalidate){.size = sizeof(arg),
                                                .hwpt_id = object,
                                                .data_uptr = (uintptr_t)entries,
                                                .data_type = type,
                                                .entry_len = len,
                                                .entry_num = n};
    return call(IOMMU_HWPT_INVALIDATE, &arg);
}

static int invalidate_vtd(const struct xinv_iommufd_vtd_s1_invalidate *entries, uint32_t n)
{
    return invalidate(entries, XINV_IOMMUFD_DATA_VTD_S1, 24, n);
}

static int invalidate_smmuv3(const struct xinv_iommufd_arm_smmuv3_invalidate *entries, uint32_t n)
{
    return invalidate(entries, XINV_IOMMUFD_DATA_ARM_SMMUV3, 16, n);
}

/* ---- VT-d entries ---- */

static const struct xinv_iommufd_vtd_s1_invalidate four[4] = {{.addr = 0x1000, .npages = 1},
                                                              {.addr = 0x2000, .npages = 1},
                                                              {.addr = 0x3000, .npages = 1},
                                                              {.addr = 0x4000, .npages = 1}};

Test(fake_ioctl, vtd_entries_are_done_in_order)
{
    open_vtd();
    cr_assert_eq(invalidate_vtd(four, 4), 0);
    cr_assert_eq(arg.entry_num, 4);
    cr_assert_eq(n_done, 4);
    cr_assert_eq(done[3], 0x4000);
}

#define BAD_ENTRY(name, entry, error)                                                          \
    Test(fake_ioctl, name)                                                                     \
    {                                                                                          \
        struct xinv_iommufd_vtd_s1_invalidate entries[4] = {four[0], four[1], entry, four[3]}; \
        open_vtd();                                                                            \
        cr_assert_eq(invalidate_vtd(entries, 4), -error);                                      \
        cr_assert_eq(arg.entry_num, 2);                                                        \
        cr_assert_eq(n_done, 2);                                                               \
    }
#define ENTRY(...) ((struct xinv_iommufd_vtd_s1_invalidate){__VA_ARGS__})

BAD_ENTRY(a_vtd_flag_is_unknown, ENTRY(.npages = 1, .flags = 2), EOPNOTSUPP)
BAD_ENTRY(a_vtd_entry_has_a_reserved_field, ENTRY(.npages = 1, .reserved = 1), EOPNOTSUPP)
BAD_ENTRY(a_vtd_address_is_within_a_page, ENTRY(.addr = 0x1001, .npages = 1), EINVAL)
BAD_ENTRY(everything_of_vtd_has_no_address, ENTRY(.addr = 0x1000, .npages = UINT64_MAX), EINVAL)

Test(fake_ioctl, what_vtd_does_not_look_at_passes)
{
    struct xinv_iommufd_vtd_s1_invalidate entries[2] = {
        {.addr = 0x1000}, {.addr = UINT64_C(0xfffffffffffff000), .npages = 2}};

    open_vtd();
    cr_assert_eq(invalidate_vtd(entries, 2), 0);
    cr_assert_eq(arg.entry_num, 2);
}

/* ---- The call itself ---- */

#define BAD_CALL(name, change, error)                                             \
    Test(fake_ioctl, name)                                                        \
    {                                                                             \
        open_vtd();                                                               \
        arg = (struct xinv_iommufd_hwpt_invalidate){.size = sizeof(arg),          \
                                                    .hwpt_id = object,            \
                                                    .data_uptr = (uintptr_t)four, \
                                                    .entry_len = 24,              \
                                                    .entry_num = 4};              \
        change;                                                                   \
        cr_assert_eq(call(IOMMU_HWPT_INVALIDATE, &arg), -error);                  \
        cr_assert_eq(n_done, 0);                                                  \
    }

BAD_CALL(a_call_has_a_reserved_field, arg.reserved = 1, EOPNOTSUPP)
BAD_CALL(a_call_has_no_entries, arg.data_uptr = 0, EINVAL)
BAD_CALL(entries_have_no_length, arg.entry_len = 0, EINVAL)
BAD_CALL(entries_are_longer_than_a_page, arg.entry_len = 4097, EINVAL)
BAD_CALL(entries_are_too_short, arg.entry_len = 23, EINVAL)
BAD_CALL(entries_are_too_long, arg.entry_len = 32, EINVAL)
BAD_CALL(entries_are_too_many, arg.entry_num = (1u << 19) + 1, EINVAL)
BAD_CALL(the_type_is_not_the_hwpts, arg.data_type = 1, EINVAL)
BAD_CALL(there_is_no_such_hwpt, arg.hwpt_id = 40, ENOENT)
BAD_CALL(the_hwpt_is_a_parent, arg.hwpt_id = parent, ENOENT)
BAD_CALL(a_call_is_too_short, arg.size = 28, EINVAL)
BAD_CALL(a_call_is_too_long, arg.size = 40, E2BIG)

Test(fake_ioctl, entry_num_is_0_after_an_error_of_the_call)
{
    open_vtd();
    cr_assert_eq(invalidate(four, XINV_IOMMUFD_DATA_ARM_SMMUV3, 24, 4), -EINVAL);
    cr_assert_eq(arg.entry_num, 0);
}

Test(fake_ioctl, no_entries_ask_whether_the_type_is_known)
{
    open_vtd();
    cr_assert_eq(invalidate(NULL, XINV_IOMMUFD_DATA_VTD_S1, 0, 0), 0);
    cr_assert_eq(invalidate(NULL, XINV_IOMMUFD_DATA_ARM_SMMUV3, 0, 0), -EINVAL);
}

/* ---- SMMUv3 commands ---- */

#define TLBI(n)                                 \
    {                                           \
        {                                       \
            UINT64_C(0x12), (uint64_t)(n) << 12 \
        }                                       \
    }

Test(fake_ioctl, smmuv3_takes_eight_commands)
{
    static const struct xinv_iommufd_arm_smmuv3_invalidate all[8] = {{{0x30, 0}},
                                                                     {{0x10, 0}},
                                                                     {{0x11, 0}},
                                                                     {{0x12, 0}},
                                                                     {{0x13, 0}},
                                                                     {{UINT64_C(0x800000005), 0}},
                                                                     {{UINT64_C(0x800000006), 0}},
                                                                     {{UINT64_C(0x800000040), 0}}};

    open_smmuv3(true);
    cr_assert_eq(invalidate_smmuv3(all, 8), 0);
    cr_assert_eq(arg.entry_num, 8);
    cr_assert_eq(n_done, 8);
}

Test(fake_ioctl, smmuv3_takes_no_other_command)
{
    open_smmuv3(true);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        struct xinv_iommufd_arm_smmuv3_invalidate one = {{UINT64_C(0x800000000) | opcode, 0}};
        bool known = (opcode >= 0x10 && opcode <= 0x13) || opcode == 0x30 || opcode == 5 ||
                     opcode == 6 || opcode == 0x40;

        cr_assert_eq(invalidate_smmuv3(&one, 1), known ? 0 : -EIO, "opcode %#x", opcode);
    }
}

Test(fake_ioctl, smmuv3_looks_a_virtual_streamid_up)
{
    static const struct xinv_iommufd_arm_smmuv3_invalidate atc = {{UINT64_C(0x900000040), 0}};

    open_smmuv3(true);
    cr_assert_eq(invalidate_smmuv3(&atc, 1), -EIO);
}

Test(fake_ioctl, smmuv3_counts_what_it_converted_and_did_not_issue)
{
    static const struct xinv_iommufd_arm_smmuv3_invalidate list[3] = {
        TLBI(1), TLBI(2), {{0x46, 0}}};

    open_smmuv3(true);
    cr_assert_eq(invalidate_smmuv3(list, 3), -EIO);
    cr_assert_eq(arg.entry_num, 2);
    cr_assert_eq(n_done, 0);
}

Test(fake_ioctl, smmuv3_counts_all_but_one_of_a_group_that_failed)
{
    struct xinv_iommufd_arm_smmuv3_invalidate list[130];
    struct fake_failure failure = {
        .request = IOMMU_HWPT_INVALIDATE, .times = 1, .error = ETIMEDOUT, .entry = 70};

    for (unsigned i = 0; i < 130; i++)
        list[i] = (struct xinv_iommufd_arm_smmuv3_invalidate)TLBI(i);
    open_smmuv3(true);
    cr_assert_eq(fake_fail(&k, &failure), 0);
    cr_assert_eq(invalidate_smmuv3(list, 130), -ETIMEDOUT);
    cr_assert_eq(n_done, 63);
    cr_assert_eq(arg.entry_num, 125); /* up to and including the second group of 63, less one */
}

/* ---- Failures that are asked for ---- */

Test(fake_ioctl, a_failure_comes_when_and_as_often_as_it_is_planned)
{
    struct fake_failure failure = {
        .request = IOMMU_HWPT_INVALIDATE, .after = 1, .times = 2, .error = EIO, .entry = 3};

    open_vtd();
    cr_assert_eq(fake_fail(&k, &failure), 0);
    cr_assert_eq(invalidate_vtd(four, 4), 0);
    cr_assert_eq(invalidate_vtd(four, 4), -EIO);
    cr_assert_eq(arg.entry_num, 3);
    cr_assert_eq(n_done, 7);
    cr_assert_eq(invalidate_vtd(four, 4), -EIO);
    cr_assert_eq(invalidate_vtd(four, 4), 0);
}

Test(fake_ioctl, a_failure_of_another_call_leaves_everything_as_it_was)
{
    struct fake_failure failure = {.request = IOMMU_HWPT_ALLOC, .times = 1, .error = ENOMEM};
    struct fake_object before[FAKE_OBJECTS];

    open_vtd();
    memcpy(before, k.object, sizeof(before));
    cr_assert_eq(fake_fail(&k, &failure), 0);
    cr_assert_eq(nest_vtd((struct iommu_hwpt_vtd_s1){.addr_width = 48}), -ENOMEM);
    cr_assert_eq(memcmp(before, k.object, sizeof(before)), 0);
}

/* ---- Objects ---- */

Test(fake_ioctl, hardware_information_is_cut_or_filled_with_zeroes)
{
    uint64_t buffer[8];
    struct xinv_iommufd_hw_info info = {
        .size = sizeof(info), .data_len = sizeof(buffer), .data_uptr = (uintptr_t)buffer};

    open_vtd();
    info.dev_id = dev_id;
    memset(buffer, 0xff, sizeof(buffer));
    cr_assert_eq(call(IOMMU_GET_HW_INFO, &info), 0);
    cr_assert_eq(info.out_data_type, XINV_IOMMUFD_HW_INFO_VTD);
    cr_assert_eq(info.data_len, 24);
    cr_assert_eq(buffer[2], 3);
    cr_assert_eq(buffer[3], 0);
    cr_assert_eq(buffer[7], 0);
    memset(buffer, 0xff, sizeof(buffer));
    info.data_len = 8;
    cr_assert_eq(call(IOMMU_GET_HW_INFO, &info), 0);
    cr_assert_eq(info.data_len, 24);
    cr_assert_eq(buffer[1], UINT64_MAX);
    info.dev_id = 40;
    cr_assert_eq(call(IOMMU_GET_HW_INFO, &info), -ENOENT);
}

Test(fake_ioctl, a_vtd_table_is_checked)
{
    open_vtd();
    cr_assert_eq(nest_vtd((struct iommu_hwpt_vtd_s1){.flags = 8, .addr_width = 48}), -EOPNOTSUPP);
    cr_assert_eq(nest_vtd((struct iommu_hwpt_vtd_s1){.reserved = 1, .addr_width = 48}),
                 -EOPNOTSUPP);
    cr_assert_eq(nest_vtd((struct iommu_hwpt_vtd_s1){.pgtbl_addr = 8, .addr_width = 48}), -EINVAL);
    cr_assert_eq(nest_vtd((struct iommu_hwpt_vtd_s1){.addr_width = 39}), -EINVAL);
}

Test(fake_ioctl, an_ste_has_no_other_bits_than_a_guest_may_set)
{
    uint32_t id;

    open_smmuv3(true);
    cr_assert_eq(nest_smmuv3(UINT64_C(0xf800000040000a2b), UINT64_C(0x380000ff), &id), 0);
    cr_assert_eq(nest_smmuv3(UINT64_C(0x4000000b) | UINT64_C(1) << 52, 0, &id), -EIO);
    cr_assert_eq(nest_smmuv3(UINT64_C(0x4000000b), UINT64_C(1) << 26, &id), -EIO);
    cr_assert_eq(nest_smmuv3(9, 0, &id), 0);     /* bypass */
    cr_assert_eq(nest_smmuv3(1, 0, &id), 0);     /* abort */
    cr_assert_eq(nest_smmuv3(13, 0, &id), -EIO); /* stage 2 */
}

static int attach(uint32_t hwpt_id)
{
    struct vfio_device_attach_iommufd_pt at = {.argsz = sizeof(at), .pt_id = hwpt_id};

    return fake_ioctl(&k, FAKE_IOMMUFD + 1, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &at);
}

Test(fake_ioctl, stage_1_of_smmuv3_takes_a_vdevice_and_bypass_does_not)
{
    uint32_t stage1;
    uint32_t bypass;

    open_smmuv3(false);
    cr_assert_eq(nest_smmuv3(UINT64_C(0x4000000b), 0, &stage1), 0);
    cr_assert_eq(nest_smmuv3(9, 0, &bypass), 0);
    cr_assert_eq(attach(stage1), -EINVAL);
    cr_assert_eq(attach(bypass), 0);
}

Test(fake_ioctl, a_virtual_streamid_is_given_once)
{
    struct iommu_vdevice_alloc vdev = {.size = sizeof(vdev), .virt_id = 8};

    open_smmuv3(true);
    vdev.viommu_id = viommu;
    vdev.dev_id = dev_id;
    cr_assert_eq(call(IOMMU_VDEVICE_ALLOC, &vdev), -EEXIST);
}

Test(fake_ioctl, an_object_in_use_cannot_be_destroyed)
{
    struct iommu_destroy destroy = {.size = sizeof(destroy)};
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};

    open_vtd();
    destroy.id = parent;
    cr_assert_eq(call(IOMMU_DESTROY, &destroy), -EBUSY);
    cr_assert_eq(attach(object), 0);
    destroy.id = object;
    cr_assert_eq(call(IOMMU_DESTROY, &destroy), -EBUSY);
    cr_assert_eq(fake_ioctl(&k, FAKE_IOMMUFD + 1, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), 0);
    cr_assert_eq(call(IOMMU_DESTROY, &destroy), 0);
    cr_assert_eq(call(IOMMU_DESTROY, &destroy), -ENOENT);
    destroy.id = parent;
    cr_assert_eq(call(IOMMU_DESTROY, &destroy), 0);
}

Test(fake_ioctl, other_calls_and_descriptors_are_refused)
{
    struct iommu_destroy destroy = {.size = sizeof(destroy)};

    open_vtd();
    cr_assert_eq(call(0x3b8bu, &destroy), -ENOTTY);
    cr_assert_eq(call(IOMMU_DESTROY, NULL), -EFAULT);
    cr_assert_eq(fake_ioctl(&k, FAKE_IOMMUFD + 3, IOMMU_DESTROY, &destroy), -EBADF);
    cr_assert_eq(fake_ioctl(&k, FAKE_IOMMUFD + 1, IOMMU_DESTROY, &destroy), -ENOTTY);
}
