// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
#include "tests/support/testiommu.h"

#include <criterion/criterion.h>
#include <string.h>

#define MAX_SETTINGS 16

static struct xinv_iommu make(const char *platform, const uint64_t *registers,
                              const struct test_setting *settings, size_t n)
{
    const struct xinv_platform *p = xinv_platform_find(platform);
    struct xinv_setting set[MAX_SETTINGS];
    struct xinv_iommu iommu;

    cr_assert_not_null(p, "%s", platform);
    cr_assert_leq(n, MAX_SETTINGS);
    for (size_t i = 0; i < n; i++) {
        int f = xinv_feature_find(p->vendor, settings[i].feature);

        cr_assert_geq(f, 0, "%s has no %s", platform, settings[i].feature);
        set[i] = (struct xinv_setting){(uint8_t)f, settings[i].value};
    }
    cr_assert_eq(xinv_iommu_init(&iommu, p, registers, set, (unsigned)n), 0, "%s", platform);
    return iommu;
}

struct xinv_iommu test_iommu_with(const char *platform, const struct test_setting *settings,
                                  size_t n)
{
    return make(platform, NULL, settings, n);
}

struct xinv_iommu test_iommu(const char *platform, const char *feature, uint16_t value)
{
    struct test_setting one = {feature, value};

    return make(platform, NULL, &one, feature != NULL);
}

struct xinv_iommu test_iommu_every(const char *platform, const char *feature, uint16_t value)
{
    static const uint64_t ones[16] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    struct test_setting one = {feature, value};

    return make(platform, ones, &one, feature != NULL);
}

bool test_platform_is(const char *name, const char *platform)
{
    cr_assert_not_null(xinv_platform_find(platform), "%s", platform);
    return !strcmp(name, platform);
}
