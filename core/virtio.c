// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "core/virtio.h"

#include "core/mem.h"

/* Sizes of the device-readable parts. */
#define ATTACH_BYTES 20
#define DETACH_BYTES 20
#define MAP_BYTES    36
#define UNMAP_BYTES  28
#define PROBE_BYTES  72

#define PROPERTY_RESV_MEM 1
#define RESV_MEM_LENGTH   20

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t load64(const uint8_t *p)
{
    return load32(p) | (uint64_t)load32(p + 4) << 32;
}

static void store64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

uint8_t xinv_virtio_parse(const uint8_t *bytes, size_t n, struct xinv_virtio_request *r)
{
    static const uint8_t sizes[] = {
        [XINV_VIRTIO_ATTACH] = ATTACH_BYTES, [XINV_VIRTIO_DETACH] = DETACH_BYTES,
        [XINV_VIRTIO_MAP] = MAP_BYTES,       [XINV_VIRTIO_UNMAP] = UNMAP_BYTES,
        [XINV_VIRTIO_PROBE] = PROBE_BYTES,
    };

    *r = (struct xinv_virtio_request){.type = bytes[0]};
    if (r->type < XINV_VIRTIO_ATTACH || r->type > XINV_VIRTIO_PROBE)
        return XINV_VIRTIO_UNSUPP;
    if (n != sizes[r->type])
        return XINV_VIRTIO_INVAL;
    switch (r->type) {
    case XINV_VIRTIO_ATTACH:
        r->domain = load32(bytes + 4);
        r->endpoint = load32(bytes + 8);
        r->flags = load32(bytes + 12);
        if (load32(bytes + 16) || (r->flags & ~XINV_VIRTIO_ATTACH_BYPASS))
            return XINV_VIRTIO_INVAL;
        break;
    case XINV_VIRTIO_DETACH:
        r->domain = load32(bytes + 4);
        r->endpoint = load32(bytes + 8);
        break;
    case XINV_VIRTIO_MAP:
        r->domain = load32(bytes + 4);
        r->first = load64(bytes + 8);
        r->last = load64(bytes + 16);
        r->phys = load64(bytes + 24);
        r->flags = load32(bytes + 32);
        if (r->flags & ~(XINV_VIRTIO_MAP_READ | XINV_VIRTIO_MAP_WRITE | XINV_VIRTIO_MAP_MMIO))
            return XINV_VIRTIO_INVAL;
        break;
    case XINV_VIRTIO_UNMAP:
        r->domain = load32(bytes + 4);
        r->first = load64(bytes + 8);
        r->last = load64(bytes + 16);
        if (load32(bytes + 24))
            return XINV_VIRTIO_INVAL;
        break;
    default:
        r->endpoint = load32(bytes + 4);
        break;
    }
    return XINV_VIRTIO_OK;
}

uint32_t xinv_virtio_reply(uint8_t *bytes, size_t n, uint8_t status)
{
    memset(bytes, 0, n);
    bytes[n - XINV_VIRTIO_TAIL] = status;
    return (uint32_t)n;
}

size_t xinv_virtio_put_region(uint8_t *bytes, size_t n, const struct xinv_reserved_region *region)
{
    if (n < XINV_VIRTIO_REGION)
        return 0;
    memset(bytes, 0, XINV_VIRTIO_REGION);
    bytes[0] = PROPERTY_RESV_MEM;
    bytes[2] = RESV_MEM_LENGTH;
    bytes[4] = region->msi ? 1 : 0;
    store64(bytes + 8, region->start);
    store64(bytes + 16, region->end);
    return XINV_VIRTIO_REGION;
}
