// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The user API of Linux as <xinv/iommufd.h> has it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stddef.h>

#include <xinv/iommufd.h>
#include <xinv/session.h>

/* Headers of Linux older than 6.13 have no vIOMMU, older than 6.6 nothing of this. */
#if __has_include(<linux/iommufd.h>)
#include <linux/iommufd.h>
#endif

#ifdef IOMMU_VIOMMU_ALLOC
#define SAME(ours, theirs, our_field, their_field)                                        \
    cr_assert_eq(offsetof(struct ours, our_field), offsetof(struct theirs, their_field)); \
    cr_assert_eq(sizeof(((struct ours *)0)->our_field), sizeof(((struct theirs *)0)->their_field))
#endif

Test(iommufd, structures_are_laid_out_as_the_installed_header_of_linux_has_them)
{
#ifndef IOMMU_VIOMMU_ALLOC
    cr_skip("linux/iommufd.h is not installed, or older than 6.13");
#else
    cr_assert_eq(sizeof(struct xinv_iommufd_hw_info), sizeof(struct iommu_hw_info));
    SAME(xinv_iommufd_hw_info, iommu_hw_info, size, size);
    SAME(xinv_iommufd_hw_info, iommu_hw_info, flags, flags);
    SAME(xinv_iommufd_hw_info, iommu_hw_info, dev_id, dev_id);
    SAME(xinv_iommufd_hw_info, iommu_hw_info, data_len, data_len);
    SAME(xinv_iommufd_hw_info, iommu_hw_info, data_uptr, data_uptr);
    SAME(xinv_iommufd_hw_info, iommu_hw_info, out_data_type, out_data_type);
    SAME(xinv_iommufd_hw_info, iommu_hw_info, out_capabilities, out_capabilities);
    cr_assert_eq(sizeof(struct xinv_iommufd_hw_info_vtd), sizeof(struct iommu_hw_info_vtd));
    SAME(xinv_iommufd_hw_info_vtd, iommu_hw_info_vtd, flags, flags);
    SAME(xinv_iommufd_hw_info_vtd, iommu_hw_info_vtd, cap_reg, cap_reg);
    SAME(xinv_iommufd_hw_info_vtd, iommu_hw_info_vtd, ecap_reg, ecap_reg);
    cr_assert_eq(sizeof(struct xinv_iommufd_hw_info_arm_smmuv3),
                 sizeof(struct iommu_hw_info_arm_smmuv3));
    SAME(xinv_iommufd_hw_info_arm_smmuv3, iommu_hw_info_arm_smmuv3, flags, flags);
    SAME(xinv_iommufd_hw_info_arm_smmuv3, iommu_hw_info_arm_smmuv3, idr, idr);
    SAME(xinv_iommufd_hw_info_arm_smmuv3, iommu_hw_info_arm_smmuv3, iidr, iidr);
    SAME(xinv_iommufd_hw_info_arm_smmuv3, iommu_hw_info_arm_smmuv3, aidr, aidr);
    cr_assert_eq(sizeof(struct xinv_iommufd_hwpt_invalidate), sizeof(struct iommu_hwpt_invalidate));
    SAME(xinv_iommufd_hwpt_invalidate, iommu_hwpt_invalidate, size, size);
    SAME(xinv_iommufd_hwpt_invalidate, iommu_hwpt_invalidate, hwpt_id, hwpt_id);
    SAME(xinv_iommufd_hwpt_invalidate, iommu_hwpt_invalidate, data_uptr, data_uptr);
    SAME(xinv_iommufd_hwpt_invalidate, iommu_hwpt_invalidate, data_type, data_type);
    SAME(xinv_iommufd_hwpt_invalidate, iommu_hwpt_invalidate, entry_len, entry_len);
    SAME(xinv_iommufd_hwpt_invalidate, iommu_hwpt_invalidate, entry_num, entry_num);
    cr_assert_eq(sizeof(struct xinv_iommufd_vtd_s1_invalidate),
                 sizeof(struct iommu_hwpt_vtd_s1_invalidate));
    SAME(xinv_iommufd_vtd_s1_invalidate, iommu_hwpt_vtd_s1_invalidate, addr, addr);
    SAME(xinv_iommufd_vtd_s1_invalidate, iommu_hwpt_vtd_s1_invalidate, npages, npages);
    SAME(xinv_iommufd_vtd_s1_invalidate, iommu_hwpt_vtd_s1_invalidate, flags, flags);
    cr_assert_eq(sizeof(struct xinv_iommufd_arm_smmuv3_invalidate),
                 sizeof(struct iommu_viommu_arm_smmuv3_invalidate));
#endif
}

Test(iommufd, numbers_are_those_of_the_installed_header_of_linux)
{
#ifndef IOMMU_VIOMMU_ALLOC
    cr_skip("linux/iommufd.h is not installed, or older than 6.13");
#else
    cr_assert_eq(XINV_IOMMUFD_GET_HW_INFO, IOMMU_GET_HW_INFO);
    cr_assert_eq(XINV_IOMMUFD_HWPT_INVALIDATE, IOMMU_HWPT_INVALIDATE);
    cr_assert_eq(XINV_IOMMUFD_HW_INFO_NONE, (unsigned)IOMMU_HW_INFO_TYPE_NONE);
    cr_assert_eq(XINV_IOMMUFD_HW_INFO_VTD, (unsigned)IOMMU_HW_INFO_TYPE_INTEL_VTD);
    cr_assert_eq(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, (unsigned)IOMMU_HW_INFO_TYPE_ARM_SMMUV3);
    cr_assert_eq(XINV_IOMMUFD_DATA_VTD_S1, (unsigned)IOMMU_HWPT_INVALIDATE_DATA_VTD_S1);
    cr_assert_eq(XINV_IOMMUFD_DATA_ARM_SMMUV3, (unsigned)IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3);
    cr_assert_eq(XINV_IOMMUFD_VTD_LEAF, (unsigned)IOMMU_VTD_INV_FLAGS_LEAF);
#endif
}

Test(iommufd, errno_values_are_those_of_linux)
{
    cr_assert_eq(XINV_LINUX_ENOENT, ENOENT);
    cr_assert_eq(XINV_LINUX_EINTR, EINTR);
    cr_assert_eq(XINV_LINUX_EIO, EIO);
    cr_assert_eq(XINV_LINUX_EAGAIN, EAGAIN);
    cr_assert_eq(XINV_LINUX_ENOMEM, ENOMEM);
    cr_assert_eq(XINV_LINUX_EFAULT, EFAULT);
    cr_assert_eq(XINV_LINUX_EBUSY, EBUSY);
    cr_assert_eq(XINV_LINUX_EINVAL, EINVAL);
    cr_assert_eq(XINV_LINUX_ENOTTY, ENOTTY);
    cr_assert_eq(XINV_LINUX_ERANGE, ERANGE);
    cr_assert_eq(XINV_LINUX_ENOSYS, ENOSYS);
    cr_assert_eq(XINV_LINUX_EOPNOTSUPP, EOPNOTSUPP);
    cr_assert_eq(XINV_LINUX_ETIMEDOUT, ETIMEDOUT);
}

/* The table of virtio-iommu statuses that the Linux guest driver turns into errno values. */
Test(iommufd, a_status_is_the_one_that_a_linux_guest_reads_as_the_same_errno)
{
    static const struct {
        int error;
        uint8_t status;
    } expect[] = {
        {0, XINV_VIRTIO_OK},
        {ENOSYS, XINV_VIRTIO_UNSUPP},
        {EOPNOTSUPP, XINV_VIRTIO_UNSUPP},
        {ENOTTY, XINV_VIRTIO_UNSUPP},
        {EINVAL, XINV_VIRTIO_INVAL},
        {ERANGE, XINV_VIRTIO_RANGE},
        {ENOENT, XINV_VIRTIO_NOENT},
        {EFAULT, XINV_VIRTIO_FAULT},
        {ENOMEM, XINV_VIRTIO_NOMEM},
        {EIO, XINV_VIRTIO_DEVERR},
        {ETIMEDOUT, XINV_VIRTIO_DEVERR},
        {EINTR, XINV_VIRTIO_DEVERR},
        {-1, XINV_VIRTIO_DEVERR},
    };

    for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++)
        cr_assert_eq(xinv_iommufd_status(expect[i].error), expect[i].status, "errno %d",
                     expect[i].error);
}
