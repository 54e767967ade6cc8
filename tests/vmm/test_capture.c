// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Recorded guests, notification by notification: each response is the one that was recorded, and
 * every page of every UNMAP is among what the kernel was told to remove, wherever a device of the
 * domain may have used it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <zlib.h>

#include "tests/vmm/rig.h"

#define MAX_REQUESTS 512
#define MAX_ENTRIES  8192
#define N_DEVICES    5

static const uint32_t endpoints[N_DEVICES] = {0x10, 0x18, 0, 0x20, 0x28};

static struct removal {
    uint32_t object;
    uint64_t id; /* SMMUv3: ASID, or for the device TLB the StreamID */
    uint64_t first;
    uint64_t last;
    bool atc;
} removals[MAX_ENTRIES]; /* of this notification */
static unsigned n_removals;
static unsigned n_unmaps;

static void removed(void *context, uint32_t object, const void *entry)
{
    struct removal r = {.object = object, .last = UINT64_MAX};
    uint64_t w[3];

    (void)context;
    if (k.hw_type == XINV_IOMMUFD_HW_INFO_VTD) {
        memcpy(w, entry, 24);
        r.first = w[0];
        if (w[1] != UINT64_MAX)
            r.last = w[0] + w[1] * 4096 - 1;
    } else {
        memcpy(w, entry, 16);
        r.id = w[0] >> 48;
        if ((w[0] & 0xff) == 0x12) {
            r.first = w[1] & ~UINT64_C(0xfff);
            r.last = r.first + 0xfff;
        } else if ((w[0] & 0xff) == 0x40) {
            r.atc = true;
            r.id = w[0] >> 32;
            r.first = w[1] & ~UINT64_C(0xfff);
            r.last = r.first + (UINT64_C(4096) << (w[1] & 63)) - 1;
        } else {
            cr_assert_eq(w[0] & 0xff, 0x11, "command %#lx", (unsigned long)(w[0] & 0xff));
        }
    }
    cr_assert_lt(n_removals, MAX_ENTRIES);
    removals[n_removals++] = r;
}

static uint8_t readable[MAX_REQUESTS][80];
static uint8_t writable[MAX_REQUESTS][4];
static uint8_t recorded[MAX_REQUESTS]; /* statuses */
static struct request requests[MAX_REQUESTS];
static unsigned n;

static bool is_removed(const struct removal *wanted)
{
    uint64_t at = wanted->first;

    while (at <= wanted->last) {
        uint64_t next = at;

        for (unsigned i = 0; i < n_removals; i++) {
            const struct removal *r = &removals[i];

            if (r->object == wanted->object && r->id == wanted->id && r->atc == wanted->atc &&
                r->first <= at && at <= r->last)
                next = r->last >= wanted->last ? wanted->last + 1 : r->last + 1;
        }
        if (next == at)
            return false;
        at = next;
    }
    return true;
}

/* An UNMAP of this notification, in which no device has come or gone. */
static void check_unmap(const uint8_t *b)
{
    uint32_t id = (uint32_t)wire_load(b + 4, 4);
    const struct device_domain *domain = NULL;

    for (unsigned i = 0; i < DEVICE_DOMAINS; i++)
        if (device.domain[i].used && device.domain[i].id == id)
            domain = &device.domain[i];
    for (unsigned d = 0; domain && d < N_DEVICES; d++) {
        const struct host_device *h = &host.device[d];
        uint32_t viommu = host.iommu[h->iommu].viommu;
        struct removal wanted = {.object = viommu ? viommu : h->attached,
                                 .id = viommu ? domain->asid[h->iommu] : 0,
                                 .first = wire_load(b + 8, 8),
                                 .last = wire_load(b + 16, 8)};
        uint32_t in;

        if (xinv_session_attached(device.session, h->endpoint, &in) != 1 || in != id)
            continue;
        cr_assert(is_removed(&wanted), "IOTLB of endpoint %#x, 0x%lx..0x%lx", h->endpoint,
                  (unsigned long)wanted.first, (unsigned long)wanted.last);
        wanted.atc = true;
        wanted.id = h->endpoint;
        if (viommu && h->ats)
            cr_assert(is_removed(&wanted), "ATC of endpoint %#x, 0x%lx..0x%lx", h->endpoint,
                      (unsigned long)wanted.first, (unsigned long)wanted.last);
    }
}

static void kick(void)
{
    bool moves = false;

    n_removals = 0;
    device_kick(&device, requests, n);
    for (unsigned i = 0; i < n; i++)
        moves |= readable[i][0] <= XINV_VIRTIO_DETACH;
    for (unsigned i = 0; i < n; i++) {
        cr_assert_eq(requests[i].status, recorded[i], "request %u of %u: type %u, status %u", i, n,
                     readable[i][0], requests[i].status);
        if (readable[i][0] == XINV_VIRTIO_UNMAP && !moves)
            check_unmap(readable[i]);
    }
    n = 0;
}

static unsigned digits(const char **at, uint8_t *bytes, unsigned most)
{
    unsigned size = 0;
    unsigned byte;

    for (; sscanf(*at, "%2x", &byte) == 1 && (*at)[0] != ' '; *at += 2, size++)
        if (size < most)
            bytes[size] = (uint8_t)byte;
    return size;
}

/* "SECONDS REQUEST RESPONSE"; PROBEs, whose answers are not an IOMMU's alone, are left out. */
static void take(const char *line)
{
    const char *at = strchr(line, ' ') + 1;
    uint8_t reply[600];
    unsigned size = digits(&at, readable[n], sizeof(readable[0]));
    unsigned n_reply;

    if (readable[n][0] == XINV_VIRTIO_PROBE)
        return;
    at++;
    n_reply = digits(&at, reply, sizeof(reply));
    cr_assert_eq(n_reply, 4);
    n_unmaps += readable[n][0] == XINV_VIRTIO_UNMAP;
    recorded[n] = reply[0];
    requests[n] = (struct request){.readable = readable[n],
                                   .n_readable = size,
                                   .writable = writable[n],
                                   .n_writable = sizeof(writable[0])};
    n++;
    cr_assert_lt(n, MAX_REQUESTS);
}

static void replay(const char *capture, uint32_t type, unsigned unmaps, unsigned calls)
{
    static char line[4096];
    char path[512];
    gzFile f;

    vm_open(type, DIALECT_MERGED, endpoints, N_DEVICES, 0x1d, removed);
    cr_assert_eq(host_open(&host), 0);
    cr_assert_eq(device_init(&device), 0);
    n_unmaps = 0;
    snprintf(path, sizeof(path), "%s/tests/data/captures/%s.requests.gz",
             getenv("XINV_SOURCE_DIR") ? getenv("XINV_SOURCE_DIR") : ".", capture);
    f = gzopen(path, "rb");
    cr_assert_not_null(f);
    while (gzgets(f, line, sizeof(line))) {
        if (!strncmp(line, "kick", 4)) {
            kick();
        } else if (line[0] != '#') {
            take(line);
        }
    }
    gzclose(f);
    kick();
    cr_assert_eq(n_unmaps, unmaps);
    /* one for each notification with UNMAPs and each object */
    cr_assert_eq(k.n_invalidations, calls, "%u calls", k.n_invalidations);
}

Test(capture, an_x86_guest_on_vtd)
{
    replay("viommu-x86-6.12-strict", XINV_IOMMUFD_HW_INFO_VTD, 8674, 7399);
}

Test(capture, a_lazy_x86_guest_on_vtd)
{
    replay("viommu-x86-6.12-lazy", XINV_IOMMUFD_HW_INFO_VTD, 8486, 2452);
}

Test(capture, an_arm_guest_on_smmuv3)
{
    replay("viommu-arm64-6.12-strict", XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, 8275, 7848);
}
