// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Masks and addresses that carry a size. */
#ifndef XINV_CORE_BITS_H
#define XINV_CORE_BITS_H

#include <stdint.h>

/* xinv_low_bits - the n lowest bits; all of them from 64 on */
static inline uint64_t xinv_low_bits(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

/* xinv_count_bits - how many bits are set */
unsigned xinv_count_bits(uint64_t v);

/*
 * xinv_sized_address - a block of 2^order pages of 4 KiB as an address with a size bit says it
 * (PCIe ATS 10.3.1; AMD 2.4.3)
 *
 * n ones from bit 12 up before the first zero mean 2^(n+1) pages. Order 0 has no size bit; order
 * 52 is the whole space, ones up to bit 62.
 */
static inline uint64_t xinv_sized_address(uint64_t first, unsigned order)
{
    return first | xinv_low_bits(order) >> 1 << 12;
}

#endif
