// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What the parts of the device share. */
#ifndef VMM_DEVICE_IMPL_H
#define VMM_DEVICE_IMPL_H

#include "device.h"

#define TAG(name) XINV_TAG_BIT(XINV_TAG_##name)

/* merged.c, drafts.c: one request, to its answer; entries may have been queued for it */
void merged_request(struct device *d, struct request *r, unsigned type);
void draft_request(struct device *d, struct request *r, unsigned type);

bool device_is_smmuv3(const struct device *d);
struct device_domain *device_find_domain(struct device *d, uint32_t id);
struct device_domain *device_new_domain(struct device *d, uint32_t id); /* NULL: no room */
void device_drop_domain(struct device *d, struct device_domain *domain);
struct host_device *device_find_endpoint(struct device *d, uint32_t endpoint);

/* device_enter - attaches a device to a domain whose table is `table`; 0, or a negative errno */
int device_enter(struct device *d, struct device_domain *domain, struct host_device *device,
                 const struct wire_table *table);

/* device_status - for an error of the library */
uint8_t device_status(int error);
void device_answer(struct request *r, uint8_t status);

/* device_flush - issues what is queued; where that is in vain, the requests that wait are answered
 * with the error: their devices are blocked */
void device_flush(struct device *d);

/* A domain's users on one IOMMU, by the kernel's names; returns how many. */
typedef size_t device_users_fn(struct device *d, struct device_domain *domain, uint32_t iommu,
                               struct xinv_attachment *at);
device_users_fn device_users;

/* device_queue - entries for a request on every IOMMU of the domain; 0, or an error of the library
 */
int device_queue(struct device *d, struct device_domain *domain, const struct xinv_request *request,
                 device_users_fn *who);

/* device_block_users - what no command can make the host forget must not be used any more */
void device_block_users(struct device *d, struct device_domain *domain);

#endif
