// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "device_impl.h"

#include <inttypes.h>
#include <xinv/platforms.h>

bool device_is_smmuv3(const struct device *d)
{
    return d->host->type == XINV_IOMMUFD_HW_INFO_ARM_SMMUV3;
}

/* ---- Domains ---- */

struct device_domain *device_find_domain(struct device *d, uint32_t id)
{
    for (unsigned i = 0; i < DEVICE_DOMAINS; i++)
        if (d->domain[i].used && d->domain[i].id == id)
            return &d->domain[i];
    return NULL;
}

struct device_domain *device_new_domain(struct device *d, uint32_t id)
{
    for (unsigned i = 0; i < DEVICE_DOMAINS; i++)
        if (!d->domain[i].used) {
            d->domain[i] = (struct device_domain){.used = true, .id = id};
            return &d->domain[i];
        }
    return NULL;
}

/* No device is attached any more, so the kernel lets go of its objects. */
void device_drop_domain(struct device *d, struct device_domain *domain)
{
    for (unsigned i = 0; i < HOST_IOMMUS * 2; i++)
        if (domain->hwpt[i / 2][i % 2])
            host_destroy(d->host, domain->hwpt[i / 2][i % 2]);
    if (domain->table.root)
        table_free(&domain->table);
    if (domain->cds)
        arena_give(&d->arena, domain->cds);
    domain->used = false;
}

struct host_device *device_find_endpoint(struct device *d, uint32_t endpoint)
{
    for (uint32_t i = 0; i < d->host->n_devices; i++)
        if (d->host->device[i].endpoint == endpoint)
            return &d->host->device[i];
    return NULL;
}

/* The HWPT that a device translates through in a domain. */
static uint32_t *hwpt_of(struct device *d, struct device_domain *domain,
                         const struct host_device *device)
{
    return &domain->hwpt[device->iommu][device_is_smmuv3(d) && device->ats];
}

/* Attaches a device to a domain, whose table is `table`. */
int device_enter(struct device *d, struct device_domain *domain, struct host_device *device,
                 const struct wire_table *table)
{
    struct iommu_hwpt_arm_smmuv3 ste = {.ste = {table->ste[0], table->ste[1]}};
    struct iommu_hwpt_vtd_s1 s1 = {.pgtbl_addr = table->pgd, .addr_width = table->addr_width};
    const void *data = device_is_smmuv3(d) ? (const void *)&ste : (const void *)&s1;
    uint32_t *hwpt = hwpt_of(d, domain, device);
    int ret = 0;

    if (device->ats)
        ste.ste[1] |= UINT64_C(1) << 28; /* EATS: translate (SMMUv3 5.2) */
    if (!*hwpt)
        ret = host_nest(d->host, device, data, hwpt);
    return ret ? ret : host_attach(d->host, device, *hwpt);
}

/* ---- Entries that wait ---- */

/* The status of a request for which the library makes no list. */
uint8_t device_status(int error)
{
    switch (error) {
    case 0:
        return XINV_VIRTIO_OK;
    case -XINV_E_RANGE:
    case -XINV_E_TAG:
        return XINV_VIRTIO_RANGE;
    case -XINV_E_UNSUPP:
        return XINV_VIRTIO_UNSUPP;
    case -XINV_E_INVAL:
        return XINV_VIRTIO_INVAL;
    default:
        return XINV_VIRTIO_DEVERR;
    }
}

void device_answer(struct request *r, uint8_t status)
{
    wire_reply(r->writable, r->n_writable, status);
    r->written = r->n_writable < 4 ? 0 : (uint32_t)r->n_writable;
    r->status = status;
}

/* Issues what waits. Where that is in vain, devices are blocked, and the guest is told. */
void device_flush(struct device *d)
{
    int error = host_flush(d->host);

    for (unsigned i = 0; i < d->n_requests; i++) {
        if (d->requests[i].waits && error)
            device_answer(&d->requests[i], xinv_iommufd_status(-error));
        d->requests[i].waits = false;
    }
}

/* A domain's users on one IOMMU, by the kernel's names. */
size_t device_users(struct device *d, struct device_domain *domain, uint32_t iommu,
                    struct xinv_attachment *at)
{
    size_t n = 0;

    for (uint32_t i = 0; i < d->host->n_devices; i++) {
        const struct host_device *device = &d->host->device[i];

        if (device->iommu != iommu || !device->attached ||
            device->attached != *hwpt_of(d, domain, device))
            continue;
        at[n] = (struct xinv_attachment){.stage = XINV_STAGE_NESTED};
        if (device->ats)
            at[n].flags |= XINV_ATT_ATS;
        if (device_is_smmuv3(d)) {
            at[n].known = TAG(VMID) | TAG(RID);
            at[n].vmid = d->host->iommu[iommu].viommu;
            at[n].rid = device->endpoint;
        } else {
            at[n].known = TAG(DID);
            at[n].did = device->attached;
        }
        n++;
    }
    return n;
}

/* Queues entries for a request on every IOMMU of the domain; 0, or an error of the library. */
int device_queue(struct device *d, struct device_domain *domain, const struct xinv_request *request,
                 device_users_fn *who)
{
    int ret = 0;

    for (uint32_t i = 0; i < d->host->n_iommus && !ret; i++) {
        struct xinv_attachment at[HOST_DEVICES];
        size_t n = who(d, domain, i, at);

        if (!n)
            continue;
        ret = host_queue(d->host, i, at, n, request);
        if (ret != -XINV_E_NOSPACE)
            continue;
        device_flush(d);
        ret = host_queue(d->host, i, at, n, request);
    }
    return ret;
}

/* What no command can make the host forget must not be used any more. */
void device_block_users(struct device *d, struct device_domain *domain)
{
    for (uint32_t i = 0; i < d->host->n_devices; i++) {
        struct host_device *device = &d->host->device[i];

        if (!device->attached || device->attached != *hwpt_of(d, domain, device))
            continue;
        host_owe(d->host,
                 device_is_smmuv3(d) ? d->host->iommu[device->iommu].viommu : device->attached);
        host_block(d->host, device);
    }
}

/* ---- Notifications ---- */

static void log_request(const struct device *d, const struct request *r, unsigned type)
{
    static const char *const names[] = {"(nothing)", "ATTACH", "DETACH",       "MAP",
                                        "UNMAP",     "PROBE",  "ATTACH_TABLE", "INVALIDATE"};
    FILE *log = d->host->kernel->log;
    const uint8_t *b = r->readable;

    if (!log)
        return;
    fprintf(log, "  > %s", type < 8 ? names[type] : "(unknown)");
    if (type >= 1 && type <= 7 && r->n_readable >= 20) {
        if (type != XINV_VIRTIO_PROBE)
            fprintf(log, " domain %" PRIu64, wire_load(b + (type == WIRE_INVALIDATE ? 12 : 4), 4));
        if (type <= XINV_VIRTIO_DETACH || type == WIRE_ATTACH_TABLE)
            fprintf(log, ", endpoint 0x%" PRIx64, wire_load(b + 8, 4));
        if ((type == XINV_VIRTIO_MAP || type == XINV_VIRTIO_UNMAP) && r->n_readable >= 28)
            fprintf(log, ", 0x%" PRIx64 "..0x%" PRIx64, wire_load(b + 8, 8), wire_load(b + 16, 8));
        if (type == WIRE_INVALIDATE && r->n_readable == 60)
            fprintf(log,
                    ", gran %" PRIu64 ", type %" PRIu64 ", flags %" PRIu64 ", pasid %" PRIu64
                    ", archid %" PRIu64 ", 0x%" PRIx64 " + %" PRIu64 " << %u",
                    wire_load(b + 4, 2), wire_load(b + 6, 2), wire_load(b + 8, 2),
                    wire_load(b + 16, 4), wire_load(b + 24, 8), wire_load(b + 32, 8),
                    wire_load(b + 40, 8), b[48]);
    }
    fprintf(log, "\n");
}

static void log_replies(const struct device *d, const struct request *requests, unsigned n)
{
    static const char *const names[] = {"OK",    "IOERR", "UNSUPP", "DEVERR", "INVAL",
                                        "RANGE", "NOENT", "FAULT",  "NOMEM"};
    FILE *log = d->host->kernel->log;

    if (!log)
        return;
    fprintf(log, "  <");
    for (unsigned i = 0; i < n; i++)
        fprintf(log, " %s%s", names[requests[i].status], requests[i].written ? "" : " (unwritten)");
    fprintf(log, "\n");
}

void device_kick(struct device *d, struct request *requests, unsigned n)
{
    d->requests = requests;
    for (unsigned i = 0; i < n; i++) {
        struct request *r = &requests[i];
        unsigned type = r->n_readable ? r->readable[0] : 0;

        d->n_requests = i;
        log_request(d, r, type);
        /* UNMAP and INVALIDATE may wait for each other. All else makes something present, or gives
         * back what stale entries lead to: those go first. */
        if (type != XINV_VIRTIO_UNMAP && type != WIRE_INVALIDATE)
            device_flush(d);
        if (d->dialect == DIALECT_MERGED)
            merged_request(d, r, type);
        else
            draft_request(d, r, type);
    }
    d->n_requests = n;
    device_flush(d);
    d->n_requests = 0;
    log_replies(d, requests, n);
}

/* ---- Set-up ---- */

int device_init(struct device *d)
{
    const struct xinv_platform *hardware =
        device_is_smmuv3(d) ? &xinv_platform_arm_smmuv3_generic : &xinv_platform_intel_vtd_scalable;
    const struct xinv_iommu *iommus[HOST_IOMMUS] = {&d->model, &d->model};
    struct xinv_session_config config = {.page_size_mask = ~UINT64_C(0xfff),
                                         .input_end = (UINT64_C(1) << TABLE_ADDRESS_BITS) - 1,
                                         .features = XINV_VIRTIO_F_INPUT_RANGE |
                                                     XINV_VIRTIO_F_MAP_UNMAP |
                                                     XINV_VIRTIO_F_BYPASS_CONFIG,
                                         .log2_granule = 12,
                                         .n_iommus = d->host->n_iommus,
                                         .max_endpoints = HOST_DEVICES,
                                         .max_domains = DEVICE_DOMAINS,
                                         .max_mappings = DEVICE_MAPPINGS,
                                         .prepared_lists = DEVICE_LISTS};
    int ret;

    if (d->dialect != DIALECT_MERGED)
        return 0;
    /* the session keeps endpoints, domains, mappings and ASIDs; its commands, which would be the
     * hardware's own, are not asked for */
    ret = xinv_iommu_init(&d->model, hardware, NULL, NULL, 0);
    if (!ret)
        ret = xinv_session_init(d->memory, sizeof(d->memory), &config, iommus, &d->session);
    for (uint32_t i = 0; i < d->host->n_devices && !ret; i++) {
        struct xinv_endpoint endpoint = {.id = d->host->device[i].endpoint,
                                         .iommu = d->host->device[i].iommu,
                                         .rid = d->host->device[i].endpoint,
                                         .stage = XINV_STAGE_STAGE1};

        ret = xinv_session_add_endpoint(d->session, &endpoint);
    }
    return ret;
}
