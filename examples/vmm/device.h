// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The virtio-iommu device: the requests of one notification in, responses back, and between them
 * the host made to forget what is stale.
 *
 * With the merged protocol the VMM keeps the guest's mappings in tables of its own: a MAP is a
 * write to memory, and the UNMAPs of one notification are one ioctl. With the drafts C and D the
 * tables are the guest's (wire.h) and INVALIDATE says what is stale in them.
 */
#ifndef VMM_DEVICE_H
#define VMM_DEVICE_H

#include "host.h"
#include "table.h"
#include "wire.h"

#define DEVICE_DOMAINS  16
#define DEVICE_MAPPINGS 4096
#define DEVICE_LISTS    8 /* prepared ones, of the domains that a guest uses most */

struct request {
    const uint8_t *readable;
    size_t n_readable;
    uint8_t *writable;
    size_t n_writable;
    /* out */
    uint32_t written; /* used length */
    uint8_t status;
    bool waits; /* for entries that are queued */
};

struct device_domain {
    bool used;
    uint32_t id;
    struct table table;            /* merged: kept by the VMM */
    uint32_t asid[HOST_IOMMUS];    /* merged, SMMUv3 */
    uint64_t cds;                  /* merged, SMMUv3: page with a CD for each IOMMU */
    struct wire_table guest;       /* drafts: the guest's */
    uint32_t hwpt[HOST_IOMMUS][2]; /* without and with ATS, which is a field of an STE; 0: none */
};

struct device {
    /* set by the caller */
    struct host *host;
    enum dialect dialect;
    struct arena arena;

    struct xinv_iommu model; /* merged: whose tags and rules the session's domains have */
    struct xinv_session *session;
    struct device_domain domain[DEVICE_DOMAINS];
    struct device_domain *in[HOST_DEVICES]; /* drafts: where a device is attached */
    struct request *requests;               /* of this notification, as far as they are handled */
    unsigned n_requests;
    _Alignas(16) unsigned char memory[1 << 20];
};

/* device_init - after host_open(); returns 0, or an error of the library */
int device_init(struct device *device);

/* device_kick - the requests of one notification; the responses may be published on return */
void device_kick(struct device *device, struct request *requests, unsigned n);

#endif
