// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include <xinv/iommufd.h>

#include <xinv/session.h>

/* The layouts of linux/iommufd.h. */
#define AT(type, field, offset) \
    _Static_assert(offsetof(struct xinv_iommufd_##type, field) == (offset), #type "." #field)
#define SIZE(type, bytes) _Static_assert(sizeof(struct xinv_iommufd_##type) == (bytes), #type)

AT(hw_info, size, 0);
AT(hw_info, flags, 4);
AT(hw_info, dev_id, 8);
AT(hw_info, data_len, 12);
AT(hw_info, data_uptr, 16);
AT(hw_info, out_data_type, 24);
AT(hw_info, out_max_pasid_log2, 28);
AT(hw_info, reserved, 29);
AT(hw_info, out_capabilities, 32);
SIZE(hw_info, 40);

AT(hw_info_vtd, flags, 0);
AT(hw_info_vtd, cap_reg, 8);
AT(hw_info_vtd, ecap_reg, 16);
SIZE(hw_info_vtd, 24);

AT(hw_info_arm_smmuv3, flags, 0);
AT(hw_info_arm_smmuv3, idr, 8);
AT(hw_info_arm_smmuv3, iidr, 32);
AT(hw_info_arm_smmuv3, aidr, 36);
SIZE(hw_info_arm_smmuv3, 40);

AT(hw_info_amd, efr, 0);
AT(hw_info_amd, efr2, 8);
SIZE(hw_info_amd, 16);

AT(hwpt_invalidate, size, 0);
AT(hwpt_invalidate, hwpt_id, 4);
AT(hwpt_invalidate, data_uptr, 8);
AT(hwpt_invalidate, data_type, 16);
AT(hwpt_invalidate, entry_len, 20);
AT(hwpt_invalidate, entry_num, 24);
AT(hwpt_invalidate, reserved, 28);
SIZE(hwpt_invalidate, 32);

AT(vtd_s1_invalidate, addr, 0);
AT(vtd_s1_invalidate, npages, 8);
AT(vtd_s1_invalidate, flags, 16);
AT(vtd_s1_invalidate, reserved, 20);
SIZE(vtd_s1_invalidate, 24);

AT(arm_smmuv3_invalidate, cmd, 0);
SIZE(arm_smmuv3_invalidate, 16);

/* The errno that a Linux guest's driver makes of a status, the other way round. */
uint8_t xinv_iommufd_status(int linux_errno)
{
    switch (linux_errno) {
    case 0:
        return XINV_VIRTIO_OK;
    case XINV_LINUX_ENOSYS:
    case XINV_LINUX_EOPNOTSUPP:
    case XINV_LINUX_ENOTTY: /* a kernel without the ioctl */
        return XINV_VIRTIO_UNSUPP;
    case XINV_LINUX_EINVAL:
        return XINV_VIRTIO_INVAL;
    case XINV_LINUX_ERANGE:
        return XINV_VIRTIO_RANGE;
    case XINV_LINUX_ENOENT:
        return XINV_VIRTIO_NOENT;
    case XINV_LINUX_EFAULT:
        return XINV_VIRTIO_FAULT;
    case XINV_LINUX_ENOMEM:
        return XINV_VIRTIO_NOMEM;
    default:
        return XINV_VIRTIO_DEVERR;
    }
}
