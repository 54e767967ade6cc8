// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "cli/cache_info.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* Offsets. The two forms of the union begin alike. */
enum {
    ARGSZ = 0,
    VERSION = 4,
    CACHE = 8,
    GRANULARITY = 9,
    PADDING = 10,
    HEAD_END = 16,
    FLAGS = 16,
    ARCHID = 20,
    PASID = 24,
    PASID_END = 32,
    ADDR = 32,
    GRANULE_SIZE = 40,
    NB_GRANULES = 48
};

enum {
    CACHE_IOTLB = 1,
    CACHE_DEV_IOTLB = 2,
    CACHE_PASID = 4
};

enum {
    FLAG_PASID = 1,
    FLAG_ARCHID = 2,
    FLAG_LEAF = 4
};

enum {
    GRANULARITY_DOMAIN,
    GRANULARITY_PASID,
    GRANULARITY_ADDR,
    N_GRANULARITIES
};

/* What goes with a granularity. */
static const struct granularity {
    const char *name;
    uint8_t argsz;
    uint8_t caches;
    uint8_t flags;
    uint8_t scope;
} granularities[N_GRANULARITIES] = {
    {"DOMAIN", HEAD_END, CACHE_IOTLB | CACHE_PASID, 0, XINV_SCOPE_DOMAIN},
    {"PASID", PASID_END, CACHE_IOTLB | CACHE_DEV_IOTLB | CACHE_PASID, FLAG_PASID | FLAG_ARCHID,
     XINV_SCOPE_PASID},
    {"ADDR", CACHE_INFO_BYTES, CACHE_IOTLB | CACHE_DEV_IOTLB, FLAG_PASID | FLAG_ARCHID | FLAG_LEAF,
     XINV_SCOPE_ADDRESS},
};

static const char *const cache_names[] = {"IOTLB", "DEV_IOTLB", "PASID"};
static const uint8_t cache_of[] = {XINV_INV_IOTLB, XINV_INV_DEVICE_TLB, XINV_INV_PASID_CONFIG};
#define N_CACHES 3

static bool fail(struct cache_info_error *error, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct cache_info_error *error, const char *field, const char *format, ...)
{
    va_list args;

    error->field = field;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return false;
}

static uint64_t load(const uint8_t *bytes, unsigned n)
{
    uint64_t value = 0;

    while (n-- > 0)
        value = value << 8 | bytes[n];
    return value;
}

static void store(uint8_t *bytes, unsigned n, uint64_t value)
{
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* ---- Reading ---- */

static bool check_caches(unsigned caches, const struct granularity *g,
                         struct cache_info_error *error)
{
    for (unsigned i = 0; i < N_CACHES; i++)
        if ((caches & ~(unsigned)g->caches) >> i & 1)
            return fail(error, "granularity", "%s does not go with the cache %s", g->name,
                        cache_names[i]);
    return true;
}

/* Everything before the union. */
static bool check_head(const uint8_t *bytes, size_t n, struct cache_info_error *error)
{
    uint64_t argsz;
    uint64_t version;

    if (n < HEAD_END || n > CACHE_INFO_BYTES)
        return fail(error, NULL, "%zu bytes; the structure has %d, at least %d of them given", n,
                    CACHE_INFO_BYTES, HEAD_END);
    argsz = load(bytes + ARGSZ, 4);
    if (argsz < HEAD_END)
        return fail(error, "argsz", "%" PRIu64 " is too small; at least %d", argsz, HEAD_END);
    version = load(bytes + VERSION, 4);
    if (version != 1)
        return fail(error, "version", "%" PRIu64 " is not known; expected 1", version);
    if (bytes[CACHE] & ~(CACHE_IOTLB | CACHE_DEV_IOTLB | CACHE_PASID))
        return fail(error, "cache",
                    "0x%x has unknown bits; known are 1 (IOTLB), 2 (DEV_IOTLB) and 4 (PASID)",
                    bytes[CACHE]);
    if (!bytes[CACHE])
        return fail(error, "cache", "names no cache; expected 1 (IOTLB), 2 (DEV_IOTLB), 4 (PASID)");
    if (bytes[GRANULARITY] >= N_GRANULARITIES)
        return fail(error, "granularity",
                    "%u is not known; expected 0 (DOMAIN), 1 (PASID) or 2 (ADDR)",
                    bytes[GRANULARITY]);
    for (unsigned i = PADDING; i < HEAD_END; i++)
        if (bytes[i])
            return fail(error, "padding", "byte %u is 0x%x; expected 0", i, bytes[i]);
    return true;
}

static bool check_size(const uint8_t *bytes, size_t n, const struct granularity *g,
                       struct cache_info_error *error)
{
    uint64_t argsz = load(bytes + ARGSZ, 4);

    if (argsz < g->argsz)
        return fail(error, "argsz", "%" PRIu64 " is too small; at least %u with %s", argsz,
                    g->argsz, g->name);
    if (n < g->argsz)
        return fail(error, NULL, "%zu bytes; %s takes %u", n, g->name, g->argsz);
    return true;
}

static bool read_tags(const uint8_t *bytes, const struct granularity *g, struct xinv_request *r,
                      struct cache_info_error *error)
{
    uint64_t flags = load(bytes + FLAGS, 4);
    uint64_t pasid = load(bytes + PASID, 8);

    if (flags & ~(uint64_t)g->flags)
        return fail(error, "flags", "0x%" PRIx64 " has bits that %s does not know; known are %s",
                    flags, g->name,
                    g->flags & FLAG_LEAF ? "1 (PASID), 2 (ARCHID) and 4 (LEAF)"
                                         : "1 (PASID) and 2 (ARCHID)");
    if (!flags && g->scope == XINV_SCOPE_PASID)
        return fail(error, "flags", "neither 1 (PASID) nor 2 (ARCHID) is set; PASID takes one");
    if ((flags & FLAG_PASID) && pasid > UINT32_MAX)
        return fail(error, "pasid", "0x%" PRIx64 " is too large; at most 0xffffffff", pasid);
    if (flags & FLAG_PASID) {
        r->flags |= XINV_REQ_PASID;
        r->pasid = (uint32_t)pasid;
    }
    if (flags & FLAG_ARCHID) {
        r->flags |= XINV_REQ_ASID;
        r->asid = (uint32_t)load(bytes + ARCHID, 4);
    }
    if (flags & FLAG_LEAF)
        r->flags |= XINV_REQ_LEAF_ONLY;
    return true;
}

static bool read_range(const uint8_t *bytes, struct xinv_request *r, struct cache_info_error *error)
{
    uint64_t addr = load(bytes + ADDR, 8);
    uint64_t granule = load(bytes + GRANULE_SIZE, 8);
    uint64_t count = load(bytes + NB_GRANULES, 8);
    uint64_t most; /* granules up to 2^64 */
    uint8_t log2 = 0;

    if (!granule || (granule & (granule - 1)))
        return fail(error, "granule_size", "0x%" PRIx64 " is no power of two", granule);
    if (!count)
        return fail(error, "nb_granules", "is 0; at least 1");
    while (granule >> log2 > 1)
        log2++;
    most = UINT64_MAX - addr < granule - 1 ? 0 : ((UINT64_MAX - addr - (granule - 1)) >> log2) + 1;
    /* every granule of one byte from 0 on: most has wrapped to 0, and no count is too large */
    if (count > most && (addr || log2))
        return fail(error, "nb_granules",
                    "0x%" PRIx64 " granules of 0x%" PRIx64 " bytes from 0x%" PRIx64
                    " end beyond 2^64",
                    count, granule, addr);
    r->flags |= XINV_REQ_RANGE;
    r->first = addr;
    r->last = addr + ((count - 1) << log2) + (granule - 1);
    /* the mapping's page or block; no table has one below 4 KiB, and commands round to that */
    r->log2_leaf_size = log2 < 12 ? 0 : log2;
    return true;
}

bool cache_info_read(const uint8_t *bytes, size_t n, struct xinv_request *request,
                     struct cache_info_error *error)
{
    struct xinv_request r = *request;
    const struct granularity *g;

    if (!check_head(bytes, n, error))
        return false;
    g = &granularities[bytes[GRANULARITY]];
    if (!check_caches(bytes[CACHE], g, error) || !check_size(bytes, n, g, error))
        return false;
    r.flags |= XINV_REQ_INVALIDATE;
    r.scope = g->scope;
    for (unsigned i = 0; i < N_CACHES; i++)
        if (bytes[CACHE] >> i & 1)
            r.caches |= cache_of[i];
    if (g->scope != XINV_SCOPE_DOMAIN && !read_tags(bytes, g, &r, error))
        return false;
    if (g->scope == XINV_SCOPE_ADDRESS && !read_range(bytes, &r, error))
        return false;
    *request = r;
    return true;
}

bool cache_info_parse(const char *text, struct xinv_request *request,
                      struct cache_info_error *error)
{
    uint8_t bytes[CACHE_INFO_BYTES];
    size_t n = 0;

    for (const char *p = text; *(p += strspn(p, " |\t\n")); p += 2) {
        int byte = cli_hex_byte(p);

        if (byte < 0)
            return fail(error, NULL, "expected pairs of hexadecimal digits, not '%.20s'", p);
        if (n < sizeof(bytes))
            bytes[n] = (uint8_t)byte;
        n++;
    }
    return cache_info_read(bytes, n, request, error);
}

/* ---- Writing ---- */

/* Flags of a request that no field stands for. */
static bool check_flags(const struct xinv_request *r, const struct granularity *g,
                        struct cache_info_error *error)
{
    static const struct {
        uint16_t bit;
        const char *name;
    } without[] = {{XINV_REQ_GLOBAL, "global"},
                   {XINV_REQ_BEYOND, "beyond"},
                   {XINV_REQ_ENUMERATED, "enumerated"}};
    static const uint16_t of_address = XINV_REQ_RANGE | XINV_REQ_LEAF_ONLY;

    for (unsigned i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        if (r->flags & without[i].bit)
            return fail(error, NULL, "no field says %s", without[i].name);
    if (r->scope != XINV_SCOPE_ADDRESS && (r->flags & of_address))
        return fail(error, NULL, "a range and leaf_only have fields with the scope address alone");
    if (!(r->flags & (XINV_REQ_PASID | XINV_REQ_ASID)) && r->scope == XINV_SCOPE_PASID)
        return fail(error, "flags", "the scope pasid takes a PASID or an ASID");
    if ((r->flags & (XINV_REQ_PASID | XINV_REQ_ASID)) && !g->flags)
        return fail(error, "flags", "the scope domain takes neither a PASID nor an ASID");
    return true;
}

static bool write_range(const struct xinv_request *r, uint8_t *bytes,
                        struct cache_info_error *error)
{
    uint8_t log2 = r->log2_leaf_size ? r->log2_leaf_size : 12;

    if (!(r->flags & XINV_REQ_RANGE) || r->first > r->last)
        return fail(error, "addr", "the scope address takes a range");
    store(bytes + ADDR, 8, r->first >> log2 << log2);
    store(bytes + GRANULE_SIZE, 8, UINT64_C(1) << log2);
    store(bytes + NB_GRANULES, 8, (r->last >> log2) - (r->first >> log2) + 1);
    return true;
}

bool cache_info_write(const struct xinv_request *r, uint8_t bytes[CACHE_INFO_BYTES],
                      struct cache_info_error *error)
{
    const struct granularity *g = granularities;
    uint8_t left = r->caches;

    memset(bytes, 0, CACHE_INFO_BYTES);
    if (!(r->flags & XINV_REQ_INVALIDATE))
        return fail(error, NULL, "a change has no such bytes; expected an explicit request");
    while (g < granularities + N_GRANULARITIES && g->scope != r->scope)
        g++;
    if (g == granularities + N_GRANULARITIES)
        return fail(error, "granularity", "the scope has none; domain, pasid and address have one");
    for (unsigned i = 0; i < N_CACHES; i++)
        if (r->caches & cache_of[i]) {
            bytes[CACHE] |= (uint8_t)(1u << i);
            left &= (uint8_t)~cache_of[i];
        }
    if (left || !r->caches)
        return fail(error, "cache", "only iotlb, device_tlb and pasid_config have a bit");
    if (!check_caches(bytes[CACHE], g, error) || !check_flags(r, g, error))
        return false;
    store(bytes + ARGSZ, 4, CACHE_INFO_BYTES);
    store(bytes + VERSION, 4, 1);
    bytes[GRANULARITY] = (uint8_t)(g - granularities);
    if (r->flags & XINV_REQ_PASID) {
        bytes[FLAGS] |= FLAG_PASID;
        store(bytes + PASID, 8, r->pasid);
    }
    if (r->flags & XINV_REQ_ASID) {
        bytes[FLAGS] |= FLAG_ARCHID;
        store(bytes + ARCHID, 4, r->asid);
    }
    if (r->scope != XINV_SCOPE_ADDRESS)
        return true;
    if (r->flags & XINV_REQ_LEAF_ONLY)
        bytes[FLAGS] |= FLAG_LEAF;
    return write_range(r, bytes, error);
}
