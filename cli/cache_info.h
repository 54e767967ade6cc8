// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/*
 * An explicit request as the bytes of struct iommu_cache_invalidate_info, version 1: the generic
 * invalidation structure that Linux had in its uAPI before iommufd, and that old guests' requests
 * were put into. All fields are little-endian here.
 */
#ifndef XINV_CLI_CACHE_INFO_H
#define XINV_CLI_CACHE_INFO_H

#include <stdbool.h>
#include <xinv/xinv.h>

#define CACHE_INFO_BYTES 56

struct cache_info_error {
    const char *field; /* NULL: the structure as a whole */
    char text[160];
};

/*
 * cache_info_read - what the bytes ask for
 * @bytes, @n: 16 to 56 bytes; those behind argsz, and fields that no flag names, are not looked at
 * @request: caches, scope, tags, range and leaf size are set, other members stay
 *
 * Refused is what the former kernel refused (version, unknown bits, padding, a granularity that one
 * of the caches does not have, an argsz that is too small), and what says nothing or cannot be
 * said: no cache, a granule that is no power of two, no granules, an end beyond 2^64.
 *
 * returns: true; false with *error filled in
 */
bool cache_info_read(const uint8_t *bytes, size_t n, struct xinv_request *request,
                     struct cache_info_error *error);

/* cache_info_parse - the same from pairs of hexadecimal digits, with or without spaces or '|'
 * between them */
bool cache_info_parse(const char *text, struct xinv_request *request,
                      struct cache_info_error *error);

/*
 * cache_info_write - the bytes that ask for a request; argsz is 56
 * @request: an explicit one
 *
 * The range grows to whole granules: of the largest leaf's size, or of 4 KiB.
 *
 * returns: true; false with *error filled in: the structure has no word for the request
 */
bool cache_info_write(const struct xinv_request *request, uint8_t bytes[CACHE_INFO_BYTES],
                      struct cache_info_error *error);

#endif
