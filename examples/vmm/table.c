// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "table.h"

#include <stddef.h>
#include <string.h>

#define PAGE    UINT64_C(4096)
#define LEVELS  4
#define ADDRESS UINT64_C(0x000ffffffffff000)

/* P 0, R/W 1, U/S 2 (requests without PASID are those of a user), A 5 and D 6, so that the hardware
 * need not set them. */
const struct table_format table_vtd = {.table = 0x7, .page = 0x65, .writable = 0x2};

/* Valid and table or page 1:0, AP[1] 6: unprivileged, AP[2] 7: read-only, SH 9:8, AF 10, nG 11, XN
 * 54:53. */
const struct table_format table_smmuv3 = {
    .table = 0x3, .page = UINT64_C(0x60000000000f43), .read_only = 0x80};

uint64_t arena_take(struct arena *arena)
{
    for (uint32_t i = 0; i < arena->n_pages; i++)
        if (!arena->busy[i]) {
            arena->busy[i] = 1;
            memset(arena->bytes + i * PAGE, 0, PAGE);
            return arena->gpa + i * PAGE;
        }
    return 0;
}

void arena_give(struct arena *arena, uint64_t gpa)
{
    arena->busy[(gpa - arena->gpa) / PAGE] = 0;
}

uint64_t *arena_at(const struct arena *arena, uint64_t gpa)
{
    return (uint64_t *)(void *)(arena->bytes + (gpa - arena->gpa));
}

/* Bytes that one entry of a level stands for; level 0 has the pages. */
static uint64_t span_of(unsigned level)
{
    return PAGE << 9 * level;
}

static uint64_t *entry_at(const struct table *t, uint64_t table, unsigned level, uint64_t address)
{
    return &arena_at(t->arena, table)[address / span_of(level) % 512];
}

/*
 * The entry of an address's page.
 * @make: tables that are missing are made
 * @span: without one, the bytes around the address that no entry stands for
 *
 * returns: NULL: there is none, or the arena is full
 */
static uint64_t *find(struct table *t, uint64_t address, bool make, uint64_t *span)
{
    uint64_t table = t->root;

    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *entry = entry_at(t, table, level, address);

        if (!*entry) {
            uint64_t page = make ? arena_take(t->arena) : 0;

            *span = span_of(level);
            if (!page)
                return NULL;
            *entry = page | t->format->table;
        }
        table = *entry & ADDRESS;
    }
    *span = span_of(0);
    return entry_at(t, table, 0, address);
}

bool table_init(struct table *t, struct arena *arena, const struct table_format *format)
{
    *t = (struct table){.arena = arena, .format = format, .root = arena_take(arena)};
    return t->root != 0;
}

static void free_level(struct table *t, uint64_t table, unsigned level)
{
    for (unsigned i = 0; level > 0 && i < 512; i++) {
        uint64_t entry = arena_at(t->arena, table)[i];

        if (entry)
            free_level(t, entry & ADDRESS, level - 1);
    }
    arena_give(t->arena, table);
}

void table_free(struct table *t)
{
    if (t->root)
        free_level(t, t->root, LEVELS - 1);
    t->root = 0;
}

bool table_prepare(struct table *t, uint64_t first, uint64_t last)
{
    if (last >> TABLE_ADDRESS_BITS)
        return false;
    for (uint64_t address = first; address <= last; address = (address | (span_of(1) - 1)) + 1) {
        uint64_t span;

        if (!find(t, address, true, &span))
            return false;
    }
    return true;
}

void table_map(struct table *t, uint64_t first, uint64_t last, uint64_t phys, bool writable)
{
    uint64_t bits = t->format->page | (writable ? t->format->writable : t->format->read_only);

    for (uint64_t offset = 0; offset <= last - first; offset += PAGE) {
        uint64_t span;
        uint64_t *entry = find(t, first + offset, false, &span);

        if (entry)
            *entry = (phys + offset) | bits;
    }
}

bool table_unmap(struct table *t, uint64_t *first, uint64_t *last)
{
    uint64_t end = *last >> TABLE_ADDRESS_BITS ? (UINT64_C(1) << TABLE_ADDRESS_BITS) - 1 : *last;
    uint64_t next;
    bool found = false;

    for (uint64_t address = *first; address <= end; address = next) {
        uint64_t span;
        uint64_t *entry = find(t, address, false, &span);

        next = (address | (span - 1)) + 1;
        if (!entry || !*entry)
            continue;
        *entry = 0;
        if (!found)
            *first = address;
        found = true;
        *last = next - 1;
    }
    return found;
}
