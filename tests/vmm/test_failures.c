// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Whatever fails in the kernel: once responses are published, no device that is attached can use a
 * translation that is stale. What the fake kernel's hardware has removed is compared with what the
 * guest has unmapped.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/random.h"
#include "tests/vmm/rig.h"

#define PAGES     64 /* of IOVA */
#define N_DEVICES 3

static const uint32_t endpoints[N_DEVICES] = {8, 9, 0x10};

static bool mapped[PAGES];
static bool stale[FAKE_OBJECTS][PAGES]; /* in the IOTLB, by nested HWPT or vIOMMU */
static bool stale_atc[N_DEVICES][PAGES];
static bool emptied[FAKE_OBJECTS]; /* in this notification */

static void forget(bool *pages, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < PAGES; i++)
        if (i >= first && i - first < count)
            pages[i] = false;
}

static void removed(void *context, uint32_t object, const void *entry)
{
    uint64_t w[3];

    (void)context;
    if (k.hw_type == XINV_IOMMUFD_HW_INFO_VTD) {
        memcpy(w, entry, 24);
        forget(stale[object], w[0] / 4096, w[1]);
        for (unsigned d = 0; d < N_DEVICES; d++) /* the kernel does their device TLBs as well */
            if (k.device[d].attached == object)
                forget(stale_atc[d], w[0] / 4096, w[1]);
        return;
    }
    memcpy(w, entry, 16);
    switch (w[0] & 0xff) {
    case 0x12: /* TLBI_NH_VA */
        forget(stale[object], w[1] >> 12, 1);
        break;
    case 0x10: /* TLBI_NH_ALL */
    case 0x11: /* TLBI_NH_ASID: there is one */
        forget(stale[object], 0, PAGES);
        emptied[object] = true;
        break;
    case 0x40: /* ATC_INV */
        for (unsigned d = 0; d < N_DEVICES; d++)
            if (endpoints[d] == w[0] >> 32)
                forget(stale_atc[d], w[1] >> 12, UINT64_C(1) << (w[1] & 63));
        break;
    default:
        break;
    }
}

static uint8_t readable[8][40];
static uint8_t writable[8][4];
static struct request requests[8];
static unsigned n;

static void add(uint8_t type, uint32_t size, uint32_t second, uint64_t first, uint64_t last,
                uint32_t flags)
{
    uint8_t *b = readable[n];

    memset(b, 0, sizeof(readable[0]));
    b[0] = type;
    wire_store(b + 4, 4, 1);
    if (type <= XINV_VIRTIO_DETACH) {
        wire_store(b + 8, 4, second);
    } else {
        wire_store(b + 8, 8, first);
        wire_store(b + 16, 8, last);
    }
    if (type == XINV_VIRTIO_MAP)
        wire_store(b + 32, 4, flags);
    requests[n] = (struct request){
        .readable = b, .n_readable = size, .writable = writable[n], .n_writable = 4};
    n++;
}

static void open_vm(uint32_t type)
{
    vm_open(type, DIALECT_MERGED, endpoints, N_DEVICES, 2, removed);
    memset(mapped, 0, sizeof(mapped));
    memset(stale, 0, sizeof(stale));
    memset(stale_atc, 0, sizeof(stale_atc));
    cr_assert_eq(host_open(&host), 0);
    cr_assert_eq(device_init(&device), 0);
}

/* Where a device's translations are: with the domain's nested HWPT, or with a vIOMMU. */
static uint32_t object_of(unsigned d)
{
    const struct host_device *h = &host.device[d];
    uint32_t viommu = host.iommu[h->iommu].viommu;

    return viommu ? viommu : device.domain[0].hwpt[h->iommu][0];
}

/* A page that is unmapped is stale wherever a device has used it, even one that is blocked now. */
static void unmap_one(uint64_t page)
{
    for (unsigned d = 0; d < N_DEVICES; d++) {
        stale[object_of(d)][page] = true;
        stale_atc[d][page] = k.device[d].attached && host.device[d].ats;
    }
    mapped[page] = false;
}

static bool any(const bool *pages)
{
    for (unsigned i = 0; i < PAGES; i++)
        if (pages[i])
            return true;
    return false;
}

static unsigned n_attached(void)
{
    unsigned count = 0;

    for (unsigned d = 0; d < N_DEVICES; d++)
        count += k.device[d].attached != 0;
    return count;
}

/* With its last endpoint a domain loses its mappings. Their translations stay in a vIOMMU, whose
 * next domain may have the same ASID. */
static void drop_mapped(void)
{
    if (xinv_session_mappings(device.session, 1) > 0)
        return;
    for (unsigned page = 0; page < PAGES; page++)
        for (unsigned d = 0; d < N_DEVICES; d++)
            if (mapped[page] && host.iommu[host.device[d].iommu].viommu && !emptied[object_of(d)])
                stale[object_of(d)][page] = true;
    memset(mapped, 0, sizeof(mapped));
}

/* What the kernel has destroyed has left nothing behind, and a new object has its ID. */
static void renew(void)
{
    static uint32_t serial[FAKE_OBJECTS];

    for (unsigned id = 0; id < FAKE_OBJECTS; id++)
        if (serial[id] != k.object[id].serial) {
            memset(stale[id], 0, sizeof(stale[id]));
            serial[id] = k.object[id].serial;
        }
}

static void kick(void)
{
    unsigned before = n_attached();

    memset(emptied, 0, sizeof(emptied));
    device_kick(&device, requests, n);
    drop_mapped();
    renew();
    for (unsigned d = 0; d < N_DEVICES; d++) {
        if (!k.device[d].attached) {
            memset(stale_atc[d], 0, sizeof(stale_atc[d])); /* ATS is enabled anew: an empty ATC */
            continue;
        }
        cr_assert(!any(stale[object_of(d)]), "a stale translation of device %u", d);
        cr_assert(!any(stale_atc[d]), "a stale entry in the device TLB of device %u", d);
    }
    if (n_attached() < before && requests[0].readable[0] != XINV_VIRTIO_DETACH) {
        bool told = false;

        for (unsigned i = 0; i < n; i++)
            told |= requests[i].status != XINV_VIRTIO_OK;
        cr_assert(told, "a device was cut off, and the guest was not told");
    }
    n = 0;
}

static void unmap_some(void)
{
    unsigned count = 1 + (unsigned)(random_next() % 4);

    for (unsigned i = 0; i < count; i++) {
        uint64_t first = random_next() % PAGES;
        uint64_t last = first + random_next() % 8;

        last = last < PAGES ? last : PAGES - 1;
        for (uint64_t page = first; page <= last; page++)
            if (mapped[page])
                unmap_one(page);
        add(XINV_VIRTIO_UNMAP, 28, 0, first * 4096, last * 4096 + 4095, 0);
    }
    kick();
}

static void map_some(void)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t page = random_next() % PAGES;

        add(XINV_VIRTIO_MAP, 36, 0, page * 4096, page * 4096 + 4095, 3);
    }
    kick();
    for (unsigned i = 0; i < 8; i++)
        if (requests[i].status == XINV_VIRTIO_OK)
            mapped[wire_load(readable[i] + 8, 8) / 4096] = true;
}

static void attach_all(void)
{
    for (unsigned d = 0; d < N_DEVICES; d++)
        add(XINV_VIRTIO_ATTACH, 20, endpoints[d], 0, 0, 0);
    kick();
}

static void detach_all(void)
{
    for (unsigned d = 0; d < N_DEVICES; d++)
        add(XINV_VIRTIO_DETACH, 20, endpoints[d], 0, 0, 0);
    kick();
}

static void fail_some(void)
{
    static const int errors[] = {EIO, EINTR, EAGAIN, EBUSY, ENOMEM, ETIMEDOUT, EINVAL, EOPNOTSUPP};
    struct fake_failure failure = {.request = IOMMU_HWPT_INVALIDATE,
                                   .after = (uint32_t)(random_next() % 3),
                                   .times = 1 + (uint32_t)(random_next() % 5),
                                   .error = errors[random_next() % 8],
                                   .entry = (uint32_t)(random_next() % 4)};

    fake_fail(&k, &failure);
}

static void live(uint32_t type)
{
    unsigned cut = 0;
    unsigned whole = 0;

    random_start();
    for (unsigned vm = 0; vm < 40; vm++) {
        open_vm(type);
        attach_all();
        for (unsigned i = 0; i < 60; i++) {
            map_some();
            if (random_next() % 2)
                fail_some();
            unmap_some();
            cut += n_attached() < N_DEVICES;
            whole += n_attached() == N_DEVICES;
            if (random_next() % 16 == 0)
                detach_all();
            if (random_next() % 3 == 0 && n_attached() < N_DEVICES)
                attach_all();
        }
    }
    cr_assert(cut > 50 && whole > 50, "%u with devices cut off, %u without", cut, whole);
}

Test(failures, nothing_stale_can_be_used_on_vtd)
{
    live(XINV_IOMMUFD_HW_INFO_VTD);
}

Test(failures, nothing_stale_can_be_used_on_smmuv3)
{
    live(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3);
}

Test(failures, set_up_stops_at_the_first_call_that_fails)
{
    static const uint32_t calls[] = {VFIO_DEVICE_BIND_IOMMUFD, IOMMU_IOAS_ALLOC, IOMMU_IOAS_MAP,
                                     IOMMU_GET_HW_INFO,        IOMMU_HWPT_ALLOC, IOMMU_VIOMMU_ALLOC,
                                     IOMMU_VDEVICE_ALLOC};

    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct fake_failure failure = {.request = calls[i], .times = 1, .error = EBUSY};

        vm_open(XINV_IOMMUFD_HW_INFO_ARM_SMMUV3, DIALECT_MERGED, endpoints, N_DEVICES, 2, removed);
        cr_assert_eq(fake_fail(&k, &failure), 0);
        cr_assert_eq(host_open(&host), -EBUSY, "call %#x", calls[i]);
        cr_assert_eq(k.failure[0].times, 0);
    }
}
