// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The objects of Linux's /dev/iommu that a VMM with nested translation makes, and VFIO's part of
 * it: linux/iommufd.h (6.13) and linux/vfio.h (6.6). IOMMU_GET_HW_INFO and IOMMU_HWPT_INVALIDATE
 * are in <xinv/iommufd.h>. A program for Linux alone can include the kernel's headers instead.
 */
#ifndef VMM_UAPI_H
#define VMM_UAPI_H

#include <stdint.h>
#include <xinv/iommufd.h>

/* _IO(';', number) */
#define IOMMU_DESTROY                 0x3b80u
#define IOMMU_IOAS_ALLOC              0x3b81u
#define IOMMU_IOAS_MAP                0x3b85u
#define IOMMU_HWPT_ALLOC              0x3b89u
#define IOMMU_GET_HW_INFO             XINV_IOMMUFD_GET_HW_INFO
#define IOMMU_HWPT_INVALIDATE         XINV_IOMMUFD_HWPT_INVALIDATE
#define IOMMU_VIOMMU_ALLOC            0x3b90u
#define IOMMU_VDEVICE_ALLOC           0x3b91u
#define VFIO_DEVICE_BIND_IOMMUFD      0x3b76u
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT 0x3b77u
#define VFIO_DEVICE_DETACH_IOMMUFD_PT 0x3b78u

struct iommu_destroy {
    uint32_t size;
    uint32_t id;
};

struct iommu_ioas_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t out_ioas_id;
};

enum {
    IOMMU_IOAS_MAP_FIXED_IOVA = 1,
    IOMMU_IOAS_MAP_WRITEABLE = 2,
    IOMMU_IOAS_MAP_READABLE = 4
};

struct iommu_ioas_map {
    uint32_t size;
    uint32_t flags;
    uint32_t ioas_id;
    uint32_t reserved;
    uint64_t user_va;
    uint64_t length;
    uint64_t iova;
};

enum {
    IOMMU_HWPT_ALLOC_NEST_PARENT = 1
};

enum {
    IOMMU_HWPT_DATA_NONE = 0,
    IOMMU_HWPT_DATA_VTD_S1 = 1,
    IOMMU_HWPT_DATA_ARM_SMMUV3 = 2
};

struct iommu_hwpt_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t dev_id;
    uint32_t pt_id; /* an IOAS for a parent; a parent or a vIOMMU for a nested one */
    uint32_t out_hwpt_id;
    uint32_t reserved;
    uint32_t data_type;
    uint32_t data_len;
    uint64_t data_uptr;
    uint32_t fault_id;
    uint32_t reserved2;
};

struct iommu_hwpt_vtd_s1 {
    uint64_t flags;
    uint64_t pgtbl_addr; /* guest-physical */
    uint32_t addr_width;
    uint32_t reserved;
};

struct iommu_hwpt_arm_smmuv3 {
    uint64_t ste[2]; /* of the guest, little-endian */
};

enum {
    IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1
};

struct iommu_viommu_alloc {
    uint32_t size;
    uint32_t flags;
    uint32_t type;
    uint32_t dev_id;
    uint32_t hwpt_id; /* the nesting parent */
    uint32_t out_viommu_id;
    uint32_t data_len;
    uint32_t reserved;
    uint64_t data_uptr;
};

struct iommu_vdevice_alloc {
    uint32_t size;
    uint32_t viommu_id;
    uint32_t dev_id;
    uint32_t out_vdevice_id;
    uint64_t virt_id; /* the virtual StreamID */
};

struct vfio_device_bind_iommufd {
    uint32_t argsz;
    uint32_t flags;
    int32_t iommufd;
    uint32_t out_devid;
};

struct vfio_device_attach_iommufd_pt {
    uint32_t argsz;
    uint32_t flags;
    uint32_t pt_id;
};

struct vfio_device_detach_iommufd_pt {
    uint32_t argsz;
    uint32_t flags;
};

_Static_assert(sizeof(struct iommu_hwpt_alloc) == 48, "linux/iommufd.h");
_Static_assert(sizeof(struct iommu_hwpt_vtd_s1) == 24, "linux/iommufd.h");
_Static_assert(sizeof(struct iommu_hwpt_arm_smmuv3) == 16, "linux/iommufd.h");
_Static_assert(sizeof(struct iommu_viommu_alloc) == 40, "linux/iommufd.h");
_Static_assert(sizeof(struct iommu_vdevice_alloc) == 24, "linux/iommufd.h");
_Static_assert(sizeof(struct iommu_ioas_map) == 40, "linux/iommufd.h");

#endif
