// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
/* IOMMUs of built-in platforms, with features as a test wants them. What does not exist fails it.
 */
#ifndef XINV_TESTS_TESTIOMMU_H
#define XINV_TESTS_TESTIOMMU_H

#include <xinv/xinv.h>

struct test_setting {
    const char *feature;
    uint16_t value;
};

/* One feature set; NULL: the platform as it is. */
struct xinv_iommu test_iommu(const char *platform, const char *feature, uint16_t value);
struct xinv_iommu test_iommu_with(const char *platform, const struct test_setting *settings,
                                  size_t n);

/* With every bit of the ID registers set, and one feature; NULL: with nothing else. */
struct xinv_iommu test_iommu_every(const char *platform, const char *feature, uint16_t value);

/* Is a platform this one? It fails where no built-in platform has the name. */
bool test_platform_is(const char *name, const char *platform);

#endif
