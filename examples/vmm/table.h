// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Stage-1 tables that the VMM keeps for its guest's MAP and UNMAP requests: IOVA to guest-physical,
 * four levels of 4 KiB pages. The kernel's stage 2 stands below, so they lie in guest-physical
 * memory, in pages that the guest is not told of. A guest that finds them harms itself alone: what
 * they lead to is guest-physical again.
 */
#ifndef VMM_TABLE_H
#define VMM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define TABLE_ADDRESS_BITS 48

/* Guest-physical pages for tables. */
struct arena {
    uint8_t *bytes;
    uint64_t gpa; /* of bytes */
    uint32_t n_pages;
    uint8_t *busy; /* one per page */
};

/* arena_take - a zeroed page's guest-physical address, or 0 */
uint64_t arena_take(struct arena *arena);
void arena_give(struct arena *arena, uint64_t gpa);
uint64_t *arena_at(const struct arena *arena, uint64_t gpa);

/* Bits of entries besides the address. */
struct table_format {
    uint64_t table;
    uint64_t page;
    uint64_t writable;  /* set in a page that may be written */
    uint64_t read_only; /* set in one that may not */
};

extern const struct table_format table_vtd;    /* VT-d 9.8: first-stage paging entries */
extern const struct table_format table_smmuv3; /* Arm DDI 0487, D8.3: VMSAv8-64, 4 KiB granule */

struct table {
    struct arena *arena;
    const struct table_format *format;
    uint64_t root; /* guest-physical; 0: none */
};

/* table_init - an empty table; false: the arena is full */
bool table_init(struct table *table, struct arena *arena, const struct table_format *format);
void table_free(struct table *table);

/*
 * table_prepare - makes the pages that mappings of first..last need, so that table_map() cannot
 * fail; false: the arena is full, or last is beyond TABLE_ADDRESS_BITS
 */
bool table_prepare(struct table *table, uint64_t first, uint64_t last);
void table_map(struct table *table, uint64_t first, uint64_t last, uint64_t phys, bool writable);

/*
 * table_unmap - removes what is mapped within first..last; no page of the table is freed before the
 * whole is, so paging-structure caches stay right and only leaf entries are stale
 * @first, @last: in: the range; out: from the first mapped page to the last one
 *
 * returns: whether there was any
 */
bool table_unmap(struct table *table, uint64_t *first, uint64_t *last);

#endif
