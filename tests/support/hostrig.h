// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* A list for the kernel's ioctl, and the calls that come of it. */
#ifndef XINV_TESTS_HOSTRIG_H
#define XINV_TESTS_HOSTRIG_H

#include <xinv/iommufd.h>

#define HOST_WORDS 65536
#define HOST_STEPS 256
#define HOST_CALLS 128

#define HOST_HWPT   6u /* a nested HWPT */
#define HOST_VIOMMU 3u
#define HOST_SID    8u /* a virtual StreamID */
#define HOST_ASID   5u
#define HOST_SSID   3u

struct hostrig {
    struct xinv_iommu iommu;
    struct xinv_out out;
    struct xinv_report report;
    uint64_t words[HOST_WORDS];
    struct xinv_step steps[HOST_STEPS];
    struct xinv_iommufd_hwpt_invalidate calls[HOST_CALLS];
    int n_calls;
};

/* "iommufd-vtd-s1" or "iommufd-arm-smmuv3", with one feature changed unless that is NULL */
void host_open(struct hostrig *h, const char *platform, const char *feature, uint16_t value);

/* The endpoint HOST_SID on HOST_HWPT or HOST_VIOMMU, with HOST_ASID; its ATC is on. */
struct xinv_attachment host_attachment(void);

/* A leaf of the guest's stage 1 unmapped, or an explicit request. */
struct xinv_request host_unmap(uint64_t first, uint64_t last);
struct xinv_request host_invalidate(uint8_t caches, uint8_t scope);

/* Translates, asserts that it can be done, and makes the calls; returns how many. */
int host_run(struct hostrig *h, const struct xinv_attachment *at, size_t n,
             const struct xinv_request *request, const struct xinv_policy *policy);

/* What xinv_translate() returns, without a buffer. */
int host_try(struct hostrig *h, const struct xinv_attachment *at, size_t n,
             const struct xinv_request *request);

/* The words of an entry of a call. */
const uint64_t *host_entry(const struct hostrig *h, int call, uint32_t entry);

#endif
