// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What reading a command back has in common. */
#ifndef XINV_CORE_READ_H
#define XINV_CORE_READ_H

#include "core/bits.h"
#include "core/layout.h"

#define XINV_GET(words, ...) xinv_get((words), __VA_ARGS__)

/* The block of 2^log2_bytes bytes that holds an address; 64 or more: every address. */
static inline void xinv_read_block(uint64_t address, unsigned log2_bytes,
                                   struct xinv_removal_set *set)
{
    uint64_t mask = xinv_low_bits(log2_bytes);

    set->first = address & ~mask;
    set->last = set->first | mask;
}

/*
 * A region whose size stands in its address (PCIe ATS 10.3.1): the first zero bit at or above bit
 * 12, which must exist, is the highest one below the size.
 *
 * returns: log2 of the bytes
 */
static inline unsigned xinv_read_sized(uint64_t address, struct xinv_removal_set *set)
{
    unsigned zero = 12;

    while (address >> zero & 1)
        zero++;
    xinv_read_block(address, zero + 1, set);
    return zero + 1;
}

#endif
