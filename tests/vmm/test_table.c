// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* The VMM's stage-1 tables, read back by hand. */
#include <criterion/criterion.h>

#include "examples/vmm/table.h"

#define PAGES 8
#define GPA   UINT64_C(0x100000000)

static _Alignas(4096) uint8_t bytes[PAGES * 4096];
static uint8_t busy[PAGES];
static struct arena arena = {bytes, GPA, PAGES, busy};
static struct table table;

static uint64_t entry(uint64_t at, unsigned index)
{
    return arena_at(&arena, at & UINT64_C(0x000ffffffffff000))[index];
}

/* 0x80401ff000 and the page behind it: indices 1, 1, 1, 511 and 1, 1, 2, 0 */
#define FIRST UINT64_C(0x80403ff000)

static void map_two(const struct table_format *format, bool writable)
{
    cr_assert(table_init(&table, &arena, format));
    cr_assert(table_prepare(&table, FIRST, FIRST + 0x1fff));
    table_map(&table, FIRST, FIRST + 0x1fff, 0xabc000, writable);
}

static void expect(uint64_t link, uint64_t page)
{
    uint64_t l3 = entry(table.root, 1);
    uint64_t l2 = entry(l3, 1);

    cr_assert_eq(l3 & UINT64_C(0xfff0000000000fff), link);
    cr_assert_eq(entry(l2, 1) & UINT64_C(0xfff0000000000fff), link);
    cr_assert_eq(entry(entry(l2, 1), 511), 0xabc000 | page);
    cr_assert_eq(entry(entry(l2, 2), 0), 0xabd000 | page);
    cr_assert_eq(entry(entry(l2, 2), 1), 0);
}

Test(table, vtd_pages_are_present_accessed_and_for_users)
{
    map_two(&table_vtd, true);
    expect(0x7, 0x67); /* P, R/W, U/S, A, D */
}

Test(table, vtd_pages_that_are_not_written_to_are_read_only)
{
    map_two(&table_vtd, false);
    expect(0x7, 0x65);
}

Test(table, smmuv3_pages_are_valid_accessed_and_not_global)
{
    map_two(&table_smmuv3, true);
    expect(0x3, UINT64_C(0x60000000000f43)); /* page, AP[1], SH 3, AF, nG, PXN, UXN */
}

Test(table, smmuv3_pages_that_are_not_written_to_are_read_only)
{
    map_two(&table_smmuv3, false);
    expect(0x3, UINT64_C(0x60000000000fc3));
}

Test(table, an_unmap_says_from_where_to_where_there_was_something)
{
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;

    map_two(&table_vtd, true);
    cr_assert(table_unmap(&table, &first, &last));
    cr_assert_eq(first, FIRST);
    cr_assert_eq(last, FIRST + 0x1fff);
    first = 0;
    last = UINT64_MAX;
    cr_assert(!table_unmap(&table, &first, &last));
}

Test(table, an_unmap_leaves_what_is_beside_it)
{
    uint64_t first = FIRST;
    uint64_t last = FIRST + 0xfff;

    map_two(&table_vtd, true);
    cr_assert(table_unmap(&table, &first, &last));
    cr_assert_eq(last, FIRST + 0xfff);
    last = UINT64_MAX;
    cr_assert(table_unmap(&table, &first, &last));
    cr_assert_eq(first, FIRST + 0x1000);
}

Test(table, the_last_page_of_the_address_space_can_be_mapped)
{
    uint64_t first = (UINT64_C(1) << TABLE_ADDRESS_BITS) - 4096;
    uint64_t last = first + 4095;

    cr_assert(table_init(&table, &arena, &table_vtd));
    cr_assert(table_prepare(&table, first, last));
    table_map(&table, first, last, 0x1000, true);
    cr_assert(!table_prepare(&table, first, last + 1));
    cr_assert(table_unmap(&table, &first, &last));
    cr_assert_eq(last, (UINT64_C(1) << TABLE_ADDRESS_BITS) - 1);
}

Test(table, a_full_arena_is_said_and_given_back)
{
    cr_assert(table_init(&table, &arena, &table_vtd));
    cr_assert(!table_prepare(&table, 0, UINT64_C(0x3fffffff)));
    table_free(&table);
    for (unsigned i = 0; i < PAGES; i++)
        cr_assert_eq(busy[i], 0);
}
