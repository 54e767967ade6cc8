// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Requests of virtio-iommu drafts by which a guest attaches tables of its own and invalidates what
 * is cached of them. No released specification has them, the drafts differ, and their feature bits
 * have other meanings today: which one a guest speaks must be configured.
 *
 *   C  Linux RFC of 2021-01-15 (V. Gautam)
 *   D  Linux RFC of 2023-11-06 (T. Zhang), on J.-P. Brucker's multi-queue branch; INVALIDATE as in
 * C
 */
#ifndef VMM_WIRE_H
#define VMM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <xinv/session.h>

enum dialect {
    DIALECT_MERGED, /* virtio 1.3: MAP and UNMAP */
    DIALECT_C,
    DIALECT_D
};

enum {
    WIRE_ATTACH_TABLE = 6,
    WIRE_INVALIDATE = 7
};

/* Unaligned, little-endian. */
uint64_t wire_load(const uint8_t *bytes, unsigned n);
void wire_store(uint8_t *bytes, unsigned n, uint64_t value);

/* wire_reply - zeroes, and the status in the first of the last four bytes */
void wire_reply(uint8_t *writable, size_t n, uint8_t status);

/* A guest's table, in the words of what the kernel's nested HWPT is made of. */
struct wire_table {
    uint32_t domain;
    uint32_t endpoint;
    bool pasids; /* a table of PASIDs (SMMUv3 CDs); otherwise one page table (VT-d) */
    uint64_t ste[2];
    uint64_t pgd;
    uint32_t addr_width;
};

/* wire_attach_table, wire_invalidate - a request's readable bytes; returns a status */
uint8_t wire_attach_table(enum dialect dialect, const uint8_t *bytes, size_t n,
                          struct wire_table *table);
uint8_t wire_invalidate(const uint8_t *bytes, size_t n, uint32_t *domain,
                        struct xinv_request *request);

#endif
