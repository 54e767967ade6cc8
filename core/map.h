// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * Mappings of domains: sets of ranges that do not overlap, each an AVL tree over nodes of one
 * array, ordered by first address. Every operation is O(log n) and without recursion.
 */
#ifndef XINV_CORE_MAP_H
#define XINV_CORE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#define XINV_NIL UINT32_MAX

struct xinv_map_node {
    uint64_t first;
    uint64_t last;
    uint64_t phys;
    uint32_t child[2];
    uint32_t parent; /* or the next free node */
    uint32_t height;
};

struct xinv_map_store {
    struct xinv_map_node *nodes;
    uint32_t free; /* head of the free list */
};

void xinv_map_init(struct xinv_map_store *store, struct xinv_map_node *nodes, uint32_t n);

/* xinv_map_at_or_after - the first range that ends at or after an address, or XINV_NIL */
uint32_t xinv_map_at_or_after(const struct xinv_map_store *store, uint32_t root, uint64_t address);

/* xinv_map_next - the range after a node, or XINV_NIL */
uint32_t xinv_map_next(const struct xinv_map_store *store, uint32_t node);

/* xinv_map_insert - adds a range that overlaps none; returns false if no node is free */
bool xinv_map_insert(struct xinv_map_store *store, uint32_t *root, uint64_t first, uint64_t last,
                     uint64_t phys);

void xinv_map_remove(struct xinv_map_store *store, uint32_t *root, uint32_t node);

/* xinv_map_clear - removes all; O(n) */
void xinv_map_clear(struct xinv_map_store *store, uint32_t *root);

#endif
