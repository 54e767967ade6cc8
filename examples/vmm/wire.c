// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "wire.h"

#include <stdbool.h>
#include <string.h>

uint64_t wire_load(const uint8_t *bytes, unsigned n)
{
    uint64_t value = 0;

    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

void wire_store(uint8_t *bytes, unsigned n, uint64_t value)
{
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

void wire_reply(uint8_t *writable, size_t n, uint8_t status)
{
    if (n < 4)
        return;
    memset(writable, 0, n);
    writable[n - 4] = status;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    while (n > 0)
        if (bytes[--n])
            return false;
    return true;
}

/* ---- ATTACH_TABLE ---- */

enum {
    FORMAT_SMMUV3 = 2, /* a table of CDs */
    FORMAT_VTD_S1 = 4  /* D alone */
};

/* STE fields (SMMUv3 5.2): V 0, Config 3:1, S1Fmt 5:4, S1ContextPtr 51:6, S1CDMax 63:59; S1DSS 1:0,
 * S1CIR 3:2, S1COR 5:4, S1CSH 7:6. */
static uint8_t cd_table(uint64_t s1fmt, uint64_t s1dss, uint64_t pointer, uint64_t s1cdmax,
                        uint64_t ste[2])
{
    if (s1fmt > 2 || s1dss > 2 || s1cdmax > 31 || (pointer & ~UINT64_C(0x000fffffffffffc0)))
        return XINV_VIRTIO_INVAL;
    ste[0] = 1 | UINT64_C(5) << 1 | s1fmt << 4 | pointer | s1cdmax << 59;
    ste[1] = s1dss | 1u << 2 | 1u << 4 | 3u << 6; /* walks: write-back, inner shareable */
    return XINV_VIRTIO_OK;
}

static uint8_t attach_c(const uint8_t *b, size_t n, struct wire_table *table)
{
    if (n != 76)
        return XINV_VIRTIO_INVAL;
    if (wire_load(b + 12, 2) != FORMAT_SMMUV3)
        return XINV_VIRTIO_UNSUPP;
    table->pasids = true;
    if (!is_zero(b + 28, 48))
        return XINV_VIRTIO_INVAL;
    return cd_table(b[14], b[15], wire_load(b + 16, 8), wire_load(b + 24, 4), table->ste);
}

/* The structures of D end in a tail of their own before what the driver sends ends: bytes 80..83
 * are no status. */
static uint8_t attach_d(const uint8_t *b, size_t n, struct wire_table *table)
{
    if (n != 84 || wire_load(b + 12, 4))
        return XINV_VIRTIO_INVAL;
    switch (wire_load(b + 16, 2)) {
    case FORMAT_SMMUV3:
        table->pasids = true;
        if (!is_zero(b + 32, 48))
            return XINV_VIRTIO_INVAL;
        return cd_table(b[18], b[19], wire_load(b + 24, 8), wire_load(b + 20, 4), table->ste);
    case FORMAT_VTD_S1:
        if (!is_zero(b + 18, 2) || !is_zero(b + 44, 36))
            return XINV_VIRTIO_INVAL;
        if (wire_load(b + 20, 4) || wire_load(b + 32, 8))
            return XINV_VIRTIO_UNSUPP; /* a table of one PASID; flags, of which the draft has none
                                        */
        table->pgd = wire_load(b + 24, 8);
        table->addr_width = (uint32_t)wire_load(b + 40, 4);
        return XINV_VIRTIO_OK;
    default:
        return XINV_VIRTIO_UNSUPP;
    }
}

uint8_t wire_attach_table(enum dialect dialect, const uint8_t *b, size_t n,
                          struct wire_table *table)
{
    *table = (struct wire_table){0};
    if (n < 12)
        return XINV_VIRTIO_INVAL;
    table->domain = (uint32_t)wire_load(b + 4, 4);
    table->endpoint = (uint32_t)wire_load(b + 8, 4);
    return dialect == DIALECT_C ? attach_c(b, n, table) : attach_d(b, n, table);
}

/* ---- INVALIDATE ---- */

enum {
    GRAN_DOMAIN = 1,
    GRAN_PASID = 2,
    GRAN_VA = 4
};

enum {
    TYPE_IOTLB = 1,
    TYPE_DEV_IOTLB = 2,
    TYPE_PASID = 4
};

enum {
    /* 1: the PASID is valid */
    FLAG_ARCHID = 2,
    FLAG_LEAF = 4
};

static uint8_t address_range(const uint8_t *b, struct xinv_request *r)
{
    uint64_t first = wire_load(b + 32, 8);
    uint64_t n = wire_load(b + 40, 8);
    uint8_t granule = b[48]; /* log2 of bytes */

    if (!n || granule > 63)
        return XINV_VIRTIO_INVAL;
    if (n - 1 > (UINT64_MAX - first) >> granule ||
        UINT64_MAX - first - ((n - 1) << granule) < (UINT64_C(1) << granule) - 1)
        return XINV_VIRTIO_RANGE;
    r->flags |= XINV_REQ_RANGE;
    r->first = first;
    r->last = first + ((n - 1) << granule) + ((UINT64_C(1) << granule) - 1);
    r->log2_leaf_size = granule < 12 ? 0 : granule;
    return XINV_VIRTIO_OK;
}

uint8_t wire_invalidate(const uint8_t *b, size_t n, uint32_t *domain, struct xinv_request *r)
{
    unsigned gran;
    unsigned type;
    unsigned flags;
    uint64_t archid;

    *r = (struct xinv_request){.flags = XINV_REQ_INVALIDATE};
    if (n != 60)
        return XINV_VIRTIO_INVAL;
    gran = (unsigned)wire_load(b + 4, 2);
    type = (unsigned)wire_load(b + 6, 2);
    flags = (unsigned)wire_load(b + 8, 2);
    archid = wire_load(b + 24, 8);
    *domain = (uint32_t)wire_load(b + 12, 4);
    if (!is_zero(b + 10, 2) || !is_zero(b + 20, 4) || !is_zero(b + 49, 11) || !type || type > 7 ||
        flags > 7 || archid > UINT32_MAX)
        return XINV_VIRTIO_INVAL;
    if ((gran == GRAN_DOMAIN && (type & TYPE_DEV_IOTLB)) ||
        (gran == GRAN_VA && (type & TYPE_PASID)))
        return XINV_VIRTIO_INVAL;
    /* TYPE_* are the library's first three caches */
    r->caches = (uint8_t)type;
    if (flags & FLAG_LEAF)
        r->flags |= XINV_REQ_LEAF_ONLY;
    if (gran == GRAN_DOMAIN)
        return XINV_VIRTIO_OK; /* the scope of a zeroed request */
    /*
     * Drivers fill in both names and flag one of them: flush-all of C has an ASID without its flag,
     * and a walk's flush a PASID, which the device TLBs need. No name is 0, but that of requests
     * without PASID.
     */
    r->flags |= XINV_REQ_PASID;
    r->pasid = (uint32_t)wire_load(b + 16, 4);
    if ((flags & FLAG_ARCHID) || archid) {
        r->flags |= XINV_REQ_ASID;
        r->asid = (uint32_t)archid;
    }
    switch (gran) {
    case GRAN_PASID:
        r->scope = XINV_SCOPE_PASID;
        return XINV_VIRTIO_OK;
    case GRAN_VA:
        r->scope = XINV_SCOPE_ADDRESS;
        return address_range(b, r);
    default:
        return XINV_VIRTIO_INVAL;
    }
}
