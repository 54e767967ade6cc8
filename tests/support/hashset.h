// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Things that have been seen, by a hash of 64 bits each. */
#ifndef XINV_TESTS_HASHSET_H
#define XINV_TESTS_HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* hash_of - FNV-1a, going on from another hash */
uint64_t hash_of(uint64_t hash, const void *bytes, size_t n);

struct hashset {
    uint64_t *slots; /* 0: free */
    size_t room;     /* a power of two */
    size_t n;
};

/* hashset_add - false: it is there */
bool hashset_add(struct hashset *set, uint64_t hash);
void hashset_free(struct hashset *set);

#endif
