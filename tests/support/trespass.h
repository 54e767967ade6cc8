// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* What a guest's command must not do to others; for tests and fuzzers. */
#ifndef XINV_TESTS_TRESPASS_H
#define XINV_TESTS_TRESPASS_H

#include <xinv/filter.h>

/*
 * trespass - how a command of the host's, made for a guest, reaches beyond the guest
 * returns: NULL if it does not, or what is wrong
 */
const char *trespass(const struct xinv_iommu *iommu, const struct xinv_guest *guest,
                     const uint64_t *words);

#endif
