// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The merged virtio-iommu wire format (virtio 1.3, 5.13.6): bytes to plain structs and back. No
 * state. */
#ifndef XINV_CORE_VIRTIO_H
#define XINV_CORE_VIRTIO_H

#include <xinv/session.h>

#define XINV_VIRTIO_HEAD 4
#define XINV_VIRTIO_TAIL 4
/* a RESV_MEM property with its header (5.13.6.6.2) */
#define XINV_VIRTIO_REGION 24

/* ATTACH flags (5.13.6.3.1), MAP flags (5.13.6.5.1) */
#define XINV_VIRTIO_ATTACH_BYPASS 1u
#define XINV_VIRTIO_MAP_READ      1u
#define XINV_VIRTIO_MAP_WRITE     2u
#define XINV_VIRTIO_MAP_MMIO      4u

struct xinv_virtio_request {
    uint8_t type;
    uint32_t domain;
    uint32_t endpoint;
    uint32_t flags;
    uint64_t first;
    uint64_t last;
    uint64_t phys;
};

/*
 * xinv_virtio_parse - reads the device-readable part of a request
 * @n: at least XINV_VIRTIO_HEAD
 * returns: the status that syntax alone decides: OK; UNSUPP: unknown type; INVAL: a size that is
 * not the type's, a reserved field or flag that the type must not ignore (5.13.6: ATTACH rejects,
 * UNMAP may, DETACH and PROBE ignore)
 */
uint8_t xinv_virtio_parse(const uint8_t *bytes, size_t n, struct xinv_virtio_request *request);

/*
 * xinv_virtio_reply - writes a response: zeroes, and the status in the tail
 * returns: bytes written: all of them
 */
uint32_t xinv_virtio_reply(uint8_t *bytes, size_t n, uint8_t status);

/*
 * xinv_virtio_put_region - writes one RESV_MEM property (5.13.6.6.2)
 * returns: its size, or 0 if it does not fit in n bytes
 */
size_t xinv_virtio_put_region(uint8_t *bytes, size_t n, const struct xinv_reserved_region *region);

#endif
