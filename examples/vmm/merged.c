// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * The merged protocol (virtio 1.3): MAP and UNMAP, in tables that the VMM keeps.
 *
 * A session of the library knows endpoints, domains, mappings and what each request may be refused
 * for; it also hands out ASIDs. What it would tell the hardware is not asked for: the kernel is
 * told by its own names instead.
 */
#include "device_impl.h"

/* The users of a table of the VMM's: what it has put in the CD is known, too. */
static size_t table_users(struct device *d, struct device_domain *domain, uint32_t iommu,
                          struct xinv_attachment *at)
{
    size_t n = device_users(d, domain, iommu, at);

    for (size_t i = 0; i < n && device_is_smmuv3(d); i++) {
        at[i].known |= TAG(ASID);
        at[i].asid = domain->asid[iommu];
    }
    return n;
}

/* A CD (SMMUv3 5.4) of a VMM's table, and the STE that points to it. */
static void write_cd(struct device *d, const struct device_domain *domain, uint32_t iommu,
                     struct wire_table *table)
{
    uint64_t *cd = arena_at(&d->arena, domain->cds) + (size_t)8 * iommu;

    cd[0] = (64 - TABLE_ADDRESS_BITS)       /* T0SZ; TG0 0: 4 KiB */
            | 1u << 8 | 1u << 10 | 3u << 12 /* IR0, OR0, SH0: as the STE has them for CDs */
            | UINT64_C(1) << 30             /* EPD1: no second table */
            | UINT64_C(1) << 31             /* V */
            | UINT64_C(5) << 32             /* IPS: 48 bits */
            | UINT64_C(1) << 41             /* AA64 */
            | UINT64_C(3) << 45             /* R, A: record faults, abort the access */
            | (uint64_t)domain->asid[iommu] << 48;
    cd[1] = domain->table.root; /* TTB0 */
    cd[3] = 0xff;               /* MAIR: attribute 0 is write-back memory */
    table->ste[0] = 1 | UINT64_C(5) << 1 | (domain->cds + UINT64_C(64) * iommu);
    table->ste[1] = 1u << 2 | 1u << 4 | 3u << 6;
}

/* Makes the VMM's table of a domain where it is missing, and attaches the device to it. */
static int enter_session(struct device *d, uint32_t id, struct host_device *device)
{
    struct device_domain *domain = device_find_domain(d, id);
    struct wire_table table = {.addr_width = TABLE_ADDRESS_BITS};
    struct xinv_attachment at[HOST_DEVICES];

    if (!domain)
        domain = device_new_domain(d, id);
    if (!domain)
        return -XINV_LINUX_ENOMEM;
    if (!domain->table.root &&
        !table_init(&domain->table, &d->arena, device_is_smmuv3(d) ? &table_smmuv3 : &table_vtd))
        return -XINV_LINUX_ENOMEM;
    table.pgd = domain->table.root;
    if (device_is_smmuv3(d)) {
        if (!domain->cds)
            domain->cds = arena_take(&d->arena);
        if (!domain->cds ||
            xinv_session_attachments(d->session, id, device->iommu, at, HOST_DEVICES) < 1)
            return -XINV_LINUX_ENOMEM;
        domain->asid[device->iommu] = at[0].asid;
        write_cd(d, domain, device->iommu, &table);
    }
    return device_enter(d, domain, device, &table);
}

static int ask_session(struct device *d, struct request *r, struct xinv_outcome *outcome)
{
    /* no table page is freed before its domain is, and all leaves are pages */
    static const struct xinv_unmap_hint hint = {.known = 1, .leaf_only = 1, .log2_leaf_size = 12};
    int ret = xinv_session_request(d->session, r->readable, r->n_readable, r->writable,
                                   r->n_writable, &hint, NULL, NULL, NULL, NULL, outcome);

    r->status = outcome->status;
    r->written = outcome->written;
    if (ret < 0)
        device_answer(r, device_status(ret));
    return r->status;
}

/* Takes back an ATTACH that the host could not follow. */
static void take_back(struct device *d, struct host_device *device, uint32_t domain)
{
    uint8_t detach[20] = {XINV_VIRTIO_DETACH};
    uint8_t reply[4];
    struct xinv_outcome outcome;

    wire_store(detach + 4, 4, domain);
    wire_store(detach + 8, 4, device->endpoint);
    xinv_session_request(d->session, detach, sizeof(detach), reply, sizeof(reply), NULL, NULL, NULL,
                         NULL, NULL, &outcome);
    xinv_session_complete(d->session, outcome.token);
    host_block(d->host, device);
}

static void merged_attach(struct device *d, struct request *r)
{
    struct xinv_outcome outcome;
    struct host_device *device;
    int error;

    if (ask_session(d, r, &outcome))
        return;
    device = device_find_endpoint(d, outcome.endpoint);
    if (wire_load(r->readable + 12, 4) & 1) /* BYPASS: no stage 1 at all */
        error = host_attach(d->host, device, d->host->iommu[device->iommu].parent);
    else
        error = enter_session(d, outcome.domain, device);
    if (error) {
        take_back(d, device, outcome.domain);
        device_answer(r, xinv_iommufd_status(-error));
    }
    xinv_session_complete(d->session, outcome.token);
}

static void merged_detach(struct device *d, struct request *r)
{
    struct xinv_outcome outcome;

    if (ask_session(d, r, &outcome))
        return;
    if (host_block(d->host, device_find_endpoint(d, outcome.endpoint)))
        device_answer(r, XINV_VIRTIO_DEVERR);
    xinv_session_complete(d->session, outcome.token);
}

static void merged_map(struct device *d, struct request *r)
{
    const uint8_t *b = r->readable;
    struct device_domain *domain = NULL;
    struct xinv_outcome outcome;

    if (r->n_readable == 36) /* domain 4, virt_start 8, virt_end 16, phys_start 24, flags 32 */
        domain = device_find_domain(d, (uint32_t)wire_load(b + 4, 4));
    if (domain && wire_load(b + 8, 8) <= wire_load(b + 16, 8) &&
        !table_prepare(&domain->table, wire_load(b + 8, 8), wire_load(b + 16, 8))) {
        device_answer(r, XINV_VIRTIO_NOMEM);
        return;
    }
    if (!ask_session(d, r, &outcome) && domain)
        table_map(&domain->table, outcome.first, outcome.last, wire_load(b + 24, 8),
                  wire_load(b + 32, 4) & 2);
}

static void merged_unmap(struct device *d, struct request *r)
{
    struct xinv_request change = {.change = XINV_CHANGE_STAGE1_PTE,
                                  .flags =
                                      XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY | XINV_REQ_LEAVES_WITHIN,
                                  .log2_leaf_size = 12};
    struct device_domain *domain;
    struct xinv_outcome outcome;
    int ret;

    if (ask_session(d, r, &outcome))
        return;
    domain = device_find_domain(d, outcome.domain);
    change.first = outcome.first;
    change.last = outcome.last;
    if (!domain || !table_unmap(&domain->table, &change.first, &change.last))
        return;
    r->waits = true;
    ret = device_queue(d, domain, &change, table_users);
    if (ret) {
        device_block_users(d, domain);
        device_answer(r, XINV_VIRTIO_DEVERR);
    }
}

/*
 * ASIDs of IOMMUs that a domain has no endpoint behind any more: the session hands them out again,
 * and the kernel knows nothing of them, so nothing may be left of them in the SMMU. Nested HWPTs of
 * VT-d have tags of the kernel's.
 */
static void release_asids(struct device *d, struct device_domain *domain)
{
    for (uint32_t i = 0; i < d->host->n_iommus; i++) {
        struct xinv_request all = {.flags = XINV_REQ_INVALIDATE | XINV_REQ_ASID,
                                   .caches = XINV_INV_IOTLB,
                                   .scope = XINV_SCOPE_PASID,
                                   .asid = domain->asid[i]};
        struct xinv_attachment at = {.stage = XINV_STAGE_NESTED,
                                     .known = TAG(VMID) | TAG(ASID),
                                     .vmid = d->host->iommu[i].viommu,
                                     .asid = domain->asid[i]};
        struct xinv_attachment left[HOST_DEVICES];

        if (!domain->asid[i] ||
            xinv_session_attachments(d->session, domain->id, i, left, HOST_DEVICES) > 0)
            continue;
        domain->asid[i] = 0;
        if (host_queue(d->host, i, &at, 1, &all))
            host_owe(d->host, at.vmid);
    }
}

/* What the session has given up: ASIDs, and domains with their last endpoint. */
static void drop_unused(struct device *d)
{
    for (unsigned i = 0; i < DEVICE_DOMAINS; i++)
        if (d->domain[i].used)
            release_asids(d, &d->domain[i]);
    device_flush(d);
    for (unsigned i = 0; i < DEVICE_DOMAINS; i++)
        if (d->domain[i].used && xinv_session_mappings(d->session, d->domain[i].id) < 0)
            device_drop_domain(d, &d->domain[i]);
}

void merged_request(struct device *d, struct request *r, unsigned type)
{
    struct xinv_outcome outcome;

    switch (type) {
    case XINV_VIRTIO_ATTACH:
        merged_attach(d, r);
        drop_unused(d);
        break;
    case XINV_VIRTIO_DETACH:
        merged_detach(d, r);
        drop_unused(d);
        break;
    case XINV_VIRTIO_MAP:
        merged_map(d, r);
        break;
    case XINV_VIRTIO_UNMAP:
        merged_unmap(d, r);
        break;
    default:
        ask_session(d, r, &outcome);
        break;
    }
}
