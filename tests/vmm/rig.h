// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A VMM over the fake kernel, for one test program. */
#ifndef XINV_TESTS_VMM_RIG_H
#define XINV_TESTS_VMM_RIG_H

#include <string.h>

#include "examples/vmm/device.h"

#define ARENA_PAGES 2048

static struct fake_kernel k;
static struct kernel kernel;
static struct host host;
static struct device device;
static _Alignas(4096) uint8_t memory[ARENA_PAGES * 4096];
static uint8_t busy[ARENA_PAGES];

/* @no_ats: devices without ATS, a bit each; the third device is behind an IOMMU of its own.
 * host_open() and device_init() are the caller's. */
static void vm_open(uint32_t type, enum dialect dialect, const uint32_t *endpoints,
                    unsigned n_devices, unsigned no_ats,
                    void (*removed)(void *context, uint32_t object, const void *entry))
{
    static const struct xinv_iommufd_hw_info_vtd vtd = {.cap_reg = UINT64_C(0x19ed008c40780c66),
                                                        .ecap_reg = UINT64_C(0x3ef9e86f050df)};
    static const struct xinv_iommufd_hw_info_arm_smmuv3 smmuv3 = {
        .idr = {0x080c141b, 0x00000410, 0, 0, 0, 0x75}};

    k = (struct fake_kernel){.hw_type = type, .n_devices = n_devices, .removed = removed};
    k.hw_info = type == XINV_IOMMUFD_HW_INFO_VTD ? (const void *)&vtd : (const void *)&smmuv3;
    k.hw_info_len = type == XINV_IOMMUFD_HW_INFO_VTD ? sizeof(vtd) : sizeof(smmuv3);
    k.device[2].iommu = 1;
    kernel = (struct kernel){.fake = &k, .iommufd = FAKE_IOMMUFD};
    memset(&host, 0, sizeof(host));
    host.kernel = &kernel;
    host.memory = memory;
    host.gpa = UINT64_C(0x100000000);
    host.size = sizeof(memory);
    host.n_devices = n_devices;
    for (unsigned d = 0; d < n_devices; d++)
        host.device[d] = (struct host_device){.fd = FAKE_IOMMUFD + 1 + (int)d,
                                              .endpoint = endpoints[d],
                                              .iommu = k.device[d].iommu,
                                              .ats = !(no_ats >> d & 1)};
    memset(busy, 0, sizeof(busy));
    memset(&device, 0, sizeof(device));
    device.host = &host;
    device.dialect = dialect;
    device.arena = (struct arena){memory, host.gpa, ARENA_PAGES, busy};
}

#endif
