// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * A stand-in for the kernel behind /dev/iommu: it checks its arguments, keeps its objects and
 * fails as Linux 6.13 does (iommufd, intel-iommu's nested.c, arm-smmu-v3-iommufd.c), and it fails
 * when it is told to. It translates nothing; what its hardware has removed goes to `removed`.
 */
#ifndef VMM_FAKE_IOCTL_H
#define VMM_FAKE_IOCTL_H

#include "uapi.h"

#define FAKE_IOMMUFD  3 /* the descriptor of /dev/iommu; those of devices follow */
#define FAKE_DEVICES  8
#define FAKE_OBJECTS  64
#define FAKE_FAILURES 8

/* Commands that the SMMUv3 driver issues with one CMD_SYNC. */
#define FAKE_SMMUV3_GROUP 63

struct fake_device {
    uint8_t iommu; /* which physical one it is behind */
    uint8_t bound;
    uint32_t dev_id;   /* once bound */
    uint32_t attached; /* to this HWPT; 0: blocked */
};

struct fake_object {
    uint8_t kind;
    uint8_t iommu;   /* nesting parents, vIOMMUs and what stands on them: the physical one */
    uint8_t type;    /* nested HWPT: enum of its data */
    uint8_t stage1;  /* nested HWPT of SMMUv3: the STE asks for stage 1 */
    uint32_t users;  /* objects and devices that hold it */
    uint32_t on;     /* the object that it holds; vDEVICE: its vIOMMU */
    uint32_t dev_id; /* vDEVICE */
    uint32_t serial; /* IDs are used again, this is not */
    uint64_t virt_id;
};

/* The next failures of one ioctl. */
struct fake_failure {
    uint32_t request; /* 0: unused */
    uint32_t after;   /* so many of its calls pass first */
    uint32_t times;
    int error;      /* errno */
    uint32_t entry; /* IOMMU_HWPT_INVALIDATE: at this entry */
};

struct fake_kernel {
    /* set by the caller */
    uint32_t hw_type; /* XINV_IOMMUFD_HW_INFO_* */
    const void *hw_info;
    uint32_t hw_info_len;
    struct fake_device device[FAKE_DEVICES]; /* descriptors FAKE_IOMMUFD + 1 and up */
    uint32_t n_devices;
    void (*removed)(void *context, uint32_t object, const void *entry); /* may be NULL */
    void *context;

    struct fake_failure failure[FAKE_FAILURES];
    struct fake_object object[FAKE_OBJECTS]; /* the ID of an object is its index */
    uint32_t n_created;
    uint32_t n_invalidations; /* calls of IOMMU_HWPT_INVALIDATE */
};

/*
 * fake_ioctl - one call
 * returns: 0, or a negative errno; out fields are written as the kernel does,
 * IOMMU_HWPT_INVALIDATE's entry_num after an error as well
 */
int fake_ioctl(struct fake_kernel *kernel, int fd, uint32_t request, void *arg);

/* fake_fail - plans a failure; returns 0, or -1 if there are too many */
int fake_fail(struct fake_kernel *kernel, const struct fake_failure *failure);

#endif
