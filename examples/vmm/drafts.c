// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The drafts C and D (wire.h): ATTACH_TABLE and INVALIDATE, with tables of the guest's. */
#include "device_impl.h"

static void drop_empty(struct device *d, struct device_domain *domain)
{
    for (uint32_t i = 0; i < d->host->n_devices; i++)
        if (d->in[i] == domain)
            return;
    device_drop_domain(d, domain);
}

static bool same_table(const struct wire_table *a, const struct wire_table *b)
{
    return a->pasids == b->pasids && a->ste[0] == b->ste[0] && a->ste[1] == b->ste[1] &&
           a->pgd == b->pgd && a->addr_width == b->addr_width;
}

static uint8_t attach_table(struct device *d, const struct request *r)
{
    struct wire_table table;
    uint8_t status = wire_attach_table(d->dialect, r->readable, r->n_readable, &table);
    struct host_device *device = device_find_endpoint(d, table.endpoint);
    struct device_domain *domain = device_find_domain(d, table.domain);
    struct device_domain *old = NULL;
    int error;

    if (status)
        return status;
    if (table.pasids != device_is_smmuv3(d))
        return XINV_VIRTIO_UNSUPP;
    if (!device)
        return XINV_VIRTIO_NOENT;
    if (domain && !same_table(&domain->guest, &table))
        return XINV_VIRTIO_INVAL;
    if (!domain)
        domain = device_new_domain(d, table.domain);
    if (!domain)
        return XINV_VIRTIO_NOMEM;
    domain->guest = table;
    error = device_enter(d, domain, device, &table);
    if (!error) {
        old = d->in[device - d->host->device];
        d->in[device - d->host->device] = domain;
    }
    if (old)
        drop_empty(d, old);
    drop_empty(d, domain);
    return xinv_iommufd_status(-error);
}

static uint8_t detach_table(struct device *d, const struct request *r)
{
    struct host_device *device;
    struct device_domain *domain;

    if (r->n_readable != 20)
        return XINV_VIRTIO_INVAL;
    device = device_find_endpoint(d, (uint32_t)wire_load(r->readable + 8, 4));
    if (!device)
        return XINV_VIRTIO_NOENT;
    domain = d->in[device - d->host->device];
    if (!domain || domain->id != (uint32_t)wire_load(r->readable + 4, 4))
        return XINV_VIRTIO_INVAL;
    if (host_block(d->host, device))
        return XINV_VIRTIO_DEVERR;
    d->in[device - d->host->device] = NULL;
    drop_empty(d, domain);
    return XINV_VIRTIO_OK;
}

static size_t guest_users(struct device *d, struct device_domain *domain, uint32_t iommu,
                          struct xinv_attachment *at)
{
    size_t n = device_users(d, domain, iommu, at);

    for (size_t i = 0; i < n && domain->guest.ste[0] >> 59; i++)
        at[i].flags |= XINV_ATT_PASIDS_UNKNOWN; /* S1CDMax: the guest has PASIDs */
    return n;
}

/*
 * Is the size one that only tables of 16 KiB or 64 KiB have? The library takes it for such a one,
 * and commands that name a granule reach its entries alone; but drivers send the size of several
 * 4 KiB pages as well.
 */
static bool names_granule(uint8_t log2_leaf)
{
    return log2_leaf == 14 || log2_leaf == 25 || log2_leaf == 36 || log2_leaf == 16 ||
           log2_leaf == 29 || log2_leaf == 42;
}

static uint8_t invalidate(struct device *d, struct request *r)
{
    struct xinv_request request;
    struct device_domain *domain;
    uint32_t id;
    uint8_t status = wire_invalidate(r->readable, r->n_readable, &id, &request);
    int ret;

    if (status)
        return status;
    domain = device_find_domain(d, id);
    if (!domain)
        return XINV_VIRTIO_NOENT;
    /* no guest asks for device TLBs, and of SMMUv3's the kernel does not think by itself */
    if (device_is_smmuv3(d) && (request.caches & XINV_INV_IOTLB))
        request.caches |= XINV_INV_DEVICE_TLB;
    r->waits = true;
    ret = device_queue(d, domain, &request, guest_users);
    if (!ret && device_is_smmuv3(d) && names_granule(request.log2_leaf_size)) {
        request.log2_granule = 12;
        ret = device_queue(d, domain, &request, guest_users);
    }
    if (ret == -XINV_E_MUST_BLOCK) /* device TLBs with PASIDs of which none is named */
        device_block_users(d, domain);
    return device_status(ret);
}

void draft_request(struct device *d, struct request *r, unsigned type)
{
    switch (type) {
    case WIRE_ATTACH_TABLE:
        device_answer(r, attach_table(d, r));
        break;
    case WIRE_INVALIDATE:
        device_answer(r, invalidate(d, r));
        break;
    case XINV_VIRTIO_DETACH:
        device_answer(r, detach_table(d, r));
        break;
    default:
        device_answer(r, XINV_VIRTIO_UNSUPP);
        break;
    }
}
