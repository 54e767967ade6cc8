// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* Words to fields and back; for tests and fuzzers. */
#ifndef XINV_TESTS_ROUNDTRIP_H
#define XINV_TESTS_ROUNDTRIP_H

#include <xinv/xinv.h>

/*
 * roundtrip - decodes and encodes again
 * returns: 1: a command that came back bit for bit; 0: refused, by the encoder for the same reason;
 * -1: neither, and `text` says what
 */
int roundtrip(const struct xinv_iommu *iommu, const uint64_t *words, char *text, size_t size);

#endif
