// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The way to the kernel: Linux's own ioctl, or the fake one; every call is written down. */
#ifndef VMM_KERNEL_H
#define VMM_KERNEL_H

#include <stdio.h>

#include "fake_ioctl.h"

struct kernel {
    struct fake_kernel *fake; /* NULL: Linux */
    int iommufd;
    FILE *log;                     /* NULL: none */
    const struct xinv_iommu *smmu; /* names the commands of SMMUv3 in the log; may be NULL */
};

/*
 * kernel_call - one ioctl
 * returns: 0, or a negative errno
 */
int kernel_call(const struct kernel *kernel, int fd, uint32_t request, void *arg);

/* kernel_errno - an errno by its name, or 0 */
int kernel_errno(const char *name);

/* kernel_request - an ioctl of uapi.h by its name, or 0 */
uint32_t kernel_request(const char *name);

#endif
