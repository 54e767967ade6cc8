// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Page tables as software has them: what is mapped, by which leaves, and which pages they take. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/machine.h"

#define LEVELS 3 /* of pages: 2 MiB, 1 GiB, 512 GiB */

uint32_t machine_serial(void)
{
    static uint32_t last;

    return ++last;
}

static unsigned log2_region(unsigned level)
{
    return 12 + 9 * level;
}

static struct machine_page *find_page(struct machine_table *t, unsigned level, uint64_t region)
{
    for (size_t i = 0; i < t->n_pages; i++)
        if (t->pages[i].level == level && t->pages[i].region == region)
            return &t->pages[i];
    return NULL;
}

/* log2 of the leaf that maps an address. */
static uint8_t leaf_at(const struct machine_mapping *m, uint64_t address)
{
    static const uint8_t sizes[] = {30, 21};

    if (m->shared)
        return 21;
    for (unsigned i = 0; i < sizeof(sizes); i++)
        if (sizes[i] <= m->log2_max && model_base(address, sizes[i]) >= m->first &&
            model_last(address, sizes[i]) <= m->last)
            return sizes[i];
    return 12;
}

/* Something in the region is mapped by leaves that are smaller than it. */
static bool needs_page(const struct machine_mapping *m, unsigned level, uint64_t region)
{
    uint64_t first = region << log2_region(level);
    uint64_t last = model_last(first, log2_region(level));

    return m->first <= last && m->last >= first &&
           leaf_at(m, first < m->first ? m->first : first) < log2_region(level);
}

static void add_pages(struct machine_table *t, const struct machine_mapping *m)
{
    for (unsigned level = 1; level <= LEVELS; level++)
        for (uint64_t r = m->first >> log2_region(level); r <= m->last >> log2_region(level); r++) {
            if (!needs_page(m, level, r) || find_page(t, level, r))
                continue;
            t->pages = realloc(t->pages, (t->n_pages + 1) * sizeof(*t->pages));
            if (!t->pages)
                abort();
            t->pages[t->n_pages++] = (struct machine_page){level, r, machine_serial()};
        }
}

/* Pages on the way to a range that nothing needs any more. */
static void drop_pages(struct machine_table *t, uint64_t first, uint64_t last)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->n_pages; i++) {
        unsigned log2 = log2_region(t->pages[i].level);
        uint64_t base = t->pages[i].region << log2;
        bool needed = base > last || model_last(base, log2) < first;

        for (size_t k = 0; k < t->n && !needed; k++)
            needed = needs_page(&t->maps[k], t->pages[i].level, t->pages[i].region);
        if (needed)
            t->pages[kept++] = t->pages[i];
    }
    t->n_pages = kept;
}

/* A leaf does not replace a page of the table that is still there. */
static uint8_t largest_allowed(const struct machine_table *t, const struct machine_mapping *m)
{
    uint8_t most = m->log2_max ? m->log2_max : 30;

    for (size_t i = 0; i < t->n_pages; i++) {
        unsigned log2 = log2_region(t->pages[i].level);
        uint64_t first = t->pages[i].region << log2;

        if (first <= m->last && model_last(first, log2) >= m->first && log2 <= most)
            most = (uint8_t)(log2 - 9);
    }
    return most;
}

bool machine_map(struct machine_table *t, const struct machine_mapping *mapping)
{
    struct machine_mapping *m = &t->maps[t->n];

    if (t->n == MACHINE_MAPS)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (t->maps[i].first <= mapping->last && t->maps[i].last >= mapping->first)
            return false;
    *m = *mapping;
    m->serial = machine_serial();
    m->log2_max = largest_allowed(t, mapping);
    /* one leaf for all */
    for (size_t i = 0; i < t->n && m->shared; i++)
        if (t->maps[i].shared && t->maps[i].first >> 21 == m->first >> 21)
            m->serial = t->maps[i].serial;
    t->n++;
    add_pages(t, m);
    return true;
}

/* The leaf that a mapping shares goes whole: what is left of it is mapped anew, by pages. */
static void demote(struct machine_table *t, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < t->n; i++) {
        struct machine_mapping *m = &t->maps[i];

        if (!m->shared || m->last >> 21 < first >> 21 || m->first >> 21 > last >> 21)
            continue;
        m->shared = false;
        m->log2_max = 12;
        m->serial = machine_serial();
        add_pages(t, m);
    }
}

void machine_unmap(struct machine_table *t, uint64_t first, uint64_t last, bool keep_pages)
{
    struct machine_mapping gone[MACHINE_MAPS];
    size_t n_gone = 0;
    size_t kept = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (t->maps[i].first > last || t->maps[i].last < first)
            t->maps[kept++] = t->maps[i];
        else
            gone[n_gone++] = t->maps[i];
    }
    t->n = kept;
    /* pages that were kept earlier, elsewhere in the range, stay */
    for (size_t i = 0; i < n_gone; i++) {
        demote(t, gone[i].first, gone[i].last);
        if (!keep_pages)
            drop_pages(t, gone[i].first, gone[i].last);
    }
}

void machine_extent(const struct machine_table *t, uint64_t *first, uint64_t *last)
{
    uint64_t from = *first;
    uint64_t to = *last;

    for (size_t i = 0; i < t->n; i++) {
        const struct machine_mapping *m = &t->maps[i];

        if (m->first > to || m->last < from)
            continue;
        *first = m->first < *first ? m->first : *first;
        *last = m->last > *last ? m->last : *last;
    }
}

uint8_t machine_largest(const struct machine_table *t, uint64_t first, uint64_t last)
{
    uint8_t most = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct machine_mapping *m = &t->maps[i];

        if (m->first > last || m->last < first)
            continue;
        /* the largest leaf is where the mapping is aligned best */
        for (unsigned log2 = 30; log2 > 12; log2 -= 9) {
            uint64_t base = (m->first + (UINT64_C(1) << log2) - 1) >> log2 << log2;

            if (base <= m->last && leaf_at(m, base) == log2 && log2 > most)
                most = (uint8_t)log2;
        }
        if (m->shared && most < 21)
            most = 21;
        if (most < 12)
            most = 12;
    }
    return most;
}

void machine_table_clear(struct machine_table *t)
{
    free(t->pages);
    *t = (struct machine_table){.n = 0};
}

/* ---- Walks -------------------------------------------------------------------------------------
 */

bool machine_walk(const struct machine_table *t, uint64_t address, struct machine_leaf *leaf)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct machine_mapping *m = &t->maps[i];

        if (m->first > address || m->last < address)
            continue;
        *leaf = (struct machine_leaf){.log2_size = leaf_at(m, address),
                                      .global = m->global,
                                      .to = m->to + (address - m->first)};
        leaf->says = (uint64_t)m->serial << 8 | leaf->log2_size;
        return true;
    }
    return false;
}

uint32_t machine_page_at(const struct machine_table *t, unsigned level, uint64_t address)
{
    for (size_t i = 0; i < t->n_pages; i++)
        if (t->pages[i].level == level && t->pages[i].region == address >> log2_region(level))
            return t->pages[i].serial;
    return 0;
}
